"""Fetches comments on remote projects that this server missed, through their contexts (FEP-7888).

`thread_discovery` finds the projects with missing comments. Each comment is fetched in its present
form from its author's server, so comments that were withdrawn with a project return with it.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select, update

from federation.errors import FederationError
from federation.origin import host_of, same_origin
from federation.properties import type_of
from federation.vocabulary import REPLY_TYPES, Collection, CollectionPage, Note, id_of, parse
from node.conversations import remote_comments, thread_discovery
from node.conversations.models import Comment, CommentState
from node.councils.models import Council
from node.database.tables import now
from node.errors import MoothallError
from node.federating.identity import actors, local_uris
from node.federating.models import Actor
from node.federating.peers import fetching
from node.federating.sync import backfill
from node.principal import Principal
from node.projects.models import Project, ProjectState
from node.queue.error_isolation import for_each
from node.runtime import Node, NotHandledError

log = structlog.get_logger(__name__)

JOB = backfill.CONVERSATIONS_JOB
# Projects per query; pages read per context.
BATCH_SIZE, MAX_PAGES = 50, 20


@dataclass(frozen=True)
class UnreadThread:
    """A remote project with an unread conversation. `council_uri` is the actor of its council."""

    project_id: int
    uri: str
    council_uri: str

    @property
    def host(self) -> str:
        return host_of(self.uri)

    def __str__(self) -> str:
        return self.uri


def run_job(node: Node) -> None:
    """Fetch unread conversations, newest projects first.

    A server that does not respond is skipped until the next run.
    """
    silent_hosts = thread_discovery.discover_unread(node)

    def fetch(thread: UnreadThread) -> None:
        if thread.host not in silent_hosts and not _fetch_thread(node, thread):
            silent_hosts.add(thread.host)

    last: int | None = None
    while not node.jobs.stopping.is_set() and (threads := _load_unread(node, last)):
        last = threads[-1].project_id
        for_each(node, JOB, threads, fetch)


def _load_unread(node: Node, before: int | None) -> list[UnreadThread]:
    query = (
        select(Project.id, Project.uri, Actor.uri)
        .join(Council, Council.id == Project.council_id)
        .join(Actor, Actor.id == Council.actor_id)
        .where(Project.conversation_read_at.is_(None), Project.state == ProjectState.published)
        .where(thread_discovery.is_followed_remote())
        .order_by(Project.id.desc())
        .limit(BATCH_SIZE)
    )
    if before is not None:
        query = query.where(Project.id < before)
    with node.reading() as session:
        return [UnreadThread(*row) for row in session.execute(query)]


def _fetch_thread(node: Node, thread: UnreadThread) -> bool:
    """Fetch one conversation. Returns False if its server does not respond."""
    requested_at = now()
    is_complete = True
    try:
        for item in _iter_items(node, thread):
            is_complete &= _store_item(node, thread, item, requested_at)
    except (MoothallError, FederationError) as error:
        log.info("conversation not fetched", project=thread.uri, why=str(error))
        if not getattr(error, "permanent", True):
            return False
    if is_complete:
        with node.work(by=Principal.job(JOB)) as work:
            query = update(Project).where(Project.id == thread.project_id)
            work.session.execute(query.values(conversation_read_at=requested_at))
    return True


def _iter_items(node: Node, thread: UnreadThread) -> Iterator[Any]:
    """Yield the items of a project's context, oldest first, unless all of them are stored here."""
    address: str | None = local_uris.project_context(thread.uri)
    for _ in range(MAX_PAGES):
        if address is None or not same_origin(address, thread.uri):
            return
        page = parse(fetching.fetch_document(node, address))
        if isinstance(page, Collection):
            if page.total_items is not None and page.total_items <= _count_stored_items(
                node, thread
            ):
                return
            yield from page.items or ()
            address = id_of(page.first)
        elif isinstance(page, CollectionPage):
            yield from page.items
            address = page.next
        else:
            return


def _count_stored_items(node: Node, thread: UnreadThread) -> int:
    """The number of items of the context that are stored here."""
    with node.reading() as session:
        return (
            session.scalar(
                select(thread_discovery.stored_item_count()).where(Project.id == thread.project_id)
            )
            or 0
        )


def _store_item(node: Node, thread: UnreadThread, item: Any, requested_at: datetime) -> bool:
    """Fetch and store one comment. Returns False if a fetch limit was reached: retry later."""
    uri = id_of(item) or ""
    if isinstance(item, dict) and (type_of(item) not in REPLY_TYPES or "inReplyTo" not in item):
        return True
    try:
        if not _is_missing(node, uri):
            return True
        is_trusted = isinstance(item, dict) and same_origin(uri, thread.uri)
        document = (
            item if is_trusted else fetching.fetch_document(node, uri, referrer_host=thread.host)
        )
        note = Note.parse(document, REPLY_TYPES)
        if not same_origin(note.id, note.attributed_to):
            return True
        _ensure_author_known(node, note.attributed_to, thread.host)
    except fetching.FetchLimitError:
        return False
    except (MoothallError, FederationError) as error:
        log.info("comment not fetched", comment=uri, why=str(error))
        return True
    with (
        node.work(by=Principal.actor(thread.council_uri)) as work,
        suppress(NotHandledError, FederationError),
    ):
        project = work.session.get_one(Project, thread.project_id)
        remote_comments.upsert_fetched(work, project, note, requested_at)
    return True


def _is_missing(node: Node, uri: str) -> bool:
    """Whether a comment belongs to another server and is not visible here."""
    if not uri or host_of(uri) == host_of(node.settings.base_url):
        return False
    with node.reading() as session:
        query = select(Comment.id).where(Comment.uri == uri, Comment.state == CommentState.shown)
        return session.scalar(query) is None


def _ensure_author_known(node: Node, author: str, referrer_host: str) -> None:
    with node.reading() as session:
        is_known = actors.by_uri(session, author) is not None
    if not is_known:
        document = fetching.fetch_actor(node, author, referrer_host=referrer_host)
        with node.work(by=Principal.actor(author)) as work:
            actors.upsert(work.session, document)
