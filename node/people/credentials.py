"""What lets somebody act as a person: sessions, and what other rooms give (`Node.credentials`).

All of it ends together, and the person hears of each change to it.
"""

from enum import StrEnum

from node.people import sessions
from node.people.models import User
from node.runtime import UnitOfWork


class AccountChange(StrEnum):
    """Something that a person is told of by email, whatever else they chose to hear of."""

    device = "device"
    token = "token"  # noqa: S105 -- the name of a change
    webhook = "webhook"
    password = "password"  # noqa: S105
    role_given = "role-given"
    role_taken = "role-taken"
    rights_lost = "rights-lost"
    closed = "closed"


def revoke_all(work: UnitOfWork, user: User, keep_session: int | None = None) -> None:
    """End all that lets anybody act as this person: every session but `keep_session`, API tokens,
    webhooks with their secrets, links to choose a new password; and forget their devices.
    """
    sessions.end_all(work, user, keep_session)
    sessions.forget_devices(work, user, keep_session)
    for end in work.node.credential_revokers:
        end(work, user)
    work.audit("user.end-credentials", user.email)


def notify_user(work: UnitOfWork, user: User, change: AccountChange, **details: str) -> None:
    """Tell a person of a change, by email once this is committed."""
    for tell in work.node.account_notifiers:
        tell(work, user, change, details)
