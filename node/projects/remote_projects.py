"""Stores projects of other councils that were pushed to this server or fetched from their origin.

Objects are upserted by id, so repetition and disorder do no harm.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

import structlog
from sqlalchemy import Insert, bindparam, case, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from federation.council_digest import bucket_number
from federation.errors import FederationError
from federation.vocabulary import Article, id_of
from federation.vocabulary.activity_types import CREATE, DELETE, UPDATE
from federation.vocabulary.object_kinds import PROJECT
from node.councils import service as councils
from node.councils.models import Council
from node.database.tables import expire_rows, insert_once, now
from node.federating.models import Actor, Follow, RemoteTombstone
from node.federating.peers.actor_deletions import Erasure
from node.messages import msg
from node.notification_events.service import record_event
from node.outages import is_outage
from node.projects import bucket_digests, notifications, reindex_queue, relations
from node.projects.events import AudienceNarrowed
from node.projects.federate import RemoteProject, from_article
from node.projects.models import DENORMALISED_COLUMNS, Phase, Project, ProjectState, denormalise
from node.projects.plugin_data import to_project_info
from node.projects.remote_precedence import effective_changed_at, select_applicable
from node.runtime import Handlers, NotHandledError, ReceivedActivity, Stored, UnitOfWork

log = structlog.get_logger(__name__)

# Rows per statement, so that the number of bound values fits every database.
BATCH_SIZE = 500
# Projects stored of one council, deleted ones included: more than a whole country has.
MAX_PER_COUNCIL = 200_000
# The stored rows that received projects are compared with.
SELECT_KNOWN = select(
    Project.uri,
    Project.council_id,
    Project.state,
    Project.phase,
    Project.revision,
    Project.changed_at,
).where(Project.uri.in_(bindparam("uris", expanding=True)))
SELECT_FOLLOW = select(Follow.id).where(
    Follow.followed_id == bindparam("actor_id"), Follow.state != "rejected"
)
SYNCED_COLUMNS = (
    "url",
    "title",
    "summary",
    "phase",
    "content",
    "visibility",
    "language",
    "translations",
    "licence",
    "details",
    "freshness",
    "review_on",
    "confirmed_on",
    "archived_on",
    "revision",
    "published_at",
)


def receive_article(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle a Create or Update of an article by its own origin."""
    if received.document is None:
        raise NotHandledError(msg("an activity with no object"))
    project = from_article(Article.parse(received.document))
    if project is None:
        raise NotHandledError(msg("an article that is not a project"))
    council = require_followed_council(work.session, received.activity.actor)
    rejected = upsert(work, council, [project])
    if rejected:
        raise NotHandledError(rejected[project.uri])


def parse_project(document: Any) -> RemoteProject | None:
    """The project that an untrusted document describes; None if it is not one."""
    if not isinstance(document, dict):
        return None
    try:
        return from_article(Article.parse(document))
    except FederationError as error:
        log.info("document is not a project", uri=str(id_of(document))[:300], why=str(error))
        return None


def upsert(
    work: UnitOfWork,
    council: Council,
    remote_projects: Sequence[RemoteProject],
    *,
    requested_at: datetime | None = None,
) -> dict[str, str]:
    """Store projects of a council as its node states them. Returns the rejected ones: reason by id.

    `requested_at` is when they were requested from their origin; None if they were pushed.
    """
    rejected: dict[str, str] = {}
    for start in range(0, len(remote_projects), BATCH_SIZE):
        batch = remote_projects[start : start + BATCH_SIZE]
        applicable, reasons, phases = _select_storable(work, council, batch, requested_at)
        rejected |= reasons | _store(work, council, applicable)
        notifications.notify_received(work, applicable, phases)
    return rejected


def _select_storable(
    work: UnitOfWork,
    council: Council,
    remote_projects: Sequence[RemoteProject],
    requested_at: datetime | None,
) -> tuple[list[RemoteProject], dict[str, str], dict[str, Phase]]:
    """The projects to write, the rejected ones with reasons, and the phases published so far."""
    params = {"uris": [remote.uri for remote in remote_projects]}
    known = {row.uri: row for row in work.session.execute(SELECT_KNOWN, params)}
    phases = {row.uri: row.phase for row in known.values() if row.state is ProjectState.published}
    new_count = len(remote_projects) - len(known)
    has_room = not new_count or _is_within_limit(work.session, council, new_count)

    def reject_reason(_remote: RemoteProject, stored: Any) -> str:
        if stored is None:
            return "" if has_room else "the council has too many projects"
        return "" if stored.council_id == council.id else "the project belongs to another council"

    return (
        *select_applicable(work, council, remote_projects, known, reject_reason, requested_at),
        phases,
    )


def _is_within_limit(session: Session, council: Council, new_count: int) -> bool:
    # The highest id is an upper bound: counting the council's projects would scan them all.
    if (session.scalar(select(func.max(Project.id))) or 0) + new_count <= MAX_PER_COUNCIL:
        return True
    query = select(func.count(Project.id)).where(Project.council_id == council.id)
    return (session.scalar(query) or 0) + new_count <= MAX_PER_COUNCIL


def _store(
    work: UnitOfWork, council: Council, remote_projects: Sequence[RemoteProject]
) -> dict[str, str]:
    """Write the projects in one statement. Returns the rejected ones: reason by id.

    If the database rejects the statement, each project is written by itself, so that one bad
    document rejects only itself. An outage of the database is raised, for a later attempt.
    """
    if not remote_projects:
        return {}
    session = work.session
    rows = [_to_row(council, remote) for remote in remote_projects]
    bucket_digests.invalidate(session, council.id, (row["bucket"] for row in rows))
    try:
        with session.begin_nested():
            _execute_upsert(session, rows)
            reindex_queue.enqueue(session, [remote.uri for remote in remote_projects])
    except Exception as error:
        if is_outage(error):
            raise
        if len(remote_projects) == 1:
            log.exception("storing a project failed", uri=remote_projects[0].uri)
            return {remote_projects[0].uri: "the database rejected it"}
        return {
            uri: reason
            for remote in remote_projects
            for uri, reason in _store(work, council, [remote]).items()
        }
    relations.save_relations(
        work, {remote.uri: remote.details.related for remote in remote_projects}
    )
    return {}


def _to_row(council: Council, remote: RemoteProject) -> dict[str, Any]:
    changed_at = effective_changed_at(remote)
    row = {name: getattr(remote, name) for name in SYNCED_COLUMNS}
    return (
        row
        | denormalise(remote.details)
        | {
            "uri": remote.uri,
            "council_id": council.id,
            "bucket": bucket_number(remote.uri),
            "state": ProjectState.published,
            "published_at": remote.published_at or changed_at,
            "changed_at": changed_at,
            "deleted_at": None,
            "conversation_read_at": None,
        }
    )


def _execute_upsert(session: Session, rows: list[dict[str, Any]]) -> None:
    session.connection().execute(_upsert_statement(session.get_bind().dialect.name), rows)
    expire_rows(session, Project)


@cache
def _upsert_statement(dialect: str) -> Insert:
    table: Any = Project.__table__
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    columns = ("state", "changed_at", "deleted_at", *SYNCED_COLUMNS, *DENORMALISED_COLUMNS)
    # Comments on a project that is published again are fetched again.
    was_published = table.c.state == ProjectState.published
    read_at = case((was_published, table.c.conversation_read_at), else_=None)
    return statement.on_conflict_do_update(
        index_elements=["uri"],
        set_={name: statement.excluded[name] for name in columns}
        | {"conversation_read_at": read_at},
        # Another council may have inserted a project with this id meanwhile.
        where=table.c.council_id == statement.excluded.council_id,
    )


def receive_delete(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle a Delete by the origin: a project of theirs is removed, and cannot come back by a
    push.
    """
    uri = received.activity.object_id
    project = work.session.scalar(select(Project).where(Project.uri == uri))
    if project is None or project.council.actor.uri != received.activity.actor:
        raise NotHandledError(msg("a deletion of something that does not belong to the sender"))
    actor_id = project.council.actor_id
    insert_once(work.session, RemoteTombstone, uri=uri, actor_id=actor_id, at=now())
    remove(work, project, "project.deleted-by-origin")


def remove_missing(work: UnitOfWork, council: Council, uri: str, *, deleted: bool) -> bool:
    """Remove a project that its origin no longer serves. Returns whether it was here.

    `deleted`: the origin says that it was deleted, so nothing that was sent before restores it.
    """
    project = work.session.scalar(
        select(Project).where(Project.uri == uri, Project.council_id == council.id)
    )
    if project is None or project.state is ProjectState.deleted:
        return False
    if deleted:
        insert_once(work.session, RemoteTombstone, uri=uri, actor_id=council.actor_id, at=now())
    remove(work, project, "project.gone-at-origin")
    return True


def remove(work: UnitOfWork, project: Project, action: str) -> None:
    """Delete a remote project: erase its text and withdraw what was written about it."""
    if project.state is not ProjectState.deleted:
        work.node.hooks.project_deleted(work, to_project_info(project))
        project.state, project.deleted_at = ProjectState.deleted, now()
        project.erase()
        work.emit(AudienceNarrowed(project.id))
        record_event(work, notifications.DELETED, project_id=project.id)
        work.audit(action, project.uri)


def _erase_projects_of(work: UnitOfWork, actor: Actor, limit: int) -> bool:
    """Remove up to `limit` projects of a council on another server whose account was deleted.

    Returns True if there may be more.
    """
    conditions = (
        Project.council.has(Council.actor_id == actor.id),
        Project.state != ProjectState.deleted,
    )
    projects = work.session.scalars(select(Project).where(*conditions).limit(limit)).all()
    for project in projects:
        remove(work, project, "project.deleted-with-its-council")
    return len(projects) == limit


ERASE_PROJECTS = Erasure("erase-projects", _erase_projects_of)


def require_followed_council(session: Session, actor_uri: str) -> Council:
    """The council with this actor, if ours follows it or has requested to. Raises
    `NotHandledError`.
    """
    council = councils.by_actor_uri(session, actor_uri)
    if council is None or council.is_local:
        raise NotHandledError(msg("from a council we do not follow"))
    if session.scalar(SELECT_FOLLOW, {"actor_id": council.actor_id}) is None:
        raise NotHandledError(msg("from a council we do not follow"))
    return council


HANDLERS = Handlers(
    {
        (CREATE, PROJECT): receive_article,
        (UPDATE, PROJECT): receive_article,
        (DELETE, PROJECT): receive_delete,
    },
    stores=(Stored(Project.uri, PROJECT),),
)
