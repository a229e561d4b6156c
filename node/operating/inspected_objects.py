"""Finds the row of any kind that an id identifies: a project, update, comment, plugin document,
actor, activity, message, report or tombstone.

The rows belong to their own rooms and are only read here, so that an operator can look up any of
them in one place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.origin import host_of
from node.access.visibility import Visibility
from node.conversations.models import Comment
from node.councils.models import Council
from node.errors import NotFoundError
from node.federating.models import Actor, InboxItem, OutboxActivity, RemoteTombstone
from node.federating.peers import service as peers
from node.messages import msg
from node.moderation.models import Report
from node.plugin_documents.models import WITHDRAWN, PluginDocument
from node.projects.models import Project
from node.settings import Settings
from node.updates.models import Update


@dataclass(frozen=True)
class InspectedObject:
    """An object that an operator asked about.

    `kind`: project, update, comment, document, actor, activity, message, report, or gone.
    `state` is the state of its row.

    `audience` (public, peers, private, direct) matters if the object is ours to share;
    `sender_uris` are the ids of the actors whose followers get it. `is_forwarded`: another
    server's object that a project of ours announces. `published_at` is when it was first shared,
    None for a draft. `details` holds further columns, as JSON.
    """

    uri: str
    kind: str
    title: str
    state: str
    is_local: bool
    url: str = ""
    audience: str = "public"
    published_at: datetime | None = None
    sender_uris: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    is_forwarded: bool = False

    @property
    def origin(self) -> str:
        """The host of the object's id."""
        return host_of(self.uri)


def find_object(session: Session, settings: Settings, identifier: str) -> InspectedObject:
    """Find an object by `named`: its id, the address of its page here, or `@name@host`.

    Raises `NotFoundError` if this node has no record of it.
    """
    uri = _resolve_uri(session, settings, identifier.strip())
    for find in FINDERS:
        subject = find(session, uri)
        if subject is not None:
            return subject
    raise NotFoundError(msg("This server has no record of %(named)s.", named=identifier.strip()))


def parse_host(text: str) -> str:
    """The host in a person's input: a host name, an address on the host or `@name@host`.

    Raises `InvalidInputError` if the input names no host.
    """
    text = text.strip().rpartition("@")[2]
    return peers.normalise_host(text.partition("://")[2].partition("/")[0] or text)


def _resolve_uri(session: Session, settings: Settings, identifier: str) -> str:
    """The id that a person's input stands for; the input itself if it is not resolved."""
    username, _, host = identifier.removeprefix("@").partition("@")
    if host and "/" not in identifier:
        query = select(Actor.uri).where(Actor.username == username, Actor.host == host.lower())
        return session.scalar(query) or identifier
    page_prefix = f"{settings.base_url}/projects/"
    if identifier.startswith(page_prefix):  # our page of another council's project is not its id
        token = identifier.removeprefix(page_prefix)
        return session.scalar(select(Project.uri).where(Project.token == token)) or identifier
    return identifier


def _find_project(session: Session, uri: str) -> InspectedObject | None:
    row = session.scalar(select(Project).where(Project.uri == uri))
    if row is None:
        return None
    is_shared = row.published_at is not None or not row.is_draft
    return InspectedObject(
        uri=uri,
        kind="project",
        title=row.title,
        state=row.state.value,
        is_local=row.is_local,
        url=row.url,
        audience=row.visibility.value,
        published_at=(row.published_at or row.created_at) if is_shared else None,
        sender_uris=_sender_uris(row, row.council.actor),
        details={
            "council": row.council.actor.uri,
            "phase": row.phase.value,
            "version": row.version,
            "revision": row.revision,
            "group": row.actor.uri if row.actor else None,
            "changed_at": row.changed_at,
            "deleted_at": row.deleted_at,
        },
    )


def _find_update(session: Session, uri: str) -> InspectedObject | None:
    row = session.scalar(select(Update).where(Update.uri == uri))
    if row is None:
        return None
    return InspectedObject(
        uri=uri,
        kind="update",
        title=row.project.title,
        state=row.state.value,
        is_local=row.author.is_local,
        url=row.url,
        audience=_audience_of(row.project.visibility),
        published_at=row.published_at,
        sender_uris=_sender_uris(row.project, row.author),
        details={"project": row.project.uri, "author": row.author.uri, "version": row.version},
    )


def _find_comment(session: Session, uri: str) -> InspectedObject | None:
    row = session.scalar(select(Comment).where(Comment.uri == uri))
    if row is None:
        return None
    return InspectedObject(
        uri=uri,
        kind="comment",
        title=row.project.title,
        state=row.state.value,
        is_local=row.author.is_local,
        url=row.url,
        audience=_audience_of(row.project.visibility),
        published_at=row.published_at,
        sender_uris=_sender_uris(row.project, row.author),
        details={
            "project": row.project.uri,
            "author": row.author.uri,
            "in_reply_to": row.in_reply_to,
            "received_at": row.received_at,
        },
        is_forwarded=row.project.is_local and not row.author.is_local,
    )


def _find_document(session: Session, uri: str) -> InspectedObject | None:
    row = session.scalar(select(PluginDocument).where(PluginDocument.uri == uri))
    if row is None:
        return None
    return InspectedObject(
        uri=uri,
        kind="document",
        title=row.name,
        state="deleted" if row.state == WITHDRAWN else row.state,
        is_local=row.is_local,
        url=uri,
        audience=row.visibility,
        published_at=row.published_at,
        sender_uris=(row.council.actor.uri,),
        details={
            "type": row.type,
            "plugin": row.plugin,
            "council": row.council.actor.uri,
            "project": row.project_uri,
            "revision": row.revision,
            "changed_at": row.changed_at,
            "deleted_at": row.deleted_at,
        },
    )


def _find_actor(session: Session, uri: str) -> InspectedObject | None:
    row = session.scalar(select(Actor).where(Actor.uri == uri))
    if row is None:
        return None
    council = session.scalar(select(Council).where(Council.actor_id == row.id))
    return InspectedObject(
        uri=uri,
        kind="actor",
        title=row.name,
        state="moved" if row.moved_to else "known",
        is_local=row.is_local,
        url=row.url,
        published_at=row.fetched_at,
        sender_uris=(uri,),
        details={
            "type": row.kind,
            "address": row.address,
            "inbox": row.inbox,
            "shared_inbox": row.shared_inbox,
            "keys": [key.key_id for key in row.keys],
            "also_known_as": row.also_known_as,
            "moved_to": row.moved_to,
            "gss_code": council.gss_code if council else None,
            "fetched_at": row.fetched_at,
        },
    )


def _find_activity(session: Session, uri: str) -> InspectedObject | None:
    row = session.scalar(select(OutboxActivity).where(OutboxActivity.uri == uri))
    if row is None:
        return None
    return InspectedObject(
        uri=uri,
        kind="activity",
        title=row.type,
        state="sent",
        is_local=True,
        audience=row.audience,
        published_at=row.created_at,
        sender_uris=(row.actor.uri,),
        details={"type": row.type, "actor": row.actor.uri, "object": row.object_uri},
    )


def _find_message(session: Session, uri: str) -> InspectedObject | None:
    row = session.scalar(select(InboxItem).where(InboxItem.uri == uri))
    if row is None:
        return None
    return InspectedObject(
        uri=uri,
        kind="message",
        title=row.type,
        state=row.state,
        is_local=False,
        details={
            "type": row.type,
            "actor": row.actor_uri,
            "received_at": row.received_at,
            "forwarded_by": row.forwarded_by,
            "outcome": row.outcome,
        },
    )


def _find_report(session: Session, uri: str) -> InspectedObject | None:
    row = session.scalar(select(Report).where(Report.uri == uri))
    if row is None:
        return None
    return InspectedObject(
        uri=uri,
        kind="report",
        title=row.words[:100],
        state=row.state.value,
        is_local=False,
        details={"about": row.about, "received_at": row.received_at, "decision": row.decision},
    )


def _find_deleted(session: Session, uri: str) -> InspectedObject | None:
    at = session.scalar(select(RemoteTombstone.at).where(RemoteTombstone.uri == uri).limit(1))
    if at is None:
        return None
    return InspectedObject(
        uri, kind="gone", title="", state="deleted", is_local=False, details={"deleted_at": at}
    )


FINDERS: tuple[Callable[[Session, str], InspectedObject | None], ...] = (
    _find_project,
    _find_update,
    _find_comment,
    _find_document,
    _find_actor,
    _find_activity,
    _find_message,
    _find_report,
    _find_deleted,
)


def _audience_of(visibility: Visibility) -> str:
    """Updates and comments have the audience of their project."""
    return visibility.value


def _sender_uris(project: Project, author: Actor) -> tuple[str, ...]:
    """The actors whose followers get an object: its author and, if it has one, the project's."""
    return (author.uri, project.actor.uri) if project.actor else (author.uri,)
