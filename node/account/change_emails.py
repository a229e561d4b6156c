"""Emails about changes to an account, in its user's language."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from node.mail import service as mail
from node.people.credentials import AccountChange
from node.people.events import AccountChanged
from node.people.models import User
from node.people.user_agents import Device
from node.runtime import UnitOfWork

# Subject and main sentence.
EMAIL_TEXTS = {
    AccountChange.device: (
        _l("New sign-in to your account"),
        _l("Someone signed in to your account on a new device: %(device)s."),
    ),
    AccountChange.token: (
        _l("New API token for your account"),
        _l("An API token was created for your account: %(name)s."),
    ),
    AccountChange.webhook: (
        _l("New webhook for your account"),
        _l("A webhook was added to your account. It sends messages to %(url)s."),
    ),
    AccountChange.password: (
        _l("Your password was changed"),
        _l(
            "Your password was changed. You have been signed out on your other "
            "devices, your API tokens no longer work, and your webhooks are off "
            "until you switch them on."
        ),
    ),
    AccountChange.role_given: (_l("Your role was changed"), _l("You now have the %(role)s role.")),
    AccountChange.role_taken: (
        _l("Your role was changed"),
        _l("You no longer have the %(role)s role. You can still do everything you could before."),
    ),
    AccountChange.rights_lost: (
        _l("Your role was changed"),
        _l(
            "You no longer have the %(role)s role. You have been signed out "
            "everywhere, your API tokens no longer work, and your webhooks have "
            "been switched off."
        ),
    ),
    AccountChange.closed: (
        _l("Your account was closed"),
        _l("Your account was closed. No one can use it to sign in any more."),
    ),
}
OPERATOR_CHANGES = frozenset(
    {
        AccountChange.role_given,
        AccountChange.role_taken,
        AccountChange.rights_lost,
        AccountChange.closed,
    }
)


def device_name(device: Device) -> str:
    """A device's name for display."""
    browser, system = device
    if browser and system:
        return str(_("%(browser)s on %(system)s", browser=browser, system=system))
    return browser or system or str(_("Unknown device"))


def on_account_changed(work: UnitOfWork, event: AccountChanged) -> None:
    """Queue an email about a change to an account, in the transaction of the change."""
    user, change = work.session.get_one(User, event.user_id), AccountChange(event.change)
    language, details = user.language or work.settings.language, event.details
    with work.node.rendering(language):
        if change is AccountChange.device:
            details = {"device": device_name(Device(**details))}
        subject, sentence = EMAIL_TEXTS[change]
        parts = (
            _("Hello %(name)s", name=user.name),
            str(sentence) % details,
            *_advice(change, work.settings.base_url),
        )
        content = str(subject), "\n\n".join(parts) + "\n"
    mail.send(work, user.email, *content, language=language)


def _advice(change: AccountChange, base_url: str) -> tuple[str, ...]:
    """What to do if the user did not expect the change."""
    if change in OPERATOR_CHANGES:
        return (_("If you did not expect this, contact the people who run this site."),)
    return (
        _(
            "If this was not you, contact the people who run this site and choose "
            "a new password now:"
        ),
        f"{base_url}/forgotten-password",
    )
