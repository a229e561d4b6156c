"""Reading all that a council had before we followed it: page by page, and on from there after a
crash.

Each page is stored together with the address of the next one, in one transaction.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import or_, select, update

from federation.errors import FederationError
from federation.origin import same_origin
from federation.vocabulary import Activity, Collection, CollectionPage, id_of, parse
from node.db import now
from node.errors import MoothallError
from node.federating import fetching
from node.federating.dispatching import dispatch
from node.federating.models import Actor, Backfill
from node.runtime import Node, Received, UnitOfWork

log = structlog.get_logger(__name__)

JOB = "backfill"
MOST_ATTEMPTS = 10


def begin(work: UnitOfWork, actor: Actor) -> None:
    """Read the projects of `actor` from the beginning, if it says where they are."""
    if not actor.projects:
        return
    row = work.session.scalar(select(Backfill).where(Backfill.actor_id == actor.id))
    if row is None:
        row = Backfill(actor=actor)
        work.session.add(row)
    row.next_page, row.state = actor.projects, "running"
    row.read, row.total, row.attempts, row.outcome = 0, None, 0, ""
    row.due_at, row.leased_until = now(), None
    work.wake(JOB)


def work_off(node: Node) -> None:
    """The job: go on with every council that is being read."""
    while (row := _lease(node)) is not None:
        try:
            while _read_page(node, row):
                pass
        except (MoothallError, FederationError) as error:
            _put_off(node, row, str(error))


def release_all(node: Node) -> None:
    """A node whose only worker is inside it starts: leases that stand are of a process that died."""
    with node.work(by=JOB) as work:
        work.session.execute(
            update(Backfill).where(Backfill.leased_until.is_not(None)).values(leased_until=None)
        )


def _lease(node: Node) -> int | None:
    moment = now()
    due = (
        select(Backfill.id)
        .where(
            Backfill.state == "running",
            Backfill.due_at <= moment,
            or_(Backfill.leased_until.is_(None), Backfill.leased_until < moment),
        )
        .order_by(Backfill.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    with node.work(by=JOB) as work:
        return work.session.scalar(
            update(Backfill)
            .where(Backfill.id.in_(due))
            .values(leased_until=moment + timedelta(seconds=node.settings.lease_seconds))
            .returning(Backfill.id)
        )


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
        row = work.session.get_one(Backfill, row_id)
        if row.next_page != address:
            return False  # begun again meanwhile
        _store(node, work, actor_uri, items)
        row.read += len(items)
        row.total = page.total_items if page.total_items is not None else row.total
        row.attempts = 0
        row.leased_until = now() + timedelta(seconds=node.settings.lease_seconds)
        if onward is None:
            row.state, row.leased_until = "done", None
        else:
            row.next_page = onward
    return onward is not None


def _store(node: Node, work: UnitOfWork, actor_uri: str, items: Iterable[Any]) -> None:
    """Each document as if its council had just sent it; what does not fit is left out."""
    for item in items:
        uri = id_of(item)
        if not isinstance(item, dict) or uri is None or not same_origin(uri, actor_uri):
            continue
        received = Received(Activity(uri, "Create", actor_uri, item), item)
        with work.session.begin_nested() as savepoint:
            try:
                dispatch(node, work, received)
            except (MoothallError, FederationError) as error:
                savepoint.rollback()
                log.info("left out of a backfill", uri=uri, why=str(error))


def _put_off(node: Node, row_id: int, why: str) -> None:
    with node.work(by=JOB) as work:
        row = work.session.get_one(Backfill, row_id)
        row.attempts += 1
        row.leased_until = None
        row.outcome = why[:500]
        if row.attempts >= MOST_ATTEMPTS:
            row.state = "failed"
        else:
            delay = timedelta(seconds=15 * 2**row.attempts)
            row.due_at = now() + delay
            work.wake(JOB, delay)
