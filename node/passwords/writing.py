"""The e-mail with the link, in the language of whoever gets it."""

from flask import Flask
from flask_babel import force_locale
from flask_babel import gettext as _

from node.languages import LOCALES
from node.passwords.service import Writer, Written
from node.people.models import User


def writer(app: Flask) -> Writer:
    """Writes outside requests, with the translations of `app`."""

    def write(user: User, url: str, language: str) -> Written:
        with app.app_context(), force_locale(LOCALES[language]):
            parts = (
                _("Hello %(name)s", name=user.name),
                _("Somebody asked for a new password for your account. To choose one, open:"),
                url,
                _("The link can be used once, within an hour."),
                _("If it was not you, do nothing: your password stays as it is."),
            )
            return Written(_("Choose a new password"), "\n\n".join(parts) + "\n")

    return write
