"""Renders the email with the password reset link, in the user's language."""

from flask import Flask
from flask_babel import force_locale
from flask_babel import gettext as _

from node.languages import LOCALES
from node.passwords.service import PasswordEmail, PasswordEmailRenderer
from node.people.models import User


def make_renderer(app: Flask) -> PasswordEmailRenderer:
    """A renderer for use outside requests, with the translations of `app`."""

    def write(user: User, url: str, language: str) -> PasswordEmail:
        with app.app_context(), force_locale(LOCALES[language]):
            parts = (
                _("Hello %(name)s", name=user.name),
                _(
                    "Someone asked for a new password for your account. To choose one, "
                    "open this link:"
                ),
                url,
                _("You can only use the link once and it expires after 1 hour."),
                _(
                    "If this was not you, you do not need to do anything. Your password "
                    "stays the same."
                ),
            )
            return PasswordEmail(_("Choose a new password"), "\n\n".join(parts) + "\n")

    return write
