"""The form in which a token is made."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice, SelectMultipleField, StringField

from node.forms import StrictForm
from node.rest.models import Scope
from node.rest.service import DAYS

SCOPES = {
    Scope.read: _l("Read everything you can read"),
    Scope.write_projects: _l("Write, publish and delete projects"),
    Scope.write_updates: _l("Write updates"),
    Scope.webhooks: _l("See, add and remove webhooks"),
}
ENDS = {30: _l("In 30 days"), 90: _l("In 90 days"), 365: _l("In a year")}


class TokenForm(StrictForm):
    """What a token is for, what it may do, and until when."""

    name = StringField(_l("What the token is for"), description=_l("For example, our website"))
    scopes = SelectMultipleField(
        _l("What the token can do"),
        choices=[SelectChoice(scope.value, label) for scope, label in SCOPES.items()],
        validate_choice=False,
    )
    days = RadioField(
        _l("When the token expires"),
        choices=[SelectChoice(str(days), ENDS[days]) for days in DAYS],
        default="90",
        validate_choice=False,
    )

    def lasts(self) -> int:
        """In days; 0 for what was not in the list."""
        return next((days for days in DAYS if str(days) == self.days.data), 0)
