"""Finding out about which projects of a council more is said than we hold: from one list that it
keeps, so that nobody asks about each of a hundred thousand projects.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, TypeVar

import structlog
from sqlalchemy import ColumnElement, func, literal, select, update

from federation.errors import FederationError
from federation.origin import host_of, same_origin
from federation.vocabulary import Collection, CollectionPage, id_of, parse
from node.conversations.models import Comment, CommentState
from node.councils.models import Council
from node.db import now
from node.error_isolation import for_each
from node.errors import MoothallError
from node.federating import backfill, fetching, local_uris
from node.federating.models import Actor, Follow
from node.projects.models import Project, ProjectState
from node.runtime import Node
from node.updates.models import Update, UpdateState

log = structlog.get_logger(__name__)
Value = TypeVar("Value")

# So few conversations of a council that are unread are asked for without its list.
MAX_UNREAD_WITHOUT_LIST = 10
MAX_PAGES = 500
# What was read and is not whole is read again, so long after, and so much of it at once.
REREAD_INTERVAL, MAX_REREAD = timedelta(days=1), 1_000
BATCH_SIZE = 500


class CouncilThreads(NamedTuple):
    """A council that ours follows: where its projects are, how many of the conversations about them
    are unread, and up to which row.
    """

    council_id: int
    projects: str
    unread: int
    newest: int

    def __str__(self) -> str:
        return self.projects


def discover_unread(node: Node) -> set[str]:
    """Look where much is unread; and everywhere now and then, for what was lost. Returns the hosts
    that do not answer.
    """
    silent: set[str] = set()

    def act(one: CouncilThreads) -> None:
        if one.unread <= MAX_UNREAD_WITHOUT_LIST:
            node.conversation_polls.get_or_compute(one.projects, partial(_discover, node, one))
        elif not _discover(node, one):
            silent.add(host_of(one.projects))

    for_each(node, backfill.CONVERSATIONS_JOB, _load_councils(node), act)
    return silent


def count_held() -> ColumnElement[int]:
    """How much of the conversation about a `Project` is here: itself, updates and comments."""
    updates = Update.project_id == Project.id, Update.state == UpdateState.published
    shown = Comment.project_id == Project.id, Comment.state == CommentState.shown
    said = [select(func.count()).where(*among).scalar_subquery() for among in (updates, shown)]
    return literal(1) + said[0] + said[1]


def is_followed_remote() -> ColumnElement[bool]:
    """Whether an `Actor` is another's, and ours follows it."""
    accepted = Follow.state == "accepted", Follow.follower.has(Actor.is_local)
    return ~Actor.is_local & Actor.id.in_(select(Follow.followed_id).where(*accepted))


def _load_councils(node: Node) -> list[CouncilThreads]:
    unread = (
        select(
            Project.council_id, func.count().label("unread"), func.max(Project.id).label("newest")
        )
        .where(Project.conversation_read_at.is_(None), Project.state == ProjectState.published)
        .group_by(Project.council_id)
        .subquery()
    )
    query = (
        select(
            Council.id,
            Actor.projects,
            func.coalesce(unread.c.unread, 0),
            func.coalesce(unread.c.newest, 0),
        )
        .join(Actor, Actor.id == Council.actor_id)
        .outerjoin(unread, unread.c.council_id == Council.id)
        .where(is_followed_remote(), Actor.projects.is_not(None))
        .order_by(Council.id)
    )
    with node.reading() as session:
        return [CouncilThreads(*row) for row in session.execute(query)]


def _discover(node: Node, one: CouncilThreads) -> bool:
    """Read the list of one council, page by page, of which nothing is kept but which of its
    projects are to be read; False where it does not answer. Where there is none, each conversation
    is asked for.
    """
    asked_at = now()
    unread: set[int] = set()
    again: list[int] = []
    try:
        for totals in _iter_totals(node, one):
            _compare(node, one, totals, asked_at, unread, again)
    except (MoothallError, FederationError) as error:
        log.info("conversations could not be listed", projects=one.projects, why=str(error))
        return bool(getattr(error, "permanent", True))
    _mark_read(node, one, asked_at, unread)
    for portion in _chunk(again[:MAX_REREAD]):
        _set_read_at(node, portion, None)
    return True


def _iter_totals(node: Node, one: CouncilThreads) -> Iterator[dict[str, int]]:
    """Of each page, the projects of a council of which anything was said, and how much is to be
    read.
    """
    address: str | None = local_uris.conversations(one.projects)
    for _ in range(MAX_PAGES):
        if address is None or not same_origin(address, one.projects):
            return
        page = parse(fetching.fetch_document(node, address))
        if isinstance(page, Collection):
            items, address = page.items or (), id_of(page.first)
        elif isinstance(page, CollectionPage):
            items, address = page.items, page.next
        else:
            return
        heads = (parse(item) for item in items if isinstance(item, dict))
        yield {
            head.id: head.total_items
            for head in heads
            if isinstance(head, Collection) and head.total_items is not None
        }


def _compare(
    node: Node,
    one: CouncilThreads,
    totals: Mapping[str, int],
    asked_at: datetime,
    unread: set[int],
    again: list[int],
) -> None:
    """Add the projects of which more is said than is here: those never read to `unread`, those that
    were read a while ago to `again`. Not all that is said is shown everywhere.
    """
    for portion in _chunk(list(totals)):
        query = select(Project.id, Project.uri, Project.conversation_read_at, count_held()).where(
            Project.council_id == one.council_id,
            Project.state == ProjectState.published,
            Project.uri.in_([context.removesuffix("/context") for context in portion]),
        )
        with node.reading() as session:
            rows = session.execute(query).all()
        for row_id, uri, read_at, there in rows:
            if totals.get(local_uris.project_context(uri), 0) <= there:
                continue
            if read_at is None:
                unread.add(row_id)
            elif read_at < asked_at - REREAD_INTERVAL:
                again.append(row_id)


def _mark_read(node: Node, one: CouncilThreads, asked_at: datetime, unread: set[int]) -> None:
    """All of the council's that were not read have been, as of `asked_at`, but for `unread`. Some
    at a time: nobody else who writes waits for long.
    """
    last = 0
    while True:
        query = select(Project.id).where(
            Project.council_id == one.council_id,
            Project.state == ProjectState.published,
            Project.conversation_read_at.is_(None),
            Project.id > last,
            Project.id <= one.newest,
        )
        with node.reading() as session:
            found = session.scalars(query.order_by(Project.id).limit(BATCH_SIZE)).all()
        if not found:
            return
        last = found[-1]
        _set_read_at(node, [row_id for row_id in found if row_id not in unread], asked_at)


def _set_read_at(node: Node, projects: Sequence[int], read_at: datetime | None) -> None:
    """In a transaction of its own."""
    with node.work(by=backfill.CONVERSATIONS_JOB) as work:
        chosen = update(Project).where(Project.id.in_(projects))
        work.session.execute(chosen.values(conversation_read_at=read_at))


def _chunk(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    return (values[start : start + BATCH_SIZE] for start in range(0, len(values), BATCH_SIZE))
