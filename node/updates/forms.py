"""The form for an update."""

from flask_babel import lazy_gettext as _l
from wtforms import TextAreaField

from node.forms import VersionedForm
from node.updates.models import Update
from node.updates.service import UpdateInput


class UpdateForm(VersionedForm):
    """The three parts of an update; at least one must be filled in."""

    changed = TextAreaField(
        _l("What changed"), description=_l("What you have done and what you found out")
    )
    next = TextAreaField(_l("What is next"), description=_l("What you will do, and by when"))
    needs = TextAreaField(
        _l("What you need"), description=_l("From other councils, or from anyone who reads this")
    )

    def to_input(self) -> UpdateInput:
        return UpdateInput(self.changed.data or "", self.next.data or "", self.needs.data or "")

    def fill(self, update: Update) -> None:
        self.changed.data, self.next.data = update.changed, update.next
        self.needs.data, self.version.data = update.needs, str(update.version)
