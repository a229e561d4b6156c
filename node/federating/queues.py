"""Rows with a state as queues, taken on lease: what a dead worker held is taken up again."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, func, or_, select, update

from node.db import now
from node.federating.models import Queued
from node.runtime import Node

log = structlog.get_logger(__name__)

# What is due later than this is found by the sweeper, which comes every minute.
SOON = timedelta(minutes=1)
# Work on a row that was leased longer ago than this does not count as under way at its host: one
# request ends within 10 seconds, and its worker may be dead.
UNDER_WAY = timedelta(seconds=15)


def lease(
    node: Node,
    row: Any,
    most: int,
    *among: ColumnElement[bool],
    of_each_host: int | None = None,
) -> list[int]:
    """Take up to `most` rows that are due and fulfil `among`, those that are due longest first.

    With `of_each_host`, each host's first come before any host's second, and no host has more than
    so many under way. They are this worker's until `lease_seconds` have passed, or until it
    records what came of them.
    """
    if most < 1 or node.jobs.stopping.is_set():
        return []
    moment = now()
    due = (row.state == row.WAITING, row.due_at <= moment, *among)
    free = select(row.id).where(*due, or_(row.leased_until.is_(None), row.leased_until < moment))
    if of_each_host is None:
        free = free.order_by(row.due_at, row.id)
    else:
        turn = func.row_number().over(partition_by=row.host, order_by=row.id).label("turn")
        counts = counts_at_its_host(row, moment, under_way_since(node, moment))
        turns = select(row.id, turn).where(*due, counts).subquery()
        free = free.join(turns, turns.c.id == row.id).where(turns.c.turn <= of_each_host)
        free = free.order_by(turns.c.turn, row.id)
    free = free.limit(most).with_for_update(skip_locked=True, of=row)
    with node.work(by=row.JOB) as work:
        leased = work.session.scalars(
            update(row)
            .where(row.id.in_(free))
            .values(leased_until=moment + timedelta(seconds=node.settings.lease_seconds))
            .returning(row.id)
        ).all()
    return sorted(leased)


def under_way_since(node: Node, moment: datetime) -> datetime:
    """Until when a row is leased, at least, on which work began less than `UNDER_WAY` ago."""
    return moment + timedelta(seconds=node.settings.lease_seconds) - UNDER_WAY


def counts_at_its_host(row: Any, moment: Any, since: Any) -> ColumnElement[bool]:
    """Whether a row is free, or work on it is under way. What a dead worker holds is neither: it
    waits for its lease to run out, and holds up nothing else that goes to its host.
    """
    return or_(row.leased_until.is_(None), row.leased_until < moment, row.leased_until >= since)


def in_parallel(
    most: int, lease_some: Callable[[int], list[int]], act: Callable[[int], None]
) -> None:
    """Lease rows and `act` on up to `most` at once, until none is left."""
    with ThreadPoolExecutor(most) as pool:
        running: set[Future[None]] = set()
        while True:
            running |= {pool.submit(act, found) for found in lease_some(most - len(running))}
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                if error := future.exception():
                    # Its lease runs out, and it is tried again; the others must not wait for it.
                    log.error("a row could not be worked off", exc_info=error)


def release_all(node: Node) -> None:
    """A node whose only worker is inside it starts: leases that stand are of a dead process."""
    for row in Queued.__subclasses__():
        with node.work(by=row.JOB) as work:
            stands = update(row).where(row.leased_until.is_not(None))
            work.session.execute(stands.values(leased_until=None))


def wakes_for_next(row: type[Queued]) -> Callable[[Callable[[Node], None]], Callable[[Node], None]]:
    """A job that works `row` off also has itself woken for what is due next.

    A process killed between recording a failed attempt and scheduling the next one loses nothing
    but this: whoever comes afterwards makes up for it.
    """

    def decorate(work_off: Callable[[Node], None]) -> Callable[[Node], None]:
        def run(node: Node) -> None:
            work_off(node)
            moment = now()
            later = row.state == row.WAITING, row.due_at > moment
            with node.reading() as session:
                due = session.scalar(select(func.min(row.due_at)).where(*later))
            if due is not None and due < moment + SOON:
                node.jobs.wake(row.JOB, due - moment)

        return run

    return decorate
