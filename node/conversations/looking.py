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
from node.conversations.models import Comment, State
from node.councils.models import Council
from node.db import now
from node.errors import MoothallError
from node.federating import addresses, backfill, fetching
from node.federating.models import Actor, Follow
from node.isolation import each
from node.projects.models import Project
from node.projects.models import State as ProjectState
from node.runtime import Node
from node.updates.models import State as UpdateState
from node.updates.models import Update

log = structlog.get_logger(__name__)
Value = TypeVar("Value")

# So few conversations of a council that are unread are asked for without its list.
FEW = 10
MOST_PAGES = 500
# What was read and is not whole is read again, so long after, and so much of it at once.
AGAIN_AFTER, MOST_AGAIN = timedelta(days=1), 1_000
PORTION = 500


class Followed(NamedTuple):
    """A council that ours follows: where its projects are, how many of the conversations about them
    are unread, and up to which row.
    """

    council_id: int
    projects: str
    unread: int
    newest: int

    def __str__(self) -> str:
        return self.projects


def look(node: Node) -> set[str]:
    """Look where much is unread; and everywhere now and then, for what was lost. Returns the hosts
    that do not answer.
    """
    silent: set[str] = set()

    def act(one: Followed) -> None:
        if one.unread <= FEW:
            node.looked.outcome(one.projects, partial(_look, node, one))
        elif not _look(node, one):
            silent.add(host_of(one.projects))

    each(node, backfill.CONVERSATIONS, _followed(node), act)
    return silent


def held() -> ColumnElement[int]:
    """How much of the conversation about a `Project` is here: itself, updates and comments."""
    updates = Update.project_id == Project.id, Update.state == UpdateState.published
    shown = Comment.project_id == Project.id, Comment.state == State.shown
    said = [select(func.count()).where(*among).scalar_subquery() for among in (updates, shown)]
    return literal(1) + said[0] + said[1]


def followed() -> ColumnElement[bool]:
    """Whether an `Actor` is another's, and ours follows it."""
    accepted = Follow.state == "accepted", Follow.follower.has(Actor.is_local)
    return ~Actor.is_local & Actor.id.in_(select(Follow.followed_id).where(*accepted))


def _followed(node: Node) -> list[Followed]:
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
        .where(followed(), Actor.projects.is_not(None))
        .order_by(Council.id)
    )
    with node.reading() as session:
        return [Followed(*row) for row in session.execute(query)]


def _look(node: Node, one: Followed) -> bool:
    """Read the list of one council, page by page, of which nothing is kept but which of its
    projects are to be read; False where it does not answer. Where there is none, each conversation
    is asked for.
    """
    asked_at = now()
    unread: set[int] = set()
    again: list[int] = []
    try:
        for totals in _listed(node, one):
            _compare(node, one, totals, asked_at, unread, again)
    except (MoothallError, FederationError) as error:
        log.info("conversations could not be listed", projects=one.projects, why=str(error))
        return bool(getattr(error, "permanent", True))
    _mark(node, one, asked_at, unread)
    for portion in _portions(again[:MOST_AGAIN]):
        _set(node, portion, None)
    return True


def _listed(node: Node, one: Followed) -> Iterator[dict[str, int]]:
    """Of each page, the projects of a council of which anything was said, and how much is to be
    read.
    """
    address: str | None = addresses.conversations(one.projects)
    for _ in range(MOST_PAGES):
        if address is None or not same_origin(address, one.projects):
            return
        page = parse(fetching.document(node, address))
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
    one: Followed,
    totals: Mapping[str, int],
    asked_at: datetime,
    unread: set[int],
    again: list[int],
) -> None:
    """Add the projects of which more is said than is here: those never read to `unread`, those that
    were read a while ago to `again`. Not all that is said is shown everywhere.
    """
    for portion in _portions(list(totals)):
        query = select(Project.id, Project.uri, Project.conversation_read_at, held()).where(
            Project.council_id == one.council_id,
            Project.state == ProjectState.published,
            Project.uri.in_([context.removesuffix("/context") for context in portion]),
        )
        with node.reading() as session:
            rows = session.execute(query).all()
        for row_id, uri, read_at, there in rows:
            if totals.get(addresses.project_context(uri), 0) <= there:
                continue
            if read_at is None:
                unread.add(row_id)
            elif read_at < asked_at - AGAIN_AFTER:
                again.append(row_id)


def _mark(node: Node, one: Followed, asked_at: datetime, unread: set[int]) -> None:
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
            found = session.scalars(query.order_by(Project.id).limit(PORTION)).all()
        if not found:
            return
        last = found[-1]
        _set(node, [row_id for row_id in found if row_id not in unread], asked_at)


def _set(node: Node, projects: Sequence[int], read_at: datetime | None) -> None:
    """In a transaction of its own."""
    with node.work(by=backfill.CONVERSATIONS) as work:
        chosen = update(Project).where(Project.id.in_(projects))
        work.session.execute(chosen.values(conversation_read_at=read_at))


def _portions(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    return (values[start : start + PORTION] for start in range(0, len(values), PORTION))
