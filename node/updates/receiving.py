"""Updates of other councils' projects, as their nodes tell us.

What is told is an upsert by id: repeats and disorder are harmless.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.digest import bucket_number
from federation.errors import FederationError
from federation.vocabulary import Note, id_of
from node.councils import service as councils
from node.councils.models import Council
from node.db import expire_rows, insert_into, insert_once, now
from node.federating import backfill, comparisons
from node.federating.models import RemoteTombstone
from node.messages import msg
from node.outages import is_outage
from node.projects.bucket_digests import invalidate
from node.projects.conflict_rules import effective_changed_at, select_applicable
from node.projects.details import Freshness, FreshnessDetails
from node.projects.models import Project, ProjectState
from node.runtime import Handlers, NotHandledError, ReceivedActivity, UnitOfWork
from node.updates import notifications, service
from node.updates.federate import RemoteUpdate, from_note
from node.updates.models import Update, UpdateState

log = structlog.get_logger(__name__)

# A statement takes so many values, and no more, on every database.
BATCH_SIZE = 500
SYNCED_COLUMNS = ("url", "content", "language", "revision")
UNKNOWN_PROJECT = "an update of a project that we do not know"


def receive_note(work: UnitOfWork, received: ReceivedActivity) -> None:
    """A Create or Update of a note, as its own origin gives it."""
    if received.document is None:
        raise NotHandledError(msg("an activity with no object"))
    told = from_note(Note.parse(received.document))
    if told is None:
        raise NotHandledError(msg("a note that is not an update about a project"))
    council = councils.by_actor_uri(work.session, received.activity.actor)
    if council is None or council.is_local:
        raise NotHandledError(UNKNOWN_PROJECT)
    left_out = upsert(work, council, [told])
    if left_out:
        if left_out[told.uri] == UNKNOWN_PROJECT and backfill.is_followed(
            work.session, council.actor
        ):
            comparisons.compare_unless_recent(work, council.actor_id)
        raise NotHandledError(left_out[told.uri])


def parse_update(document: Any) -> RemoteUpdate | None:
    """The update that somebody else's document describes; None for what is none."""
    try:
        return from_note(Note.parse(document))
    except FederationError as error:
        log.info("not an update", uri=str(id_of(document))[:300], why=str(error))
        return None


def upsert(
    work: UnitOfWork,
    council: Council,
    told: Sequence[RemoteUpdate],
    *,
    asked_at: datetime | None = None,
) -> dict[str, str]:
    """Keep what a council's node tells of updates of its own projects; those left out, and why.

    `asked_at`: when they were asked for at their origin; None: they were sent to us.
    """
    left_out: dict[str, str] = {}
    for start in range(0, len(told), BATCH_SIZE):
        portion = told[start : start + BATCH_SIZE]
        projects = _load_project_ids(work.session, council, portion)
        fitting, why_not = _select_storable(work, council, portion, projects, asked_at)
        before = notifications.find_known(work.session, fitting)
        left_out |= why_not | _store(work, council, fitting, projects)
        _store_freshness(work.session, fitting, projects)
        notifications.notify_received(work, fitting, before)
    return left_out


def _load_project_ids(
    session: Session, council: Council, told: Sequence[RemoteUpdate]
) -> dict[str, int]:
    """The projects of the council that these are of and that we show: row ids by their ids."""
    columns = Project.uri, Project.id, Project.council_id, Project.state
    # Asked by id alone: SQLite would look for the council's, and read them all.
    of_these = Project.uri.in_({one.project_uri for one in told})
    return {
        row.uri: row.id
        for row in session.execute(select(*columns).where(of_these))
        if row.council_id == council.id and row.state is ProjectState.published
    }


def _select_storable(
    work: UnitOfWork,
    council: Council,
    told: Sequence[RemoteUpdate],
    projects: dict[str, int],
    asked_at: datetime | None,
) -> tuple[list[RemoteUpdate], dict[str, str]]:
    session = work.session
    columns = Update.uri, Update.project_id, Update.state, Update.revision, Update.changed_at
    of_these = Update.uri.in_([one.uri for one in told])
    known = {row.uri: row for row in session.execute(select(*columns).where(of_these))}
    counted = Counter(_count_by_project(session, list(projects.values())))

    def misfit(one: RemoteUpdate, there: Any) -> str:
        project_id = projects.get(one.project_uri)
        if project_id is None:
            return UNKNOWN_PROJECT
        if there is not None:
            is_its = there.project_id == project_id
            return "" if is_its else "an update of another project"
        counted[project_id] += 1
        return "" if counted[project_id] <= service.MAX_PER_PROJECT else "one update too many"

    return select_applicable(work, council, told, known, misfit, asked_at)


def _count_by_project(session: Session, project_ids: list[int]) -> dict[int, int]:
    """How many updates each of these projects ever had."""
    mine = Update.project_id.in_(project_ids)
    query = select(Update.project_id, func.count()).where(mine).group_by(Update.project_id)
    return {row[0]: row[1] for row in session.execute(query)}


def _store(
    work: UnitOfWork, council: Council, told: Sequence[RemoteUpdate], projects: dict[str, int]
) -> dict[str, str]:
    """Write all in one statement. Should the database refuse what they say, each for itself: one
    bad document costs only itself. Raises what says nothing about them, for a later try.
    """
    if not told:
        return {}
    session = work.session
    rows = [_to_row(council, projects[one.project_uri], one) for one in told]
    invalidate(session, council.id, (row["bucket"] for row in rows))
    try:
        with session.begin_nested():
            _execute_upsert(session, rows)
    except Exception as error:
        if is_outage(error):
            raise
        if len(told) == 1:
            log.exception("an update could not be kept", uri=told[0].uri)
            return {told[0].uri: "the database does not take it"}
        left_out = (_store(work, council, [one], projects) for one in told)
        return {uri: why for found in left_out for uri, why in found.items()}
    return {}


def _to_row(council: Council, project_id: int, told: RemoteUpdate) -> dict[str, Any]:
    moment = effective_changed_at(told)
    row = {name: getattr(told, name) for name in SYNCED_COLUMNS}
    return row | {
        "uri": told.uri,
        "project_id": project_id,
        "author_id": council.actor_id,
        "bucket": bucket_number(told.uri),
        "state": UpdateState.published,
        "published_at": min(told.published_at or moment, now()),
        "changed_at": moment,
        "deleted_at": None,
    }


def _execute_upsert(session: Session, rows: list[dict[str, Any]]) -> None:
    table: Any = Update.__table__
    statement = insert_into(session, Update)
    written = ("state", "published_at", "changed_at", "deleted_at", *SYNCED_COLUMNS)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["uri"],
            set_={name: statement.excluded[name] for name in written},
            # Another project may have come first with it, a moment ago.
            where=table.c.project_id == statement.excluded.project_id,
        ),
        rows,
    )
    expire_rows(session, Update)


def _store_freshness(
    session: Session, told: Sequence[RemoteUpdate], projects: dict[str, int]
) -> None:
    """An update of a fresh project moves its next review, which its node says with the update and
    in no other way.
    """
    newest: dict[int, FreshnessDetails] = {}
    for one in told:
        if one.upkeep.freshness is Freshness.fresh and one.upkeep.confirmed_on:
            newest[projects[one.project_uri]] = one.upkeep
    if not newest:
        return
    fresh = Project.id.in_(newest), Project.freshness == Freshness.fresh
    for project in session.scalars(select(Project).where(*fresh)):
        said, known = newest[project.id], project.confirmed_on
        if said.confirmed_on and (known is None or known <= said.confirmed_on):
            project.review_on, project.confirmed_on = said.review_on, said.confirmed_on


def receive_delete(work: UnitOfWork, received: ReceivedActivity) -> None:
    """A Delete of an update by its council: it goes, and does not come back."""
    uri = id_of(received.activity.object)
    update = work.session.scalar(select(Update).where(Update.uri == uri))
    if update is None or update.author.uri != received.activity.actor or update.author.is_local:
        raise NotHandledError(msg("a deletion of something that does not belong to the sender"))
    insert_once(work.session, RemoteTombstone, uri=uri, actor_id=update.author_id, at=now())
    if update.state is not UpdateState.deleted:
        service.mark_deleted(update)
        work.audit("update.deleted-by-origin", update.uri)


def remove_missing(work: UnitOfWork, council: Council, uri: str, *, deleted: bool) -> bool:
    """Its origin no longer shows an update that we hold. `deleted`: it said so, and nothing that
    it sent before brings it back. Returns whether we had it.
    """
    mine = Update.uri == uri, Update.author_id == council.actor_id
    update = work.session.scalar(select(Update).where(*mine))
    if update is None or update.state is UpdateState.deleted:
        return False
    if deleted:
        insert_once(work.session, RemoteTombstone, uri=uri, actor_id=council.actor_id, at=now())
    service.mark_deleted(update)
    work.audit("update.gone-at-origin", update.uri)
    return True


HANDLERS: Handlers = {
    ("Create", "Note"): receive_note,
    ("Update", "Note"): receive_note,
    ("Delete", ""): receive_delete,
}
