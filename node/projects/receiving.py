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

from federation.digest import bucket_of
from federation.errors import FederationError
from federation.origin import same_origin
from federation.vocabulary import Article, id_of
from node.councils import service as councils
from node.councils.models import Council
from node.db import expire, insert_once, now
from node.federating.models import Actor, Deleted, Follow
from node.news.service import tell
from node.outages import is_outage
from node.projects import digests, marks, news, relating, telling
from node.projects.federate import RemoteProject, from_article
from node.projects.models import REPEATED, Phase, Project, State, repeated
from node.projects.sifting import changed_at, sift
from node.projects.viewing import as_view
from node.runtime import Handlers, NotForUsError, Received, UnitOfWork
from node.wording import say

log = structlog.get_logger(__name__)

# A statement takes so many values, and no more, on every database.
PORTION = 500
# Of one council so many are kept: more than a whole country has. Those deleted count, too.
MOST_OF_COUNCIL = 200_000
# What is asked of the projects that there are.
KNOWN = select(
    Project.uri,
    Project.council_id,
    Project.state,
    Project.phase,
    Project.revision,
    Project.changed_at,
).where(Project.uri.in_(bindparam("uris", expanding=True)))
FOLLOWED = select(Follow.id).where(
    Follow.followed_id == bindparam("actor_id"), Follow.state != "rejected"
)
TOLD = (
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


def receive_article(work: UnitOfWork, received: Received) -> None:
    """A Create or Update of an article, as its own origin gives it."""
    if received.document is None:
        raise NotForUsError(say("an activity with no object"))
    told = from_article(Article.parse(received.document))
    if told is None:
        raise NotForUsError(say("an article that is not a project"))
    council = followed_council(work.session, received.activity.actor)
    left_out = keep(work, council, [told])
    if left_out:
        raise NotForUsError(left_out[told.uri])


def read(document: Any) -> RemoteProject | None:
    """The project that somebody else's document describes; None for what is none."""
    if not isinstance(document, dict):
        return None
    try:
        return from_article(Article.parse(document))
    except FederationError as error:
        log.info("not a project", uri=str(id_of(document))[:300], why=str(error))
        return None


def keep(
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
    for start in range(0, len(told), PORTION):
        portion = told[start : start + PORTION]
        fitting, why_not, before = _fitting(work, council, portion, asked_at)
        left_out |= why_not | _store(work, council, fitting)
        news.received(work, fitting, before)
    return left_out


def _fitting(
    work: UnitOfWork,
    council: Council,
    told: Sequence[RemoteProject],
    asked_at: datetime | None,
) -> tuple[list[RemoteProject], dict[str, str], dict[str, Phase]]:
    """Those to be written, those left out and why, and the phases of those shown here so far."""
    uris = {"uris": [one.uri for one in told]}
    known = {row.uri: row for row in work.session.execute(KNOWN, uris)}
    phases = {row.uri: row.phase for row in known.values() if row.state is State.published}
    new = len(told) - len(known)
    has_room = not new or _has_room(work.session, council, new)

    def misfit(_one: RemoteProject, there: Any) -> str:
        if there is None:
            return "" if has_room else "one project too many"
        return "" if there.council_id == council.id else "a project of somebody else"

    return (*sift(work, council, told, known, misfit, asked_at), phases)


def _has_room(session: Session, council: Council, new: int) -> bool:
    # No council has more than there are of all: counting reads as much as a council has.
    if (session.scalar(select(func.max(Project.id))) or 0) + new <= MOST_OF_COUNCIL:
        return True
    kept = select(func.count(Project.id)).where(Project.council_id == council.id)
    return (session.scalar(kept) or 0) + new <= MOST_OF_COUNCIL


def _store(work: UnitOfWork, council: Council, told: Sequence[RemoteProject]) -> dict[str, str]:
    """Write all in one statement. Should the database refuse what they say, each for itself: one
    bad document costs only itself. Raises what says nothing about them, for a later try.
    """
    if not told:
        return {}
    session = work.session
    rows = [_row(council, one) for one in told]
    digests.touch(session, council.id, (row["bucket"] for row in rows))
    try:
        with session.begin_nested():
            _upsert(session, rows)
            marks.by_uri(session, [one.uri for one in told])
    except Exception as error:
        if is_outage(error):
            raise
        if len(told) == 1:
            log.exception("a project could not be kept", uri=told[0].uri)
            return {told[0].uri: "the database does not take it"}
        return {uri: why for one in told for uri, why in _store(work, council, [one]).items()}
    relating.note(work, {one.uri: one.details.related for one in told})
    return {}


def _row(council: Council, told: RemoteProject) -> dict[str, Any]:
    moment = changed_at(told)
    row = {name: getattr(told, name) for name in TOLD}
    return (
        row
        | repeated(told.details)
        | {
            "uri": told.uri,
            "council_id": council.id,
            "bucket": bucket_of(told.uri),
            "state": State.published,
            "published_at": told.published_at or moment,
            "changed_at": moment,
            "deleted_at": None,
            "conversation_read_at": None,
        }
    )


def _upsert(session: Session, rows: list[dict[str, Any]]) -> None:
    session.connection().execute(_upserting(session.get_bind().dialect.name), rows)
    expire(session, Project)


@cache
def _upserting(dialect: str) -> Insert:
    table: Any = Project.__table__
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    written = ("state", "changed_at", "deleted_at", *TOLD, *REPEATED)
    # What comes back brings what was said about it.
    was_shown = table.c.state == State.published
    read_at = case((was_shown, table.c.conversation_read_at), else_=None)
    return statement.on_conflict_do_update(
        index_elements=["uri"],
        set_={name: statement.excluded[name] for name in written}
        | {"conversation_read_at": read_at},
        # Another council may have come first with it, a moment ago.
        where=table.c.council_id == statement.excluded.council_id,
    )


def receive_delete(work: UnitOfWork, received: Received) -> None:
    """A Delete of anything by its own origin: a project of theirs goes, and does not come back."""
    activity = received.activity
    uri = id_of(activity.object)
    if uri is None or not same_origin(uri, activity.actor):
        raise NotForUsError(say("a deletion of something that does not belong to the sender"))
    project = work.session.scalar(select(Project).where(Project.uri == uri))
    if project is None and received.is_hearsay:
        raise NotForUsError(say("a deletion of something this server does not have"))
    council = project.council if project else followed_council(work.session, activity.actor)
    if council.actor.uri != activity.actor:
        raise NotForUsError(say("a deletion of something that does not belong to the sender"))
    insert_once(work.session, Deleted, uri=uri, actor_id=council.actor_id, at=now())
    if project is not None:
        remove(work, project, "project.deleted-by-origin")


def gone(work: UnitOfWork, council: Council, uri: str, *, deleted: bool) -> bool:
    """Its origin no longer shows a project that we hold. `deleted`: it said so, and nothing that
    it sent before brings it back. Returns whether we had it.
    """
    project = work.session.scalar(
        select(Project).where(Project.uri == uri, Project.council_id == council.id)
    )
    if project is None or project.state is State.deleted:
        return False
    if deleted:
        insert_once(work.session, Deleted, uri=uri, actor_id=council.actor_id, at=now())
    remove(work, project, "project.gone-at-origin")
    return True


def remove(work: UnitOfWork, project: Project, action: str) -> None:
    """Another council's project goes, and what was written in it."""
    if project.state is not State.deleted:
        work.node.hooks.project_deleted(work, as_view(project))
        project.state, project.deleted_at = State.deleted, now()
        project.erase()
        telling.withdraw_parts(work, project)
        tell(work, news.DELETED, project_id=project.id)
        work.audit(action, project.uri)


def remove_all_of(work: UnitOfWork, actor: Actor, most: int) -> bool:
    """The account of a council on another server is deleted: up to `most` of its projects go, with
    their updates. True if there may be more.
    """
    theirs = Project.council.has(Council.actor_id == actor.id), Project.state != State.deleted
    found = work.session.scalars(select(Project).where(*theirs).limit(most)).all()
    for project in found:
        remove(work, project, "project.deleted-with-its-council")
    return len(found) == most


def followed_council(session: Session, actor_uri: str) -> Council:
    """The council with this actor, if ours follows it or has asked to."""
    council = councils.by_actor_uri(session, actor_uri)
    if council is None or council.is_local:
        raise NotForUsError(say("from a council we do not follow"))
    if session.scalar(FOLLOWED, {"actor_id": council.actor_id}) is None:
        raise NotForUsError(say("from a council we do not follow"))
    return council


HANDLERS: Handlers = {
    ("Create", "Article"): receive_article,
    ("Update", "Article"): receive_article,
    ("Delete", ""): receive_delete,
}
