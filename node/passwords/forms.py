"""Forms for password reset."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField, StringField

from node.forms import StrictForm


class ForgottenPasswordForm(StrictForm):
    email = StringField(_l("Email address"))


class NewPasswordForm(StrictForm):
    key = HiddenField()
    password = PasswordField(
        _l("New password"),
        description=_l("Use at least 12 characters, for example 3 random words"),
    )
