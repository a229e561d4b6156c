"""Projects of other councils, as their nodes tell us.

What is told is an upsert by id: repeats and disorder are harmless.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

import structlog
from sqlalchemy import Insert, bindparam, case, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from federation.digest import bucket_number
from federation.errors import FederationError
from federation.origin import same_origin
from federation.vocabulary import Article, id_of
from node.councils import service as councils
from node.councils.models import Council
from node.db import expire_rows, insert_once, now
from node.events.service import record_event
from node.federating.models import Actor, Follow, RemoteTombstone
from node.messages import msg
from node.outages import is_outage
from node.projects import bucket_digests, federation_events, notifications, reindex_queue, relations
from node.projects.conflict_rules import effective_changed_at, select_applicable
from node.projects.federate import RemoteProject, from_article
from node.projects.models import DENORMALISED, Phase, Project, ProjectState, denormalise
from node.projects.plugin_view import to_plugin_view
from node.runtime import Handlers, NotHandledError, ReceivedActivity, UnitOfWork

log = structlog.get_logger(__name__)

# A statement takes so many values, and no more, on every database.
BATCH_SIZE = 500
# Of one council so many are kept: more than a whole country has. Those deleted count, too.
MAX_PER_COUNCIL = 200_000
# What is asked of the projects that there are.
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
    """A Create or Update of an article, as its own origin gives it."""
    if received.document is None:
        raise NotHandledError(msg("an activity with no object"))
    told = from_article(Article.parse(received.document))
    if told is None:
        raise NotHandledError(msg("an article that is not a project"))
    council = require_followed_council(work.session, received.activity.actor)
    left_out = upsert(work, council, [told])
    if left_out:
        raise NotHandledError(left_out[told.uri])


def parse_project(document: Any) -> RemoteProject | None:
    """The project that somebody else's document describes; None for what is none."""
    if not isinstance(document, dict):
        return None
    try:
        return from_article(Article.parse(document))
    except FederationError as error:
        log.info("not a project", uri=str(id_of(document))[:300], why=str(error))
        return None


def upsert(
    work: UnitOfWork,
    council: Council,
    told: Sequence[RemoteProject],
    *,
    asked_at: datetime | None = None,
) -> dict[str, str]:
    """Keep what a council's node tells of projects of its own; those left out, and why.

    `asked_at`: when they were asked for at their origin; None: they were sent to us.
    """
    left_out: dict[str, str] = {}
    for start in range(0, len(told), BATCH_SIZE):
        portion = told[start : start + BATCH_SIZE]
        fitting, why_not, before = _select_storable(work, council, portion, asked_at)
        left_out |= why_not | _store(work, council, fitting)
        notifications.record_received(work, fitting, before)
    return left_out


def _select_storable(
    work: UnitOfWork,
    council: Council,
    told: Sequence[RemoteProject],
    asked_at: datetime | None,
) -> tuple[list[RemoteProject], dict[str, str], dict[str, Phase]]:
    """Those to be written, those left out and why, and the phases of those shown here so far."""
    uris = {"uris": [one.uri for one in told]}
    known = {row.uri: row for row in work.session.execute(SELECT_KNOWN, uris)}
    phases = {row.uri: row.phase for row in known.values() if row.state is ProjectState.published}
    new = len(told) - len(known)
    has_room = not new or _is_within_limit(work.session, council, new)

    def misfit(_one: RemoteProject, there: Any) -> str:
        if there is None:
            return "" if has_room else "one project too many"
        return "" if there.council_id == council.id else "a project of somebody else"

    return (*select_applicable(work, council, told, known, misfit, asked_at), phases)


def _is_within_limit(session: Session, council: Council, new: int) -> bool:
    # No council has more than there are of all: counting reads as much as a council has.
    if (session.scalar(select(func.max(Project.id))) or 0) + new <= MAX_PER_COUNCIL:
        return True
    kept = select(func.count(Project.id)).where(Project.council_id == council.id)
    return (session.scalar(kept) or 0) + new <= MAX_PER_COUNCIL


def _store(work: UnitOfWork, council: Council, told: Sequence[RemoteProject]) -> dict[str, str]:
    """Write all in one statement. Should the database refuse what they say, each for itself: one
    bad document costs only itself. Raises what says nothing about them, for a later try.
    """
    if not told:
        return {}
    session = work.session
    rows = [_to_row(council, one) for one in told]
    bucket_digests.invalidate(session, council.id, (row["bucket"] for row in rows))
    try:
        with session.begin_nested():
            _execute_upsert(session, rows)
            reindex_queue.enqueue(session, [one.uri for one in told])
    except Exception as error:
        if is_outage(error):
            raise
        if len(told) == 1:
            log.exception("a project could not be kept", uri=told[0].uri)
            return {told[0].uri: "the database does not take it"}
        return {uri: why for one in told for uri, why in _store(work, council, [one]).items()}
    relations.save_relations(work, {one.uri: one.details.related for one in told})
    return {}


def _to_row(council: Council, told: RemoteProject) -> dict[str, Any]:
    moment = effective_changed_at(told)
    row = {name: getattr(told, name) for name in SYNCED_COLUMNS}
    return (
        row
        | denormalise(told.details)
        | {
            "uri": told.uri,
            "council_id": council.id,
            "bucket": bucket_number(told.uri),
            "state": ProjectState.published,
            "published_at": told.published_at or moment,
            "changed_at": moment,
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
    written = ("state", "changed_at", "deleted_at", *SYNCED_COLUMNS, *DENORMALISED)
    # What comes back brings what was said about it.
    was_shown = table.c.state == ProjectState.published
    read_at = case((was_shown, table.c.conversation_read_at), else_=None)
    return statement.on_conflict_do_update(
        index_elements=["uri"],
        set_={name: statement.excluded[name] for name in written}
        | {"conversation_read_at": read_at},
        # Another council may have come first with it, a moment ago.
        where=table.c.council_id == statement.excluded.council_id,
    )


def receive_delete(work: UnitOfWork, received: ReceivedActivity) -> None:
    """A Delete of anything by its own origin: a project of theirs goes, and does not come back."""
    activity = received.activity
    uri = id_of(activity.object)
    if uri is None or not same_origin(uri, activity.actor):
        raise NotHandledError(msg("a deletion of something that does not belong to the sender"))
    project = work.session.scalar(select(Project).where(Project.uri == uri))
    if project is None and received.is_unverified:
        raise NotHandledError(msg("a deletion of something this server does not have"))
    council = project.council if project else require_followed_council(work.session, activity.actor)
    if council.actor.uri != activity.actor:
        raise NotHandledError(msg("a deletion of something that does not belong to the sender"))
    insert_once(work.session, RemoteTombstone, uri=uri, actor_id=council.actor_id, at=now())
    if project is not None:
        remove(work, project, "project.deleted-by-origin")


def remove_missing(work: UnitOfWork, council: Council, uri: str, *, deleted: bool) -> bool:
    """Its origin no longer shows a project that we hold. `deleted`: it said so, and nothing that
    it sent before brings it back. Returns whether we had it.
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
    """Another council's project goes, and what was written in it."""
    if project.state is not ProjectState.deleted:
        work.node.hooks.project_deleted(work, to_plugin_view(project))
        project.state, project.deleted_at = ProjectState.deleted, now()
        project.erase()
        federation_events.withdraw_related(work, project)
        record_event(work, notifications.DELETED, project_id=project.id)
        work.audit(action, project.uri)


def on_actor_deleted(work: UnitOfWork, actor: Actor, most: int) -> bool:
    """The account of a council on another server is deleted: up to `most` of its projects go, with
    their updates. True if there may be more.
    """
    theirs = (
        Project.council.has(Council.actor_id == actor.id),
        Project.state != ProjectState.deleted,
    )
    found = work.session.scalars(select(Project).where(*theirs).limit(most)).all()
    for project in found:
        remove(work, project, "project.deleted-with-its-council")
    return len(found) == most


def require_followed_council(session: Session, actor_uri: str) -> Council:
    """The council with this actor, if ours follows it or has asked to."""
    council = councils.by_actor_uri(session, actor_uri)
    if council is None or council.is_local:
        raise NotHandledError(msg("from a council we do not follow"))
    if session.scalar(SELECT_FOLLOW, {"actor_id": council.actor_id}) is None:
        raise NotHandledError(msg("from a council we do not follow"))
    return council


HANDLERS: Handlers = {
    ("Create", "Article"): receive_article,
    ("Update", "Article"): receive_article,
    ("Delete", ""): receive_delete,
}
