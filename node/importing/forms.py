"""The forms in which officers import projects."""

from base64 import b64decode, b64encode
from binascii import Error

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, SelectMultipleField, StringField, TextAreaField

from node.forms import HouseForm


class ImportForm(HouseForm):
    """A file, or where one is."""

    file = FileField(
        _l("A file"),
        description=_l(
            "publiccode.yml, civic.json, a spreadsheet saved as CSV, what Pipeline exported as CSV"
            " or XML, or Markdown"
        ),
    )
    address = StringField(
        _l("Or the address of a repository"),
        description=_l(
            "Such as https://github.com/owner/name. Its publiccode.yml or civic.json is fetched."
        ),
    )

    source = StringField(
        _l("What this list is called (optional)"),
        description=_l(
            "For a spreadsheet that you import again and again. Under the same name, its projects"
            " are recognised by their ID or title."
        ),
    )


class PreviewForm(HouseForm):
    """What was read, on its way to being saved; `title` and `summary` where the file had none.
    `organisations` are those, other than ours, whose projects are taken too; `update`: projects
    that are here already and differ are changed.
    """

    name = HiddenField()
    content = HiddenField()
    source = HiddenField()
    organisations = SelectMultipleField(validate_choice=False)
    update = BooleanField(_l("Change these projects"))
    title = StringField(_l("Name of the project"))
    summary = TextAreaField(
        _l("Summary"), description=_l("One sentence that says what it is for and for whom")
    )

    def carry(self, name: str, data: bytes, source: str) -> None:
        self.name.data, self.content.data = name, b64encode(data).decode()
        self.source.data = source

    def carried(self) -> bytes:
        """The content of the file; empty where it was lost."""
        try:
            return b64decode(self.content.data or "", validate=True)
        except (Error, ValueError):
            return b""
