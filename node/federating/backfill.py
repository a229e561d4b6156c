"""Reading all that a council had before we followed it: page by page, and on from there after a
crash.

Each page is stored together with the address of the next one, in one transaction.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.errors import FederationError
from federation.origin import same_origin
from federation.vocabulary import Activity, Collection, CollectionPage, id_of, parse
from node.db import now
from node.errors import MoothallError
from node.federating import fetching, queues
from node.federating.dispatching import dispatch
from node.federating.models import Actor, Backfill, Follow
from node.runtime import Node, Received, UnitOfWork

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 10
PAGES_IN_TURN = 10
# More than the projects of a whole country.
MOST_PROJECTS = 200_000
MOST_PAGES = 10_000


def begin(work: UnitOfWork, actor: Actor) -> None:
    """Read the projects of `actor` from the beginning, if it says where they are."""
    if not actor.projects:
        return
    row = work.session.scalar(select(Backfill).where(Backfill.actor_id == actor.id))
    if row is None:
        row = Backfill(actor=actor)
        work.session.add(row)
    row.next_page, row.state = actor.projects, "running"
    row.pages, row.read, row.total, row.attempts, row.outcome = 0, 0, None, 0, ""
    row.due_at, row.leased_until = now(), None
    work.wake(Backfill.JOB)


@queues.wakes_for_next(Backfill)
def work_off(node: Node) -> None:
    """The job: go on with every council that is being read, a few pages of each in turn."""
    while rows := queues.lease(node, Backfill, 1):
        try:
            for _ in range(PAGES_IN_TURN):
                if not _read_page(node, rows[0]) or node.jobs.stopping.is_set():
                    break
            else:
                _let_others(node, rows[0])
        except (MoothallError, FederationError) as error:
            _put_off(node, rows[0], str(error))
        except Exception as error:
            log.exception("a page could not be kept", backfill=rows[0])
            _put_off(node, rows[0], f"{type(error).__name__}: {error}")


def _read_page(node: Node, row_id: int) -> bool:
    """Read one page and store it; False after the last."""
    with node.reading() as session:
        row = session.get_one(Backfill, row_id)
        address, actor_uri = row.next_page, row.actor.uri
    page = parse(fetching.document(node, address))
    if isinstance(page, Collection):
        items, following = page.items or (), page.first
    elif isinstance(page, CollectionPage):
        items, following = page.items, page.next
    else:
        raise fetching.NotFetchedError(f"{address} is not a collection.", permanent=True)
    onward = id_of(following)
    if onward is not None and (onward == address or not same_origin(onward, actor_uri)):
        raise fetching.NotFetchedError(f"{address} leads nowhere.", permanent=True)
    with node.work(by=actor_uri) as work:
        row = work.session.get_one(Backfill, row_id, with_for_update=True)
        if row.next_page != address or row.state != Backfill.WAITING:
            return False  # begun again meanwhile, or given up
        _store(node, work, actor_uri, items)
        row.pages += 1
        row.read += len(items)
        row.total = page.total_items if page.total_items is not None else row.total
        row.attempts = 0
        _go_on(work, row, onward)
        return row.state == Backfill.WAITING


def _go_on(work: UnitOfWork, row: Backfill, onward: str | None) -> None:
    """Where to read next, if anywhere: nobody keeps us reading for ever, or when we left."""
    row.leased_until = now() + timedelta(seconds=work.settings.lease_seconds)
    if onward is None:
        row.state = "done"
    elif row.pages >= MOST_PAGES or row.read >= MOST_PROJECTS:
        row.state, row.outcome = "failed", "there is no end to it"
    elif not _is_followed(work.session, row.actor):
        row.state, row.outcome = "failed", "no longer followed"
    else:
        row.next_page = onward
    if row.state != Backfill.WAITING:
        row.leased_until = None


def _is_followed(session: Session, actor: Actor) -> bool:
    """Whether our council follows `actor`, and was accepted."""
    accepted = Follow.followed_id == actor.id, Follow.state == "accepted"
    return session.scalar(select(Follow.id).where(*accepted)) is not None


def _let_others(node: Node, row_id: int) -> None:
    with node.work(by=Backfill.JOB) as work:
        row = work.session.get_one(Backfill, row_id)
        row.due_at, row.leased_until = now(), None


def _store(node: Node, work: UnitOfWork, actor_uri: str, items: Iterable[Any]) -> None:
    """Each document as if its council had just sent it; what does not fit is left out."""
    for item in items:
        uri = id_of(item)
        if not isinstance(item, dict) or uri is None or not same_origin(uri, actor_uri):
            continue
        received = Received(Activity(uri, "Create", actor_uri, item), item)
        try:
            with work.session.begin_nested():
                dispatch(node, work, received)
        except (MoothallError, FederationError) as error:
            log.info("left out of a backfill", uri=uri, why=str(error))


def _put_off(node: Node, row_id: int, why: str) -> None:
    with node.work(by=Backfill.JOB) as work:
        row = work.session.get_one(Backfill, row_id)
        row.attempts += 1
        row.leased_until = None
        row.outcome = why[:500]
        if row.attempts >= MOST_ATTEMPTS:
            row.state = "failed"
        else:
            delay = timedelta(seconds=15 * 2**row.attempts)
            row.due_at = now() + delay
            work.wake(Backfill.JOB, delay)
