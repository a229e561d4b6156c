"""The form to change one's own password."""

from flask_babel import lazy_gettext as _l
from wtforms import PasswordField

from node.forms import StrictForm


class ChangePasswordForm(StrictForm):
    current = PasswordField(_l("Current password"))
    password = PasswordField(
        _l("New password"),
        description=_l("Use at least 12 characters, for example 3 random words"),
    )
