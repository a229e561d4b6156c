"""Projects of other councils, as their nodes tell us.

What is told is an upsert by id: repeats and disorder are harmless. What a council's node sends may
be overtaken by something newer; what we ask for at its origin is the truth.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from federation.digest import bucket_of
from federation.errors import FederationError
from federation.origin import same_origin
from federation.vocabulary import Article, id_of
from node.councils import service as councils
from node.councils.models import Council
from node.db import insert_once, now
from node.federating import comparisons
from node.federating.models import Deleted, Follow
from node.projects import digests
from node.projects.federate import RemoteProject, from_article
from node.projects.models import Project, State
from node.projects.service import as_view
from node.runtime import Handlers, NotForUsError, Received, UnitOfWork

log = structlog.get_logger(__name__)

# A statement takes so many values, and no more, on every database.
PORTION = 500
TOLD = (
    "url",
    "title",
    "summary",
    "phase",
    "content",
    "visibility",
    "language",
    "translations",
    "revision",
    "published_at",
)


def receive_article(work: UnitOfWork, received: Received) -> None:
    """A Create or Update of an article, as its own origin gives it."""
    if received.document is None:
        raise NotForUsError("an activity without its object")
    told = from_article(Article.parse(received.document))
    if told is None:
        raise NotForUsError("an article that is not a project")
    council = _followed_council(work.session, received.activity.actor)
    left_out = keep(work, council, [told])
    if left_out:
        raise NotForUsError(left_out[told.uri])


def read_page(actor_uri: str, documents: Iterable[Any], asked_at: datetime) -> Callable[..., None]:
    """What a page of a council's collection has, ready to be kept: to be called with a
    `UnitOfWork`. Reading takes its time, and needs no transaction.
    """
    told = {}
    for document in documents:
        found = read(document)
        if found is not None:
            told[found.uri] = found

    def store(work: UnitOfWork) -> None:
        council = _followed_council(work.session, actor_uri)
        for uri, why in keep(work, council, list(told.values()), asked_at=asked_at).items():
            log.info("left out of a collection", uri=uri, why=why)

    return store


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

    `asked_at`: it was asked for at its origin, then. The origin is the truth: it may be older than
    what we know, and it takes back a deletion that we heard of before. None: it was sent to us.
    """
    left_out: dict[str, str] = {}
    for start in range(0, len(told), PORTION):
        portion = told[start : start + PORTION]
        fitting, why_not = _fitting(work, council, portion, asked_at)
        left_out |= why_not | _store(work, council, fitting)
    return left_out


def _fitting(
    work: UnitOfWork,
    council: Council,
    told: Sequence[RemoteProject],
    asked_at: datetime | None,
) -> tuple[list[RemoteProject], dict[str, str]]:
    """Those to be written, and those left out with the reason; neither: it is known already."""
    session, uris = work.session, [one.uri for one in told]
    known = _known(session, uris)
    marks = _marks(session, council, uris)
    fitting, left_out, wrongly = [], {}, []
    for one in told:
        there, deleted_at = known.get(one.uri), marks.get(one.uri)
        is_own = same_origin(one.uri, one.council_uri) and one.council_uri == council.actor.uri
        if not is_own or (there is not None and there.council_id != council.id):
            left_out[one.uri] = "a project of somebody else"
        elif deleted_at is not None and (asked_at is None or deleted_at >= asked_at):
            left_out[one.uri] = "a project that was deleted"
        elif asked_at is None and there is not None and _changed_at(one) < there.changed_at:
            left_out[one.uri] = "older than what is known"
        else:
            if deleted_at is not None:
                wrongly.append(one.uri)
            if not _is_known(one, there):
                fitting.append(one)
    if wrongly:
        mark = Deleted.uri.in_(wrongly), Deleted.actor_id == council.actor_id
        session.execute(delete(Deleted).where(*mark))
    if asked_at is None and set(marks) & set(left_out):
        # Its origin may have taken the deletion back: whoever compares asks there; at once where it
        # says that it changed it since.
        if any(one.changed_at and one.changed_at > marks.get(one.uri, now()) for one in told):
            comparisons.look_soon(work, council.actor_id)
        else:
            comparisons.suspect(work, council.actor_id)
    return fitting, left_out


def _known(session: Session, uris: list[str]) -> Mapping[str, Any]:
    columns = Project.uri, Project.council_id, Project.state, Project.revision, Project.changed_at
    rows = session.execute(select(*columns).where(Project.uri.in_(uris)))
    return {row.uri: row for row in rows}


def _marks(session: Session, council: Council, uris: list[str]) -> dict[str, datetime]:
    """When the council said of which projects that it deleted them."""
    mine = Deleted.uri.in_(uris), Deleted.actor_id == council.actor_id
    return {
        row.uri: row.at for row in session.execute(select(Deleted.uri, Deleted.at).where(*mine))
    }


def _changed_at(told: RemoteProject) -> datetime:
    """When it was changed last: not later than now, whatever its node says."""
    moment = now()
    return min(told.changed_at or moment, moment)


def _is_known(told: RemoteProject, there: Any) -> bool:
    """Whether what we hold is this very state of the project."""
    is_shown = there is not None and there.state is State.published
    return is_shown and bool(told.revision) and there.revision == told.revision


def _store(work: UnitOfWork, council: Council, told: Sequence[RemoteProject]) -> dict[str, str]:
    """Write all in one statement. Should the database refuse, each for itself: one bad document
    costs only itself.
    """
    if not told:
        return {}
    session = work.session
    rows = [_row(council, one) for one in told]
    digests.touch(session, council.id, (row["bucket"] for row in rows))
    try:
        with session.begin_nested():
            _upsert(session, rows)
    except DBAPIError:
        if len(told) == 1:
            log.exception("a project could not be kept", uri=told[0].uri)
            return {told[0].uri: "the database does not take it"}
        return {uri: why for one in told for uri, why in _store(work, council, [one]).items()}
    return {}


def _row(council: Council, told: RemoteProject) -> dict[str, Any]:
    changed_at = _changed_at(told)
    row = {name: getattr(told, name) for name in TOLD}
    return row | {
        "uri": told.uri,
        "council_id": council.id,
        "bucket": bucket_of(told.uri),
        "state": State.published,
        "published_at": told.published_at or changed_at,
        "changed_at": changed_at,
        "deleted_at": None,
    }


def _upsert(session: Session, rows: list[dict[str, Any]]) -> None:
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    table: Any = Project.__table__
    statement = (postgresql.insert if is_postgresql else sqlite.insert)(table)
    written = ("state", "changed_at", "deleted_at", *TOLD)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["uri"],
            set_={name: statement.excluded[name] for name in written},
            # Another council may have come first with it, a moment ago.
            where=table.c.council_id == statement.excluded.council_id,
        ),
        rows,
    )
    session.expire_all()


def receive_delete(work: UnitOfWork, received: Received) -> None:
    """A Delete of anything by its own origin: a project of theirs goes, and does not come back."""
    activity = received.activity
    uri = id_of(activity.object)
    if uri is None or not same_origin(uri, activity.actor):
        raise NotForUsError("a deletion of what is not theirs")
    project = work.session.scalar(select(Project).where(Project.uri == uri))
    council = project.council if project else _followed_council(work.session, activity.actor)
    if council.actor.uri != activity.actor:
        raise NotForUsError("a deletion of what is not theirs")
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
        for withdraw in work.node.withdrawals:
            withdraw(work, project, None)
        work.audit(action, project.uri)


def _followed_council(session: Session, actor_uri: str) -> Council:
    """The council with this actor, if ours follows it or has asked to."""
    council = councils.by_actor_uri(session, actor_uri)
    if council is None or council.is_local:
        raise NotForUsError("from a council that we do not follow")
    follows = select(Follow.id).where(
        Follow.followed_id == council.actor_id, Follow.state != "rejected"
    )
    if session.scalar(follows) is None:
        raise NotForUsError("from a council that we do not follow")
    return council


HANDLERS: Handlers = {
    ("Create", "Article"): receive_article,
    ("Update", "Article"): receive_article,
    ("Delete", ""): receive_delete,
}
