"""Forms of the import pages."""

from base64 import b64decode, b64encode
from binascii import Error

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, SelectMultipleField, StringField, TextAreaField

from node.forms import BaseForm


class ImportFileForm(BaseForm):
    """A file to import, or the address of a repository that has one."""

    file = FileField(
        _l("File"),
        description=_l(
            "publiccode.yml, civic.json, a spreadsheet saved as CSV, a CSV or XML "
            "export from Pipeline, or Markdown"
        ),
    )
    address = StringField(
        _l("Or the address of a repository"),
        description=_l(
            "For example, https://github.com/owner/name. We fetch publiccode.yml "
            "or civic.json from the repository."
        ),
    )

    source = StringField(
        _l("Name of this list (optional)"),
        description=_l(
            "For a spreadsheet that you import more than once. Use the same name "
            "each time, so that projects already imported are recognised by their "
            "ID or title."
        ),
    )


class ImportPreviewForm(BaseForm):
    """Carries the file from the preview to the import.

    `title` and `summary` fill in what the file lacks. `organisations` are other organisations whose
    projects to import too. With `update`, existing projects are changed to match the file.
    """

    name = HiddenField()
    content = HiddenField()
    source = HiddenField()
    organisations = SelectMultipleField(validate_choice=False)
    update = BooleanField(_l("Change these projects"))
    title = StringField(_l("Project name"))
    summary = TextAreaField(
        _l("Summary"), description=_l("One sentence saying what the project does and who it is for")
    )

    def embed_file(self, name: str, data: bytes, source: str) -> None:
        self.name.data, self.content.data = name, b64encode(data).decode()
        self.source.data = source

    def embedded_file(self) -> bytes:
        """The content of the file; empty if the form has lost it."""
        try:
            return b64decode(self.content.data or "", validate=True)
        except (Error, ValueError):
            return b""
