"""Reads everything a followed council has published, page by page, and resumes after a crash.

Each page is stored together with the URL of the next one, in one transaction. The next page is
fetched while one is being stored.
"""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.origin import same_origin
from federation.vocabulary import Collection, CollectionPage, id_of, parse
from node.database.engine import enlarge_cache
from node.database.tables import now
from node.errors import ConflictError
from node.federating.identity import actors
from node.federating.models import Actor, Backfill, Follow
from node.federating.peers import comparison_schedule, fetching
from node.messages import msg
from node.principal import Principal
from node.queue import leases
from node.runtime import Node, UnitOfWork

# The job that fetches the comments on projects, once the projects are stored.
CONVERSATIONS_JOB = "conversations"
# One slice is this many pages, or seconds if it takes longer, so that a slow server delays the
# others by a single page.
PAGES_PER_SLICE, SLICE_SECONDS = 10, 5.0
# More than the projects and updates of a whole country.
MAX_DOCUMENTS = 500_000
MAX_PAGES = 10_000
# Bytes of JSON per council: twice what a whole country has.
MAX_BYTES = 1024**3
# Documents accepted beyond `totalItems`: some may have been added meanwhile.
MAX_BEYOND_TOTAL = 1_000
# Pages accepted beyond one per document, as some may be empty.
MAX_EMPTY_PAGES = 20


@dataclass(frozen=True)
class BackfillPage:
    """A fetched page, requested at `asked_at`. `size` is the length of its items as JSON."""

    url: str
    items: tuple[Any, ...]
    total: int | None
    next_url: str | None
    requested_at: datetime
    size: int = 0


def start(work: UnitOfWork, actor: Actor) -> Backfill | None:
    """Read the projects and updates of `actor` from the beginning. Returns None if it publishes no
    collection of them.
    """
    if not actor.projects:
        return None
    row = work.session.scalar(select(Backfill).where(Backfill.actor_id == actor.id))
    if row is None:
        row = Backfill(actor=actor)
        work.session.add(row)
    row.next_page, row.state = actor.projects, Backfill.WAITING_STATE
    row.pages, row.read, row.total, row.attempts, row.outcome = 0, 0, None, 0, ""
    row.size, row.landmark = 0, None
    row.started_at, row.finished_at = now(), None
    row.due_at, row.leased_until = now(), None
    work.wake(Backfill.JOB)
    return row


def start_once(work: UnitOfWork, actor: Actor, *, is_requested: bool) -> None:
    """Read `actor`, which has accepted a Follow, if it has never been read or we asked to follow it
    again (`is_requested`). Otherwise only compare: that finds what was missed.
    """
    row = work.session.scalar(select(Backfill).where(Backfill.actor_id == actor.id))
    if row is None or (is_requested and row.state != Backfill.WAITING_STATE):
        start(work, actor)
    else:
        comparison_schedule.compare_unless_recent(work, actor.id)


def start_by_operator(work: UnitOfWork, actor: Actor) -> Backfill:
    """As `begin`, requested by an operator, and audited.

    Raises `ConflictError` for a council that ours does not follow, or that has no collection.
    """
    if not is_followed(work.session, actor):
        raise ConflictError(msg("Your council does not follow %(address)s.", address=actor.address))
    row = start(work, actor)
    if row is None:
        raise ConflictError(
            msg("%(address)s does not publish a list of its projects.", address=actor.address)
        )
    work.audit("backfill.begin", actor.uri)
    return row


def is_followed(session: Session, actor: Actor) -> bool:
    """Whether `actor` has accepted a Follow of our council."""
    is_accepted = Follow.followed_id == actor.id, Follow.state == "accepted"
    return session.scalar(select(Follow.id).where(*is_accepted)) is not None


def is_running(session: Session, actor: Actor) -> bool:
    running = Backfill.actor_id == actor.id, Backfill.state == Backfill.WAITING_STATE
    return session.scalar(select(Backfill.id).where(*running)) is not None


@leases.wakes_for_next(Backfill)
def run_job(node: Node) -> None:
    """The job: read the next slice of every council that is being read."""
    leases.process_queue(node, Backfill, partial(_read_slice, node))


def _read_slice(node: Node, leased: leases.Lease) -> None:
    """Read and store some pages of one council. Raises what interrupts it, such as `FetchError`."""
    started = monotonic()
    for number, page in enumerate(_iter_pages(node, leased.id), 1):
        if not _store_page(node, leased.id, page) or node.jobs.stopping.is_set():
            return
        is_over = number % PAGES_PER_SLICE == 0 or monotonic() - started > SLICE_SECONDS
        if is_over and _are_others_waiting(node, leased.id):
            _yield_to_others(node, leased)
            return


def _iter_pages(node: Node, row_id: int) -> Iterator[BackfillPage]:
    """Yield the pages that are left, fetching the next one while the caller stores one."""
    with node.reading() as session:
        row = session.get_one(Backfill, row_id)
        url, actor_uri = row.next_page, row.actor.uri
    executor = ThreadPoolExecutor(1)
    try:
        next_page: Future[BackfillPage] | None = executor.submit(_fetch_page, node, url, actor_uri)
        while next_page is not None:
            page = next_page.result()
            next_url = page.next_url
            next_page = (
                executor.submit(_fetch_page, node, next_url, actor_uri) if next_url else None
            )
            yield page
    finally:  # do not wait for a page that is no longer needed
        executor.shutdown(wait=False, cancel_futures=True)


def _fetch_page(node: Node, url: str, actor_uri: str) -> BackfillPage:
    asked_at = now()
    page = parse(fetching.fetch_document(node, url))
    if isinstance(page, Collection):
        items, link = page.items or (), page.first
    elif isinstance(page, CollectionPage):
        items, link = page.items, page.next
    else:
        raise fetching.FetchError(
            msg("%(address)s is not a collection.", address=url), permanent=True
        )
    next_url = id_of(link)
    if next_url is not None and (next_url == url or not same_origin(next_url, actor_uri)):
        raise fetching.FetchError(
            msg("%(address)s has no valid link to the next page.", address=url), permanent=True
        )
    size = len(json.dumps(items, ensure_ascii=False))
    return BackfillPage(url, items, page.total_items, next_url, asked_at, size)


def _store_page(node: Node, row_id: int, page: BackfillPage) -> bool:
    """Store a page and where to continue. Items that cannot be used are left out. False if there is
    nothing more to read.
    """
    with node.reading() as session:
        actor_uri = session.get_one(Backfill, row_id).actor.uri
    store = node.parse_page(actor_uri, page.items, page.requested_at)
    with node.work(by=Principal.actor(actor_uri)) as work:
        actors.lock(work.session, [actor_uri])
        row = work.session.get_one(Backfill, row_id, with_for_update=True)
        if row.next_page != page.url or row.state != Backfill.WAITING_STATE:
            return False  # restarted meanwhile, or failed
        if not is_followed(work.session, row.actor):
            _finish(work, row, "failed", "no longer followed")
            return False
        enlarge_cache(work.session)
        store(work)
        row.pages += 1
        row.read += len(page.items)
        row.size += page.size
        if row.pages & (row.pages - 1) == 0:
            row.landmark = page.url
        row.total = page.total if page.total is not None else row.total
        row.attempts = 0
        _advance(work, row, page.next_url)
        return row.state == Backfill.WAITING_STATE


def _advance(work: UnitOfWork, row: Backfill, next_url: str | None) -> None:
    """Set the next page, or finish: at the end, or where a limit is exceeded."""
    row.leased_until = now() + timedelta(seconds=work.settings.lease_seconds)
    if next_url is None:
        _finish(work, row, "done", "")
    elif reason := _describe_exceeded_limit(row, next_url):
        _finish(work, row, "failed", reason)
    else:
        row.next_page = next_url


def _describe_exceeded_limit(row: Backfill, next_url: str) -> str:
    """Why reading stops, as an explanation for the operator; empty if it continues.

    A cycle of pages is found with Brent's algorithm: every page numbered by a power of two is
    stored as `landmark`, and once it lies within the cycle, it comes again.
    """
    if next_url == row.landmark:
        return "its pages form a cycle"
    if row.total is not None and row.read > row.total + MAX_BEYOND_TOTAL:
        return f"it has more than the {row.total:,} documents that it says it has"
    if row.pages > row.read + MAX_EMPTY_PAGES:
        return "its pages are empty"
    if row.size > MAX_BYTES:
        return f"it has more than {MAX_BYTES // 1024**2:,} MB, the limit per council"
    is_endless = row.pages >= MAX_PAGES or row.read >= MAX_DOCUMENTS
    return "it has more pages or documents than the limit per council" if is_endless else ""


def _finish(work: UnitOfWork, row: Backfill, state: str, outcome: str) -> None:
    """End the backfill. A comparison then finds what changed while it ran."""
    row.state, row.outcome = state, outcome
    row.finished_at, row.leased_until = now(), None
    comparison_schedule.compare_soon(work, row.actor_id)
    work.wake(CONVERSATIONS_JOB)


def _are_others_waiting(node: Node, row_id: int) -> bool:
    is_due = (
        Backfill.state == Backfill.WAITING_STATE,
        Backfill.due_at <= now(),
        Backfill.id != row_id,
    )
    with node.reading() as session:
        return session.scalar(select(Backfill.id).where(*is_due).limit(1)) is not None


def _yield_to_others(node: Node, leased: leases.Lease) -> None:
    with node.work(by=Principal.job(Backfill.JOB)) as work:
        row = work.session.get_one(Backfill, leased.id, with_for_update=True)
        if row.due_at == leased.due_at:
            row.due_at, row.leased_until = now(), None
