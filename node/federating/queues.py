"""Rows with a state as queues, taken on lease: what a dead worker held is taken up again.

`due_at` is also the version of a row's turn: whoever wants a row worked on now sets it, and a
worker that fails puts the row off only if it is still what it was when the row was leased. So
nobody's wish to try again is overwritten.
"""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import structlog
from sqlalchemy import ColumnElement, func, or_, select, update

from federation import retry
from node.db import now
from node.error_isolation import FIRST_RETRY_DELAY, ErrorIsolation, describe_error
from node.federating.models import QueueMixin
from node.outages import is_outage
from node.runtime import Node, UnitOfWork

log = structlog.get_logger(__name__)

Value = TypeVar("Value")
# What is due later than this is found by the sweeper, which comes every minute.
SWEEP_INTERVAL = timedelta(minutes=1)
# Work on a row that was leased longer ago than this does not count as under way at its host: one
# request ends within 10 seconds, and its worker may be dead.
IN_FLIGHT_WINDOW = timedelta(seconds=15)
# Seconds between two tries to record what was done, while the database has an outage.
RECORD_RETRY_SECONDS = 0.25


class Lease(NamedTuple):
    """A row that is this worker's for a while: its id, and when it was due."""

    id: int
    due_at: datetime

    def __str__(self) -> str:
        return str(self.id)


def lease(
    node: Node,
    row: Any,
    most: int,
    *among: ColumnElement[bool],
    per_host: int | None = None,
) -> list[Lease]:
    """Take up to `most` rows that are due and fulfil `among`, those that are due longest first.

    With `of_each_host`, each host's first come before any host's second, and no host has more than
    so many under way. They are this worker's until `lease_seconds` have passed, or until it
    records what came of them.
    """
    if most < 1 or node.jobs.stopping.is_set():
        return []
    moment = now()
    due = (row.state == row.WAITING, row.due_at <= moment, *among)
    is_free = or_(row.leased_until.is_(None), row.leased_until < moment)
    free = select(row.id, row.due_at).where(*due, is_free)
    if per_host is None:
        free = free.order_by(row.due_at, row.id)
    else:
        turn = func.row_number().over(partition_by=row.host, order_by=row.id).label("turn")
        counts = is_free_or_in_flight(row, moment, in_flight_since(node, moment))
        turns = select(row.id, turn).where(*due, counts).subquery()
        free = free.join(turns, turns.c.id == row.id).where(turns.c.turn <= per_host)
        free = free.order_by(turns.c.turn, row.id)
    free = free.limit(most).with_for_update(skip_locked=True, of=row)
    with node.work(by=row.JOB) as work:
        # Locked first: a limit inside the UPDATE may be evaluated more than once on PostgreSQL.
        leased = [Lease(*found) for found in work.session.execute(free)]
        taken = update(row).where(row.id.in_([one.id for one in leased]))
        until = moment + timedelta(seconds=node.settings.lease_seconds)
        if leased:
            work.session.execute(taken.values(leased_until=until))
    return sorted(leased)


def in_flight_since(node: Node, moment: datetime) -> datetime:
    """Until when a row is leased, at least, on which work began less than `UNDER_WAY` ago."""
    return moment + timedelta(seconds=node.settings.lease_seconds) - IN_FLIGHT_WINDOW


def is_free_or_in_flight(row: Any, moment: Any, since: Any) -> ColumnElement[bool]:
    """Whether a row is free, or work on it is under way. What a dead worker holds is neither: it
    waits for its lease to run out, and holds up nothing else that goes to its host.
    """
    return or_(row.leased_until.is_(None), row.leased_until < moment, row.leased_until >= since)


def process_queue(
    node: Node,
    row: type[QueueMixin],
    act: Callable[[Lease], object],
    *among: ColumnElement[bool],
    concurrency: int = 1,
    per_host: int | None = None,
) -> None:
    """Lease rows and `act` on up to `at_once` of them at the same time, until none is left. A row
    for which `act` raises is put off, and the others are worked on.
    """
    run = isolate_errors(node, row)
    with ThreadPoolExecutor(concurrency) as pool:
        running: set[Future[bool]] = set()
        while True:
            free = concurrency - len(running)
            leased = lease(node, row, free, *among, per_host=per_host)
            running |= {pool.submit(run.attempt, one, act) for one in leased}
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()


def isolate_errors(node: Node, row: type[QueueMixin]) -> ErrorIsolation[Lease]:
    """One run of the job of this queue."""
    return ErrorIsolation(row.JOB, lambda one, error: retry_later(node, row, one, error))


def retry_later(node: Node, row: type[QueueMixin], leased: Lease, error: Exception) -> None:
    """Work on a row failed: it is tried again later, and given up after `MAX_ATTEMPTS`, where its
    states know an end. An outage of this node's counts for nothing. It is for no row to be loaded
    here: that may be what failed.
    """
    is_counted, moment = not is_outage(error), now()
    columns = row.attempts, row.due_at
    mine = row.id == leased.id, row.state == row.WAITING
    with node.work(by=row.JOB) as work:
        found = work.session.execute(select(*columns).where(*mine).with_for_update()).one_or_none()
        if found is None:
            return
        values: dict[str, Any] = {"leased_until": None}
        if row.REASON:
            values[row.REASON] = describe_error(error)
        if found.due_at == leased.due_at:
            attempts = found.attempts + is_counted
            delay = retry_delay(row, attempts) if is_counted else FIRST_RETRY_DELAY
            values |= {"attempts": attempts, "due_at": moment + delay}
            if attempts >= row.MAX_ATTEMPTS and "failed" in row.STATES[row.WAITING]:
                values |= {"state": "failed", "finished_at": moment}
            else:
                work.wake(row.JOB, delay)
        work.session.execute(update(row).where(*mine).values(values))


def retry_delay(row: type[QueueMixin], attempts: int) -> timedelta:
    """How long a row of this queue waits after so many failed attempts."""
    return retry.exponential_delay(row.FIRST_DELAY, max(attempts - 1, 0))


def record_with_retry(
    node: Node, row: type[QueueMixin], act: Callable[[UnitOfWork], Value]
) -> Value:
    """Have `act` record, in a transaction of its own, what was done outside of any: done again
    while the database has an outage, since what was sent must not be sent again for that.

    Raises that outage once the lease is about to run out, and what else `act` raises at once.
    """
    until = time.monotonic() + node.settings.lease_seconds / 2
    while True:
        try:
            with node.work(by=row.JOB) as work:
                return act(work)
        except Exception as error:
            if not is_outage(error) or time.monotonic() > until:
                raise
            log.warning("the database cannot record what was done", job=row.JOB, why=str(error))
        time.sleep(RECORD_RETRY_SECONDS)


def release_all_leases(node: Node) -> None:
    """A node whose only worker is inside it starts: leases that stand are of a dead process."""
    for row in QueueMixin.__subclasses__():
        with node.work(by=row.JOB) as work:
            stands = update(row).where(row.leased_until.is_not(None))
            work.session.execute(stands.values(leased_until=None))


def wakes_for_next(
    row: type[QueueMixin],
) -> Callable[[Callable[[Node], None]], Callable[[Node], None]]:
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
            if due is not None and due < moment + SWEEP_INTERVAL:
                node.jobs.wake(row.JOB, due - moment)

        return run

    return decorate
