"""Renders the email with the password reset link, in the user's language."""

from typing import NamedTuple

from flask_babel import gettext as _

from node.people.models import User
from node.runtime import Node


class PasswordEmail(NamedTuple):
    """A rendered email."""

    subject: str
    text: str


def render(node: Node, user: User, url: str, language: str) -> PasswordEmail:
    """The email that offers `url` to choose a new password."""
    with node.rendering(language):
        parts = (
            _("Hello %(name)s", name=user.name),
            _("Someone asked for a new password for your account. To choose one, open this link:"),
            url,
            _("You can only use the link once and it expires after 1 hour."),
            _("If this was not you, you do not need to do anything. Your password stays the same."),
        )
        return PasswordEmail(_("Choose a new password"), "\n\n".join(parts) + "\n")
