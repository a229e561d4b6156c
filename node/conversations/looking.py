"""Finding out about which projects of a council more is said than we hold: from one list that it
keeps, so that nobody asks about each of a hundred thousand projects.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, TypeVar

import structlog
from sqlalchemy import ColumnElement, func, literal, select, update
from sqlalchemy.orm import Session

from federation.errors import FederationError
from federation.origin import host_of, same_origin
from federation.vocabulary import Collection, CollectionPage, id_of, parse
from node.conversations.models import Comment, State
from node.councils.models import Council
from node.db import now
from node.errors import MoothallError
from node.federating import addresses, backfill, fetching
from node.federating.models import Actor, Follow
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


def look(node: Node) -> set[str]:
    """Look where much is unread; and everywhere now and then, for what was lost. Returns the hosts
    that do not answer.
    """
    silent: set[str] = set()
    for one in _followed(node):
        if node.jobs.stopping.is_set():
            break
        if one.unread <= FEW:
            node.looked.outcome(one.projects, partial(_look, node, one))
        elif not _look(node, one):
            silent.add(host_of(one.projects))
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
    """Read the list of one council; False where it does not answer. Where there is none, each
    conversation is asked for.
    """
    asked_at = now()
    try:
        totals = dict(_listed(node, one))
    except (MoothallError, FederationError) as error:
        log.info("conversations could not be listed", projects=one.projects, why=str(error))
        return bool(getattr(error, "permanent", True))
    with node.work(by=backfill.CONVERSATIONS) as work:
        _mark(work.session, one, totals, asked_at)
    return True


def _listed(node: Node, one: Followed) -> Iterator[tuple[str, int]]:
    """The projects of a council of which anything was said, and how much is to be read."""
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
        for item in items:
            head = parse(item) if isinstance(item, dict) else None
            if isinstance(head, Collection) and head.total_items is not None:
                yield head.id, head.total_items


def _mark(session: Session, one: Followed, totals: Mapping[str, int], asked_at: datetime) -> None:
    """What is to be read has no time at which it was read; all else has."""
    wanted = _wanted(session, one, totals, asked_at)
    of_council = Project.council_id == one.council_id, Project.state == ProjectState.published
    unread = Project.conversation_read_at.is_(None), Project.id <= one.newest
    session.execute(
        update(Project).where(*of_council, *unread).values(conversation_read_at=asked_at)
    )
    for portion in _portions(wanted):
        again = update(Project).where(Project.id.in_(portion)).values(conversation_read_at=None)
        session.execute(again)


def _wanted(
    session: Session, one: Followed, totals: Mapping[str, int], asked_at: datetime
) -> list[int]:
    """The projects of which more is said than is here, unless that was so when they were read a
    while ago: not all that is said is shown everywhere.
    """
    wanted: list[int] = []
    again: list[int] = []
    for portion in _portions(list(totals)):
        query = select(Project.id, Project.uri, Project.conversation_read_at, held()).where(
            Project.council_id == one.council_id,
            Project.state == ProjectState.published,
            Project.uri.in_([context.removesuffix("/context") for context in portion]),
        )
        for row_id, uri, read_at, there in session.execute(query):
            if totals.get(addresses.project_context(uri), 0) <= there:
                continue
            if read_at is None:
                wanted.append(row_id)
            elif read_at < asked_at - AGAIN_AFTER:
                again.append(row_id)
    return wanted + again[:MOST_AGAIN]


def _portions(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    return (values[start : start + PORTION] for start in range(0, len(values), PORTION))
