"""Events about accounts."""

from collections.abc import Mapping
from dataclasses import dataclass

from node.events import Event


@dataclass(frozen=True)
class CredentialsRevoked(Event):
    """A user may no longer use any credential that they were given."""

    user_id: int


@dataclass(frozen=True)
class AccountChanged(Event):
    """A user's account changed in a way of which they are to be notified. `change` is an
    `AccountChange` of `node.people.credentials`; `details` depend on it.
    """

    user_id: int
    change: str
    details: Mapping[str, str]
