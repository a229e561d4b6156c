"""Revokes all credentials of a user together, and notifies users of changes to their accounts.

Credentials are sessions and what other rooms issue: they hear of `CredentialsRevoked`.
"""

from enum import StrEnum

from node.people import sessions
from node.people.events import AccountChanged, CredentialsRevoked
from node.people.models import User
from node.runtime import UnitOfWork


class AccountChange(StrEnum):
    """An account change that users are emailed about, whatever their notification settings."""

    device = "device"
    token = "token"  # noqa: S105 -- the name of a change
    webhook = "webhook"
    password = "password"  # noqa: S105
    role_given = "role-given"
    role_taken = "role-taken"
    rights_lost = "rights-lost"
    closed = "closed"


def revoke_all(work: UnitOfWork, user: User, keep_session: int | None = None) -> None:
    """Revoke all credentials of a user: every session but `keep_session`, API tokens, webhook
    secrets and links to choose a new password. Also forget the user's devices.
    """
    sessions.end_all(work, user, keep_session)
    sessions.forget_devices(work, user, keep_session)
    work.emit(CredentialsRevoked(user.id))
    work.audit("user.end-credentials", user.email)


def notify_user(work: UnitOfWork, user: User, change: AccountChange, **details: str) -> None:
    """Notify a user of an account change, by email after the commit."""
    work.emit(AccountChanged(user.id, change, details))
