"""The form for creating an API token."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice, SelectMultipleField, StringField

from node.forms import StrictForm
from node.rest.models import TokenScope
from node.rest.service import LIFETIMES_DAYS

SCOPE_LABELS = {
    TokenScope.read: _l("Read everything you can read"),
    TokenScope.write_projects: _l("Write, publish and delete projects"),
    TokenScope.write_updates: _l("Write updates"),
    TokenScope.webhooks: _l("See, add and remove webhooks"),
}
EXPIRY_LABELS = {30: _l("In 30 days"), 90: _l("In 90 days"), 365: _l("In a year")}


class ApiTokenForm(StrictForm):
    """Name, scopes and lifetime of a new token."""

    name = StringField(_l("What the token is for"), description=_l("For example, our website"))
    scopes = SelectMultipleField(
        _l("What the token can do"),
        choices=[SelectChoice(scope.value, label) for scope, label in SCOPE_LABELS.items()],
        validate_choice=False,
    )
    days = RadioField(
        _l("When the token expires"),
        choices=[SelectChoice(str(days), EXPIRY_LABELS[days]) for days in LIFETIMES_DAYS],
        default="90",
        validate_choice=False,
    )

    def days_valid(self) -> int:
        """The selected lifetime in days; 0 for a value that is not on offer."""
        return next((days for days in LIFETIMES_DAYS if str(days) == self.days.data), 0)
