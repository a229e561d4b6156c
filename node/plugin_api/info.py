"""The frozen types with which plugins see the node's data: never rows, never the request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Work:
    """A plugin's part of the current transaction, committed or rolled back as a whole.

    `session` reads and writes; the node commits it. `by` names the person (by the email
    address at this time), job or server on whose behalf it happens; `user_id` is that person's id,
    None if it is no person.
    """

    session: Session
    by: str
    user_id: int | None
    plugin: str
    _unit: Any = field(repr=False)

    def audit(self, action: str, subject: str, **details: Any) -> None:
        """Record in the audit log that `by` did `action` (prefixed with the plugin's name) to
        `subject`, a URI.
        """
        self._unit.audit(f"{self.plugin}.{action}", subject, **details)


@dataclass(frozen=True)
class ProjectInfo:
    """A project as plugins see it. `uri` is its ActivityPub id.

    `token` identifies it in this node's URLs, `url` is its page on the node that published it,
    `phase` is concept, a phase of the Service Manual (discovery, alpha, beta, live) or retired.
    `visibility` is public, peers or private.
    """

    token: str
    uri: str
    url: str
    title: str
    summary: str
    phase: str
    council_name: str
    is_local: bool
    council_uri: str = ""
    visibility: str = "public"
    owner_id: int | None = None
    is_draft: bool = False


@dataclass(frozen=True)
class CouncilInfo:
    """A council. `uri` is its ActivityPub id, `address` its `@name@host`, `gss_code` its ONS code
    or empty, `region` a key such as `south-east` or empty.
    """

    uri: str
    name: str
    address: str
    host: str
    is_local: bool
    gss_code: str = ""
    region: str = ""


@dataclass(frozen=True)
class PersonInfo:
    """A user with an account here. `roles` are among officer, coordinator, moderator, operator."""

    id: int
    name: str
    email: str
    roles: frozenset[str]


@dataclass(frozen=True)
class DocumentInfo:
    """A document of a plugin's type, of our council or another. `id` is its ActivityPub id.

    `fields` has only the declared fields, validated and sanitised. `visibility` is public or peers.
    `project_uri` is the id of the project that it is about, if any.
    """

    id: str
    type: str
    name: str
    fields: Mapping[str, Any]
    council: CouncilInfo
    project_uri: str | None
    visibility: str
    published_at: datetime
    changed_at: datetime
    is_local: bool


@dataclass(frozen=True)
class ActivityInfo:
    """An activity received from another server, with a verified signature.

    `actor_uri` is its sender, and `council` the sender's council if this node knows it. `document`
    is the whole activity as received: its contents are not validated. `answers` is the id of the
    activity of this plugin that it answers, if any. `object` is its object as the object's own
    server states it; None if the activity only names it, or embeds one of a third server.
    """

    id: str
    type: str
    actor_uri: str
    host: str
    council: CouncilInfo | None
    object_uri: str | None
    document: Mapping[str, Any]
    answers: str | None = None
    object: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class DemoInfo:
    """The council, an officer and the projects of a demonstration, to which plugins add data."""

    council: CouncilInfo
    officer: PersonInfo
    projects: tuple[ProjectInfo, ...]
