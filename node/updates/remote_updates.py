"""Stores updates of other councils that were pushed to this server or fetched from their origin.

Objects are upserted by id, so repetition and disorder do no harm.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.council_digest import bucket_number
from federation.errors import FederationError
from federation.vocabulary import Note, id_of
from federation.vocabulary.activity_types import CREATE, DELETE, UPDATE
from federation.vocabulary.object_kinds import PROJECT_UPDATE
from node.councils import service as councils
from node.councils.models import Council
from node.database.tables import expire_rows, insert_into, insert_once, now
from node.federating.models import RemoteTombstone
from node.federating.peers import comparison_schedule
from node.federating.sync import backfill
from node.messages import msg
from node.outages import is_outage
from node.projects.bucket_digests import invalidate
from node.projects.details import Freshness, FreshnessDetails
from node.projects.models import Project, ProjectState
from node.projects.remote_precedence import effective_changed_at, select_applicable
from node.runtime import Handlers, NotHandledError, ReceivedActivity, Stored, UnitOfWork
from node.updates import notifications, service
from node.updates.federate import RemoteUpdate, from_note
from node.updates.models import Update, UpdateState

log = structlog.get_logger(__name__)

# Rows per statement, so that the number of bound values fits every database.
BATCH_SIZE = 500
SYNCED_COLUMNS = ("url", "content", "language", "revision")
UNKNOWN_PROJECT_REASON = "an update about an unknown project"


def receive_note(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle a Create or Update of a note by its own origin."""
    if received.document is None:
        raise NotHandledError(msg("an activity with no object"))
    update = from_note(Note.parse(received.document))
    if update is None:
        raise NotHandledError(msg("a note that is not an update about a project"))
    council = councils.by_actor_uri(work.session, received.activity.actor)
    if council is None or council.is_local:
        raise NotHandledError(UNKNOWN_PROJECT_REASON)
    rejected = upsert(work, council, [update])
    if rejected:
        if rejected[update.uri] == UNKNOWN_PROJECT_REASON and backfill.is_followed(
            work.session, council.actor
        ):
            comparison_schedule.compare_unless_recent(work, council.actor_id)
        raise NotHandledError(rejected[update.uri])


def parse_update(document: Any) -> RemoteUpdate | None:
    """The update that an untrusted document describes; None if it is not one."""
    try:
        return from_note(Note.parse(document))
    except FederationError as error:
        log.info("document is not an update", uri=str(id_of(document))[:300], why=str(error))
        return None


def upsert(
    work: UnitOfWork,
    council: Council,
    remote_updates: Sequence[RemoteUpdate],
    *,
    requested_at: datetime | None = None,
) -> dict[str, str]:
    """Store updates about a council's own projects as its node states them. Returns reasons by id
    for those rejected.

    `requested_at` is when they were requested from their origin; None if they were pushed.
    """
    rejected: dict[str, str] = {}
    for start in range(0, len(remote_updates), BATCH_SIZE):
        batch = remote_updates[start : start + BATCH_SIZE]
        project_ids = _load_project_ids(work.session, council, batch)
        applicable, reasons = _select_storable(work, council, batch, project_ids, requested_at)
        known_uris = notifications.find_known(work.session, applicable)
        rejected |= reasons | _store(work, council, applicable, project_ids)
        _store_freshness(work.session, applicable, project_ids)
        notifications.notify_received(work, applicable, known_uris)
    return rejected


def _load_project_ids(
    session: Session, council: Council, remote_updates: Sequence[RemoteUpdate]
) -> dict[str, int]:
    """Row ids, by ActivityPub id, of the published projects of the council that the updates are
    about.
    """
    columns = Project.uri, Project.id, Project.council_id, Project.state
    # Filters by id alone: with the council SQLite would pick another index and scan every project.
    condition = Project.uri.in_({remote.project_uri for remote in remote_updates})
    return {
        row.uri: row.id
        for row in session.execute(select(*columns).where(condition))
        if row.council_id == council.id and row.state is ProjectState.published
    }


def _select_storable(
    work: UnitOfWork,
    council: Council,
    remote_updates: Sequence[RemoteUpdate],
    project_ids: dict[str, int],
    requested_at: datetime | None,
) -> tuple[list[RemoteUpdate], dict[str, str]]:
    session = work.session
    columns = Update.uri, Update.project_id, Update.state, Update.revision, Update.changed_at
    condition = Update.uri.in_([remote.uri for remote in remote_updates])
    known = {row.uri: row for row in session.execute(select(*columns).where(condition))}
    counts = Counter(_count_by_project(session, list(project_ids.values())))

    def reject_reason(remote: RemoteUpdate, stored: Any) -> str:
        project_id = project_ids.get(remote.project_uri)
        if project_id is None:
            return UNKNOWN_PROJECT_REASON
        if stored is not None:
            is_same_project = stored.project_id == project_id
            return "" if is_same_project else "an update about another project"
        counts[project_id] += 1
        is_over_limit = counts[project_id] > service.MAX_PER_PROJECT
        return "the project has too many updates" if is_over_limit else ""

    return select_applicable(work, council, remote_updates, known, reject_reason, requested_at)


def _count_by_project(session: Session, project_ids: list[int]) -> dict[int, int]:
    """The number of updates, deleted ones included, by project row id."""
    condition = Update.project_id.in_(project_ids)
    query = select(Update.project_id, func.count()).where(condition).group_by(Update.project_id)
    return {row[0]: row[1] for row in session.execute(query)}


def _store(
    work: UnitOfWork,
    council: Council,
    remote_updates: Sequence[RemoteUpdate],
    project_ids: dict[str, int],
) -> dict[str, str]:
    """Write the updates in one statement. Returns the rejected ones: reason by id.

    If the database rejects the statement, each update is written by itself, so that one bad
    document rejects only itself. An outage of the database is raised, for a later attempt.
    """
    if not remote_updates:
        return {}
    session = work.session
    rows = [_to_row(council, project_ids[remote.project_uri], remote) for remote in remote_updates]
    invalidate(session, council.id, (row["bucket"] for row in rows))
    try:
        with session.begin_nested():
            _execute_upsert(session, rows)
    except Exception as error:
        if is_outage(error):
            raise
        if len(remote_updates) == 1:
            log.exception("storing an update failed", uri=remote_updates[0].uri)
            return {remote_updates[0].uri: "the database rejected it"}
        results = (_store(work, council, [remote], project_ids) for remote in remote_updates)
        return {uri: reason for result in results for uri, reason in result.items()}
    return {}


def _to_row(council: Council, project_id: int, remote: RemoteUpdate) -> dict[str, Any]:
    changed_at = effective_changed_at(remote)
    row = {name: getattr(remote, name) for name in SYNCED_COLUMNS}
    return row | {
        "uri": remote.uri,
        "project_id": project_id,
        "author_id": council.actor_id,
        "bucket": bucket_number(remote.uri),
        "state": UpdateState.published,
        "published_at": min(remote.published_at or changed_at, now()),
        "changed_at": changed_at,
        "deleted_at": None,
    }


def _execute_upsert(session: Session, rows: list[dict[str, Any]]) -> None:
    table: Any = Update.__table__
    statement = insert_into(session, Update)
    columns = ("state", "published_at", "changed_at", "deleted_at", *SYNCED_COLUMNS)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["uri"],
            set_={name: statement.excluded[name] for name in columns},
            # An update about another project may have taken this id meanwhile.
            where=table.c.project_id == statement.excluded.project_id,
        ),
        rows,
    )
    expire_rows(session, Update)


def _store_freshness(
    session: Session, remote_updates: Sequence[RemoteUpdate], project_ids: dict[str, int]
) -> None:
    """Move the review date of fresh projects: their node states it only with the update."""
    newest: dict[int, FreshnessDetails] = {}
    for remote in remote_updates:
        if (
            remote.freshness_details.freshness is Freshness.fresh
            and remote.freshness_details.confirmed_on
        ):
            newest[project_ids[remote.project_uri]] = remote.freshness_details
    if not newest:
        return
    is_fresh = Project.id.in_(newest), Project.freshness == Freshness.fresh
    for project in session.scalars(select(Project).where(*is_fresh)):
        stated, confirmed_on = newest[project.id], project.confirmed_on
        if stated.confirmed_on and (confirmed_on is None or confirmed_on <= stated.confirmed_on):
            project.review_on, project.confirmed_on = stated.review_on, stated.confirmed_on


def receive_delete(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle a Delete of an update by its council: it is removed, and no push can restore it."""
    uri = id_of(received.activity.object)
    update = work.session.scalar(select(Update).where(Update.uri == uri))
    if update is None or update.author.uri != received.activity.actor or update.author.is_local:
        raise NotHandledError(msg("a deletion of something that does not belong to the sender"))
    insert_once(work.session, RemoteTombstone, uri=uri, actor_id=update.author_id, at=now())
    if update.state is not UpdateState.deleted:
        service.mark_deleted(update)
        work.audit("update.deleted-by-origin", update.uri)


def remove_missing(work: UnitOfWork, council: Council, uri: str, *, deleted: bool) -> bool:
    """Remove an update that its origin no longer serves. Returns whether it was here.

    `deleted`: the origin says that it was deleted, so nothing that was sent before restores it.
    """
    conditions = Update.uri == uri, Update.author_id == council.actor_id
    update = work.session.scalar(select(Update).where(*conditions))
    if update is None or update.state is UpdateState.deleted:
        return False
    if deleted:
        insert_once(work.session, RemoteTombstone, uri=uri, actor_id=council.actor_id, at=now())
    service.mark_deleted(update)
    work.audit("update.gone-at-origin", update.uri)
    return True


HANDLERS = Handlers(
    {
        (CREATE, PROJECT_UPDATE): receive_note,
        (UPDATE, PROJECT_UPDATE): receive_note,
        (DELETE, PROJECT_UPDATE): receive_delete,
    },
    stores=(Stored(Update.uri, PROJECT_UPDATE),),
)
