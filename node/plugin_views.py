"""What plugins are shown of the node: frozen, never a row, never the request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Work:
    """A plugin's part of the transaction that is under way: kept as a whole or undone as a whole.

    `session` reads and writes; the node commits it. `by` names on whose behalf it happens.
    """

    session: Session
    by: str
    plugin: str
    _unit: Any = field(repr=False)

    def audit(self, action: str, subject: str, **details: Any) -> None:
        """Record that `by` did `action` (shown after the plugin's name) to `subject`, a URI."""
        self._unit.audit(f"{self.plugin}.{action}", subject, **details)


@dataclass(frozen=True)
class ProjectView:
    """A project as plugins see it. `uri` is its ActivityPub id.

    `token` is its name in this node's addresses, `url` its page where it was published, `phase` a
    word of the Service Manual (or concept, or retired). `visibility` is public, peers or private.
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
class CouncilView:
    """A council. `uri` is its ActivityPub id, `address` its `@name@host`, `gss_code` its ONS code
    or empty, `region` a word such as `south-east` or empty.
    """

    uri: str
    name: str
    address: str
    host: str
    is_local: bool
    gss_code: str = ""
    region: str = ""


@dataclass(frozen=True)
class PersonView:
    """Somebody with an account here. `roles` are of officer, coordinator, moderator, operator."""

    id: int
    name: str
    email: str
    roles: frozenset[str]


@dataclass(frozen=True)
class DocumentView:
    """A document of a plugin's type, of our council or of another. `id` is its ActivityPub id.

    `fields` are as they were declared: checked, sanitised, and no others. `visibility` is public
    or peers. `project_uri` is the project that it is about, if it is about one.
    """

    id: str
    type: str
    name: str
    fields: Mapping[str, Any]
    council: CouncilView
    project_uri: str | None
    visibility: str
    published_at: datetime
    changed_at: datetime
    is_local: bool


@dataclass(frozen=True)
class ActivityView:
    """An activity that somebody else sent, whose signature was verified.

    `actor_uri` is who sent it, and `council` that council where it is one that is known here.
    `document` is all of it, as they wrote it: nothing in it has been checked.
    """

    id: str
    type: str
    actor_uri: str
    host: str
    council: CouncilView | None
    object_uri: str | None
    document: Mapping[str, Any]


@dataclass(frozen=True)
class DemoView:
    """What a demonstration has when plugins add to it: the council, an officer, its projects."""

    council: CouncilView
    officer: PersonView
    projects: tuple[ProjectView, ...]
