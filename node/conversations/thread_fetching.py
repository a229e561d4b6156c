"""Reading what was said about projects of other councils before they came here, or while they were
away: through the context of each (FEP-7888) of which `looking` says that more is there than here.

What a context lists is asked for at its own author's server, as it is now. So a comment that was
withdrawn with its project comes back with it.
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
from node.conversations import receiving, thread_discovery
from node.conversations.models import Comment, CommentState
from node.councils.models import Council
from node.db import now
from node.error_isolation import for_each
from node.errors import MoothallError
from node.federating import actors, backfill, fetching, local_uris
from node.federating.models import Actor
from node.projects.models import Project, ProjectState
from node.runtime import Node, NotHandledError

log = structlog.get_logger(__name__)

JOB = backfill.CONVERSATIONS_JOB
# So many projects are looked for at once, and so many pages read of one.
BATCH_SIZE, MAX_PAGES = 50, 20


@dataclass(frozen=True)
class UnreadThread:
    """A project whose conversation was not read, and whose council's actor that is."""

    project_id: int
    uri: str
    council_uri: str

    @property
    def host(self) -> str:
        return host_of(self.uri)

    def __str__(self) -> str:
        return self.uri


def run_job(node: Node) -> None:
    """The job: read what is unread, newest projects first. A server that does not answer now is
    asked again by the next run.
    """
    silent = thread_discovery.discover_unread(node)

    def read(one: UnreadThread) -> None:
        if one.host not in silent and not _fetch_thread(node, one):
            silent.add(one.host)

    last: int | None = None
    while not node.jobs.stopping.is_set() and (found := _load_unread(node, last)):
        last = found[-1].project_id
        for_each(node, JOB, found, read)


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


def _fetch_thread(node: Node, one: UnreadThread) -> bool:
    """Read one conversation; False where its server does not answer."""
    asked_at = now()
    is_whole = True
    try:
        for item in _iter_items(node, one):
            is_whole &= _store_item(node, one, item, asked_at)
    except (MoothallError, FederationError) as error:
        log.info("a conversation could not be read", project=one.uri, why=str(error))
        if not getattr(error, "permanent", True):
            return False
    if is_whole:
        with node.work(by=JOB) as work:
            read = update(Project).where(Project.id == one.project_id)
            work.session.execute(read.values(conversation_read_at=asked_at))
    return True


def _iter_items(node: Node, one: UnreadThread) -> Iterator[Any]:
    """What a context lists, oldest first."""
    address: str | None = local_uris.project_context(one.uri)
    for _ in range(MAX_PAGES):
        if address is None or not same_origin(address, one.uri):
            return
        page = parse(fetching.fetch_document(node, address))
        if isinstance(page, Collection):
            if page.total_items is not None and page.total_items <= _count_held(node, one):
                return
            yield from page.items or ()
            address = id_of(page.first)
        elif isinstance(page, CollectionPage):
            yield from page.items
            address = page.next
        else:
            return


def _count_held(node: Node, one: UnreadThread) -> int:
    """How much of a conversation is here."""
    with node.reading() as session:
        return (
            session.scalar(
                select(thread_discovery.count_held()).where(Project.id == one.project_id)
            )
            or 0
        )


def _store_item(node: Node, one: UnreadThread, item: Any, asked_at: datetime) -> bool:
    """Keep one comment; False where it is to be asked for later."""
    uri = id_of(item) or ""
    if isinstance(item, dict) and (type_of(item) not in REPLY_TYPES or "inReplyTo" not in item):
        return True
    try:
        if not _is_missing(node, uri):
            return True
        is_at_home = isinstance(item, dict) and same_origin(uri, one.uri)
        found = item if is_at_home else fetching.fetch_document(node, uri, referrer_host=one.host)
        note = Note.parse(found, REPLY_TYPES)
        if not same_origin(note.id, note.attributed_to):
            return True
        _ensure_author_known(node, note.attributed_to, one.host)
    except fetching.FetchLimitError:
        return False
    except (MoothallError, FederationError) as error:
        log.info("a comment could not be read", comment=uri, why=str(error))
        return True
    with node.work(by=one.council_uri) as work, suppress(NotHandledError, FederationError):
        project = work.session.get_one(Project, one.project_id)
        receiving.upsert_fetched(work, project, note, asked_at)
    return True


def _is_missing(node: Node, uri: str) -> bool:
    """Whether a comment is another server's, and not shown here already."""
    if not uri or host_of(uri) == host_of(node.settings.base_url):
        return False
    with node.reading() as session:
        shown = select(Comment.id).where(Comment.uri == uri, Comment.state == CommentState.shown)
        return session.scalar(shown) is None


def _ensure_author_known(node: Node, author: str, sent_by: str) -> None:
    with node.reading() as session:
        is_known = actors.by_uri(session, author) is not None
    if not is_known:
        found = fetching.fetch_actor(node, author, referrer_host=sent_by)
        with node.work(by=author) as work:
            actors.upsert(work.session, found)
