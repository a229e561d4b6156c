"""Who acts: the person, remote actor, job or command on whose behalf something happens.

Ownership and attribution stand on `Principal.id`, since names and email addresses change.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit


class PrincipalKind(StrEnum):
    """What a principal is. An actor is one of another server, or that server as a whole."""

    person = "person"
    actor = "actor"
    job = "job"
    command = "command"
    anonymous = "anonymous"


class Via(StrEnum):
    """By what a principal acts: what a person proved who they are with, or the code of a plugin."""

    session = "session"
    token = "token"  # noqa: S105 -- a name
    signed_link = "signed_link"
    plugin = "plugin"


@dataclass(frozen=True)
class Principal:
    """`id` identifies it among those of its kind: a user's row id in decimal digits, the URI of an
    actor (or the host of a server), the name of a job or command; empty if anonymous.

    `name` is what an operator reads: the user's email address at this time, otherwise the id.
    `via` is None where neither a person nor a plugin acts.
    """

    kind: PrincipalKind
    id: str
    name: str = field(compare=False)
    via: Via | None = None

    @classmethod
    def person(cls, user_id: int, email: str, via: Via | None = None) -> Self:
        return cls(PrincipalKind.person, str(user_id), email, via)

    @classmethod
    def actor(cls, uri: str) -> Self:
        """An actor of another server by its URI; the server as a whole by its host."""
        return cls(PrincipalKind.actor, uri, uri)

    @classmethod
    def job(cls, name: str) -> Self:
        return cls(PrincipalKind.job, name, name)

    @classmethod
    def command(cls, name: str = "command line") -> Self:
        return cls(PrincipalKind.command, name, name)

    @classmethod
    def anonymous(cls) -> Self:
        return cls(PrincipalKind.anonymous, "", "anonymous")

    @property
    def user_id(self) -> int | None:
        """The row id of the user; None for all but persons."""
        return int(self.id) if self.kind is PrincipalKind.person else None

    @property
    def host(self) -> str:
        """The host of an actor, with a port if its URI has one; empty for all others."""
        if self.kind is not PrincipalKind.actor:
            return ""
        return urlsplit(self.id).netloc or self.id

    def through_plugin(self) -> Self:
        """The same principal, for whom a plugin's code acts."""
        return replace(self, via=Via.plugin)
