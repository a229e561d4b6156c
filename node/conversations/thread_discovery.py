"""Finds the remote projects with more comments than are stored here.

Reads one list per council that our council follows, instead of the context of each of its projects,
of which there may be a hundred thousand.
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
from node.database.tables import now
from node.errors import MoothallError
from node.federating.identity import local_uris
from node.federating.models import Actor, Follow
from node.federating.peers import fetching
from node.federating.sync import backfill
from node.principal import Principal
from node.projects.models import Project, ProjectState
from node.queue.error_isolation import for_each
from node.runtime import Node
from node.updates.models import Update, UpdateState

log = structlog.get_logger(__name__)
Value = TypeVar("Value")

# Up to this many unread conversations of a council, the list is fetched only once in a while.
MAX_UNREAD_WITHOUT_LIST = 10
# Pages read of a council's list.
MAX_PAGES = 500
# Incomplete conversations are read again after this time; conversations per council and run.
REREAD_INTERVAL, MAX_REREAD = timedelta(days=1), 1_000
# Rows per query and transaction.
BATCH_SIZE = 500


class CouncilThreads(NamedTuple):
    """The unread conversations about the projects of a council that ours follows.

    `projects` is the address of the council's projects, `unread` the number of its projects with an
    unread conversation, and `newest` the highest row id among them.
    """

    council_id: int
    projects_url: str
    unread_count: int
    newest_project_id: int

    def __str__(self) -> str:
        return self.projects_url


def discover_unread(node: Node) -> set[str]:
    """Read the lists of councils with many unread conversations, and now and then of the others.

    The latter finds comments that were lost. Returns the hosts that do not respond.
    """
    silent_hosts: set[str] = set()

    def discover(council: CouncilThreads) -> None:
        if council.unread_count <= MAX_UNREAD_WITHOUT_LIST:
            node.conversation_polls.get_or_compute(
                council.projects_url, partial(_discover, node, council)
            )
        elif not _discover(node, council):
            silent_hosts.add(host_of(council.projects_url))

    for_each(node, backfill.CONVERSATIONS_JOB, _load_councils(node), discover)
    return silent_hosts


def stored_item_count() -> ColumnElement[int]:
    """SQL for the number of items stored of a `Project`'s context: itself, updates and comments."""
    is_update = Update.project_id == Project.id, Update.state == UpdateState.published
    is_comment = Comment.project_id == Project.id, Comment.state == CommentState.shown
    updates = select(func.count()).where(*is_update).scalar_subquery()
    comments = select(func.count()).where(*is_comment).scalar_subquery()
    return literal(1) + updates + comments


def is_followed_remote() -> ColumnElement[bool]:
    """SQL for whether an `Actor` is remote and followed by a local actor."""
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


def _discover(node: Node, council: CouncilThreads) -> bool:
    """Read a council's list page by page, and mark complete conversations as read.

    Returns False if its server does not respond. Without a list, all of its unread conversations
    stay unread, and are fetched one by one.
    """
    requested_at = now()
    unread: set[int] = set()
    outdated: list[int] = []
    try:
        for totals in _iter_totals(node, council):
            _compare(node, council, totals, requested_at, unread, outdated)
    except (MoothallError, FederationError) as error:
        log.info("conversation list not fetched", projects=council.projects_url, why=str(error))
        return bool(getattr(error, "permanent", True))
    _mark_read(node, council, requested_at, unread)
    for row_ids in _chunk(outdated[:MAX_REREAD]):
        _set_read_at(node, row_ids, None)
    return True


def _iter_totals(node: Node, council: CouncilThreads) -> Iterator[dict[str, int]]:
    """Yield, for each page of a council's list, the ids of contexts and their `totalItems`."""
    address: str | None = local_uris.conversations(council.projects_url)
    for _ in range(MAX_PAGES):
        if address is None or not same_origin(address, council.projects_url):
            return
        page = parse(fetching.fetch_document(node, address))
        if isinstance(page, Collection):
            items, address = page.items or (), id_of(page.first)
        elif isinstance(page, CollectionPage):
            items, address = page.items, page.next
        else:
            return
        contexts = (parse(item) for item in items if isinstance(item, dict))
        yield {
            context.id: context.total_items
            for context in contexts
            if isinstance(context, Collection) and context.total_items is not None
        }


def _compare(
    node: Node,
    council: CouncilThreads,
    totals: Mapping[str, int],
    requested_at: datetime,
    unread: set[int],
    outdated: list[int],
) -> None:
    """Add the row ids of projects whose contexts have more items than are stored here.

    Never read ones go to `unread`; those read longer than `REREAD_INTERVAL` ago go to `outdated`.
    The interval is needed because some items may never be shown here.
    """
    for uris in _chunk(list(totals)):
        query = select(
            Project.id, Project.uri, Project.conversation_read_at, stored_item_count()
        ).where(
            Project.council_id == council.council_id,
            Project.state == ProjectState.published,
            Project.uri.in_([uri.removesuffix("/context") for uri in uris]),
        )
        with node.reading() as session:
            rows = session.execute(query).all()
        for row_id, uri, read_at, held in rows:
            if totals.get(local_uris.project_context(uri), 0) <= held:
                continue
            if read_at is None:
                unread.add(row_id)
            elif read_at < requested_at - REREAD_INTERVAL:
                outdated.append(row_id)


def _mark_read(
    node: Node, council: CouncilThreads, requested_at: datetime, unread: set[int]
) -> None:
    """Mark the council's unread conversations except `unread` as read at `requested_at`.

    Works in small transactions, so that other writers do not wait for long.
    """
    last = 0
    while True:
        query = select(Project.id).where(
            Project.council_id == council.council_id,
            Project.state == ProjectState.published,
            Project.conversation_read_at.is_(None),
            Project.id > last,
            Project.id <= council.newest_project_id,
        )
        with node.reading() as session:
            row_ids = session.scalars(query.order_by(Project.id).limit(BATCH_SIZE)).all()
        if not row_ids:
            return
        last = row_ids[-1]
        _set_read_at(node, [row_id for row_id in row_ids if row_id not in unread], requested_at)


def _set_read_at(node: Node, row_ids: Sequence[int], read_at: datetime | None) -> None:
    """Set `conversation_read_at` of projects, in a separate transaction."""
    with node.work(by=Principal.job(backfill.CONVERSATIONS_JOB)) as work:
        query = update(Project).where(Project.id.in_(row_ids))
        work.session.execute(query.values(conversation_read_at=read_at))


def _chunk(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    return (values[start : start + BATCH_SIZE] for start in range(0, len(values), BATCH_SIZE))
