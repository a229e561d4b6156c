"""The emails about changes to somebody's account, in the language of whoever has it."""

from collections.abc import Mapping

from flask import Flask
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from node.languages import LOCALES
from node.mail import service as mail
from node.people.credentials import Change
from node.people.models import User
from node.people.user_agents import Device
from node.runtime import AccountNotifier, UnitOfWork

# The subject, and what happened.
WORDS = {
    Change.device: (
        _l("New sign-in to your account"),
        _l("Someone signed in to your account on a new device: %(device)s."),
    ),
    Change.token: (
        _l("New API token for your account"),
        _l("An API token was created for your account: %(name)s."),
    ),
    Change.webhook: (
        _l("New webhook for your account"),
        _l("A webhook was added to your account. It sends messages to %(url)s."),
    ),
    Change.password: (
        _l("Your password was changed"),
        _l(
            "Your password was changed. You are signed out on your other devices, your API tokens "
            "no longer work, and your webhooks are off until you switch them on."
        ),
    ),
    Change.role_given: (_l("Your role was changed"), _l("You now have the role %(role)s.")),
    Change.role_taken: (
        _l("Your role was changed"),
        _l("You no longer have the role %(role)s. You can do the same as before."),
    ),
    Change.rights_lost: (
        _l("Your role was changed"),
        _l(
            "You no longer have the role %(role)s. You are signed out everywhere, your API tokens "
            "no longer work, and your webhooks are off."
        ),
    ),
    Change.closed: (
        _l("Your account was closed"),
        _l("Your account was closed. No one can use it to sign in any more."),
    ),
}
BY_OPERATOR = frozenset({Change.role_given, Change.role_taken, Change.rights_lost, Change.closed})


def device_name(device: Device) -> str:
    """What people call a device."""
    browser, system = device
    if browser and system:
        return str(_("%(browser)s on %(system)s", browser=browser, system=system))
    return browser or system or str(_("Unknown device"))


def notifier(app: Flask) -> AccountNotifier:
    """Writes with the translations of `app`, in the transaction of the change."""

    def notify(work: UnitOfWork, user: User, change: str, details: Mapping[str, str]) -> None:
        language, name = user.language or work.settings.language, user.name
        base_url = work.settings.base_url
        with app.app_context(), force_locale(LOCALES[language]):
            if change == Change.device:
                details = {"device": device_name(Device(**details))}
            subject, happened = WORDS[Change(change)]
            parts = (
                _("Hello %(name)s", name=name),
                str(happened) % details,
                *_advice(Change(change), base_url),
            )
            letter = str(subject), "\n\n".join(parts) + "\n"
        mail.send(work, user.email, *letter, language=language)

    return notify


def _advice(change: Change, base_url: str) -> tuple[str, ...]:
    """What to do where that was not expected."""
    if change in BY_OPERATOR:
        return (_("If you did not expect this, contact the people who run this server."),)
    return (
        _(
            "If this was not you, contact the people who run this server and "
            "choose a new password now:"
        ),
        f"{base_url}/forgotten-password",
    )
