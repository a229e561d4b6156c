"""Reading all that a council has: page by page, and on from there after a crash.

Each page is stored together with the address of the next one, in one transaction. While one is
being stored, the next is already asked for.
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
from node.db import enlarge_cache, now
from node.errors import ConflictError
from node.federating import actors, comparisons, fetching, queues
from node.federating.models import Actor, Backfill, Follow
from node.messages import msg
from node.runtime import Node, UnitOfWork

# The job that reads what was said about projects, once these are here.
CONVERSATIONS_JOB = "conversations"
# A council's turn is so many pages, and no longer than this: one whose server is slow keeps the
# others waiting for a single page.
PAGES_PER_SLICE, SLICE_SECONDS = 10, 5.0
# More than the projects of a whole country, with their updates.
MAX_DOCUMENTS = 500_000
MAX_PAGES = 10_000
# Bytes of JSON of one council: twice what a whole country has.
MAX_BYTES = 1024**3
# Documents beyond the number that a council says it has: some may be new since.
MAX_BEYOND_TOTAL = 1_000
# Pages beyond one for each document: those hold nothing.
MAX_EMPTY_PAGES = 20


@dataclass(frozen=True)
class BackfillPage:
    """One page as it was fetched, asked for at `asked_at`. `onward` is where the next one is,
    `size` the length of its items as JSON.
    """

    url: str
    items: tuple[Any, ...]
    total: int | None
    next_url: str | None
    asked_at: datetime
    size: int = 0


def begin(work: UnitOfWork, actor: Actor) -> Backfill | None:
    """Read the projects of `actor`, and their updates, from the beginning; None if it does not say
    where they are.
    """
    if not actor.projects:
        return None
    row = work.session.scalar(select(Backfill).where(Backfill.actor_id == actor.id))
    if row is None:
        row = Backfill(actor=actor)
        work.session.add(row)
    row.next_page, row.state = actor.projects, Backfill.WAITING
    row.pages, row.read, row.total, row.attempts, row.outcome = 0, 0, None, 0, ""
    row.size, row.landmark = 0, None
    row.started_at, row.finished_at = now(), None
    row.due_at, row.leased_until = now(), None
    work.wake(Backfill.JOB)
    return row


def begin_once(work: UnitOfWork, actor: Actor, *, is_requested: bool) -> None:
    """Read `actor`, who accepted to be followed: the first time, and when we have asked again since
    it was read. What was missed otherwise, comparing finds.
    """
    row = work.session.scalar(select(Backfill).where(Backfill.actor_id == actor.id))
    if row is None or (is_requested and row.state != Backfill.WAITING):
        begin(work, actor)
    else:
        comparisons.compare_unless_recent(work, actor.id)


def begin_by_operator(work: UnitOfWork, actor: Actor) -> Backfill:
    """As `begin`, for an operator who says so.

    Raises `ConflictError` for a council that ours does not follow, or that has no collection.
    """
    if not is_followed(work.session, actor):
        raise ConflictError(msg("Our council does not follow %(address)s.", address=actor.address))
    row = begin(work, actor)
    if row is None:
        raise ConflictError(
            msg("%(address)s does not publish a list of its projects.", address=actor.address)
        )
    work.audit("backfill.begin", actor.uri)
    return row


def is_followed(session: Session, actor: Actor) -> bool:
    """Whether our council follows `actor`, and was accepted."""
    accepted = Follow.followed_id == actor.id, Follow.state == "accepted"
    return session.scalar(select(Follow.id).where(*accepted)) is not None


def is_running(session: Session, actor: Actor) -> bool:
    running = Backfill.actor_id == actor.id, Backfill.state == Backfill.WAITING
    return session.scalar(select(Backfill.id).where(*running)) is not None


@queues.wakes_for_next(Backfill)
def run_job(node: Node) -> None:
    """The job: go on with every council that is being read, a few pages of each in turn."""
    queues.process_queue(node, Backfill, partial(_read_slice, node))


def _read_slice(node: Node, leased: queues.Lease) -> None:
    """One council's turn. Raises what stops it, such as a server that does not answer."""
    began = monotonic()
    for number, page in enumerate(_iter_pages(node, leased.id), 1):
        if not _store_page(node, leased.id, page) or node.jobs.stopping.is_set():
            return
        is_over = number % PAGES_PER_SLICE == 0 or monotonic() - began > SLICE_SECONDS
        if is_over and _has_others_waiting(node, leased.id):
            _yield_to_others(node, leased)
            return


def _iter_pages(node: Node, row_id: int) -> Iterator[BackfillPage]:
    """The pages from where we are, the next one being fetched while one is looked at."""
    with node.reading() as session:
        row = session.get_one(Backfill, row_id)
        address, actor_uri = row.next_page, row.actor.uri
    ahead = ThreadPoolExecutor(1)
    try:
        coming: Future[BackfillPage] | None = ahead.submit(_fetch_page, node, address, actor_uri)
        while coming is not None:
            page = coming.result()
            following = page.next_url
            coming = ahead.submit(_fetch_page, node, following, actor_uri) if following else None
            yield page
    finally:  # nobody waits for what is not wanted any more
        ahead.shutdown(wait=False, cancel_futures=True)


def _fetch_page(node: Node, address: str, actor_uri: str) -> BackfillPage:
    asked_at = now()
    page = parse(fetching.fetch_document(node, address))
    if isinstance(page, Collection):
        items, following = page.items or (), page.first
    elif isinstance(page, CollectionPage):
        items, following = page.items, page.next
    else:
        raise fetching.FetchError(
            msg("%(address)s is not a collection.", address=address), permanent=True
        )
    onward = id_of(following)
    if onward is not None and (onward == address or not same_origin(onward, actor_uri)):
        raise fetching.FetchError(
            msg("%(address)s has no valid link to the next page.", address=address), permanent=True
        )
    size = len(json.dumps(items, ensure_ascii=False))
    return BackfillPage(address, items, page.total_items, onward, asked_at, size)


def _store_page(node: Node, row_id: int, page: BackfillPage) -> bool:
    """Keep one page; False after the last. What of it does not fit is left out."""
    with node.reading() as session:
        actor_uri = session.get_one(Backfill, row_id).actor.uri
    keep = node.read_page(actor_uri, page.items, page.asked_at)
    with node.work(by=actor_uri) as work:
        actors.lock(work.session, [actor_uri])
        row = work.session.get_one(Backfill, row_id, with_for_update=True)
        if row.next_page != page.url or row.state != Backfill.WAITING:
            return False  # begun again meanwhile, or given up
        if not is_followed(work.session, row.actor):
            _finish(work, row, "failed", "no longer followed")
            return False
        enlarge_cache(work.session)
        keep(work)
        row.pages += 1
        row.read += len(page.items)
        row.size += page.size
        if row.pages & (row.pages - 1) == 0:
            row.landmark = page.url
        row.total = page.total if page.total is not None else row.total
        row.attempts = 0
        _advance(work, row, page.next_url)
        return row.state == Backfill.WAITING


def _advance(work: UnitOfWork, row: Backfill, onward: str | None) -> None:
    """Where to read next, if anywhere: nobody keeps us reading for ever."""
    row.leased_until = now() + timedelta(seconds=work.settings.lease_seconds)
    if onward is None:
        _finish(work, row, "done", "")
    elif why := _limit_exceeded(row, onward):
        _finish(work, row, "failed", why)
    else:
        row.next_page = onward


def _limit_exceeded(row: Backfill, onward: str) -> str:
    """Why a council is not read on, in words for the operator; empty if it is.

    A circle of pages is found by a landmark: the page that is the 1st, 2nd, 4th, 8th… (Brent's
    algorithm); once it is within the circle, it comes again.
    """
    if onward == row.landmark:
        return "its pages go round in a circle"
    if row.total is not None and row.read > row.total + MAX_BEYOND_TOTAL:
        return f"it has more than the {row.total:,} documents that it says it has"
    if row.pages > row.read + MAX_EMPTY_PAGES:
        return "its pages are empty"
    if row.size > MAX_BYTES:
        return f"it has more than {MAX_BYTES // 1024**2:,} MB, the most that is kept of a council"
    is_endless = row.pages >= MAX_PAGES or row.read >= MAX_DOCUMENTS
    return "it has more than is kept of one council" if is_endless else ""


def _finish(work: UnitOfWork, row: Backfill, state: str, outcome: str) -> None:
    """What was changed while we read, comparing finds."""
    row.state, row.outcome = state, outcome
    row.finished_at, row.leased_until = now(), None
    comparisons.compare_soon(work, row.actor_id)
    work.wake(CONVERSATIONS_JOB)


def _has_others_waiting(node: Node, row_id: int) -> bool:
    due = Backfill.state == Backfill.WAITING, Backfill.due_at <= now(), Backfill.id != row_id
    with node.reading() as session:
        return session.scalar(select(Backfill.id).where(*due).limit(1)) is not None


def _yield_to_others(node: Node, leased: queues.Lease) -> None:
    with node.work(by=Backfill.JOB) as work:
        row = work.session.get_one(Backfill, leased.id, with_for_update=True)
        if row.due_at == leased.due_at:
            row.due_at, row.leased_until = now(), None
