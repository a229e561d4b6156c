"""Queues in tables, with leases: rows leased by a worker that died are leased again.

`due_at` is also the version of a row. Whoever wants a row processed now sets it, and a worker that
fails only reschedules the row if `due_at` is unchanged since the lease. So a request to retry is
never overwritten.
"""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import structlog
from sqlalchemy import ColumnElement, func, or_, select, update

from node.database.tables import now
from node.outages import is_outage
from node.principal import Principal
from node.queue.error_isolation import JOB_RETRY, ErrorIsolation, describe_error
from node.queue.mixins import QueueMixin
from node.runtime import Node, UnitOfWork

log = structlog.get_logger(__name__)

Value = TypeVar("Value")
# The sweeper runs every minute; only rows due sooner need a wake-up.
SWEEP_INTERVAL = timedelta(minutes=1)
# A lease older than this does not count as in flight at its host: a request ends within 10 seconds,
# so the worker may be dead.
IN_FLIGHT_WINDOW = timedelta(seconds=15)
# Seconds between attempts to record results during a database outage.
RECORD_RETRY_SECONDS = 0.25


class Lease(NamedTuple):
    """A leased row: its id, and its `due_at` when it was leased."""

    id: int
    due_at: datetime

    def __str__(self) -> str:
        return str(self.id)


def lease(
    node: Node,
    model: Any,
    limit: int,
    *conditions: ColumnElement[bool],
    per_host: int | None = None,
) -> list[Lease]:
    """Lease up to `limit` due rows that match `conditions`, longest due first.

    With `per_host`, the first rows of all hosts come before the second ones, and no host has more
    than `per_host` in flight. A lease ends after `lease_seconds`, or when its result is recorded.
    """
    if limit < 1 or node.jobs.stopping.is_set():
        return []
    current_time = now()
    is_due = (model.state == model.WAITING_STATE, model.due_at <= current_time, *conditions)
    is_free = or_(model.leased_until.is_(None), model.leased_until < current_time)
    query = select(model.id, model.due_at).where(*is_due, is_free)
    if per_host is None:
        query = query.order_by(model.due_at, model.id)
    else:
        position = (
            func.row_number().over(partition_by=model.host, order_by=model.id).label("position")
        )
        is_candidate = is_free_or_in_flight(
            model, current_time, in_flight_since(node, current_time)
        )
        positions = select(model.id, position).where(*is_due, is_candidate).subquery()
        query = query.join(positions, positions.c.id == model.id).where(
            positions.c.position <= per_host
        )
        query = query.order_by(positions.c.position, model.id)
    query = query.limit(limit).with_for_update(skip_locked=True, of=model)
    with node.work(by=Principal.job(model.JOB)) as work:
        # Locked first: a limit inside the UPDATE may be evaluated more than once on PostgreSQL.
        leases = [Lease(*columns) for columns in work.session.execute(query)]
        take = update(model).where(model.id.in_([row.id for row in leases]))
        lease_end = current_time + timedelta(seconds=node.settings.lease_seconds)
        if leases:
            work.session.execute(take.values(leased_until=lease_end))
    return sorted(leases)


def in_flight_since(node: Node, current_time: datetime) -> datetime:
    """The earliest `leased_until` of a row that was leased within `IN_FLIGHT_WINDOW`."""
    return current_time + timedelta(seconds=node.settings.lease_seconds) - IN_FLIGHT_WINDOW


def is_free_or_in_flight(model: Any, current_time: Any, since: Any) -> ColumnElement[bool]:
    """SQL condition: a row is free, or in flight. A row held by a dead worker is neither: it waits
    for its lease to expire, without delaying others of its host.
    """
    return or_(
        model.leased_until.is_(None), model.leased_until < current_time, model.leased_until >= since
    )


def process_queue(
    node: Node,
    model: type[QueueMixin],
    act: Callable[[Lease], object],
    *conditions: ColumnElement[bool],
    concurrency: int = 1,
    per_host: int | None = None,
) -> None:
    """Lease rows and call `act` for up to `concurrency` of them at a time, until none is due. A row
    for which `act` raises is rescheduled; the others are not affected.
    """
    isolation = isolate_errors(node, model)
    with ThreadPoolExecutor(concurrency) as pool:
        running: set[Future[bool]] = set()
        while True:
            slots = concurrency - len(running)
            leases = lease(node, model, slots, *conditions, per_host=per_host)
            running |= {pool.submit(isolation.attempt, row, act) for row in leases}
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()


def isolate_errors(node: Node, model: type[QueueMixin]) -> ErrorIsolation[Lease]:
    """Error isolation for one run of this queue's job."""
    return ErrorIsolation(model.JOB, lambda row, error: retry_later(node, model, row, error))


def retry_later(node: Node, model: type[QueueMixin], leased: Lease, error: Exception) -> None:
    """Reschedule a row after an error; once `RETRY` is exhausted it fails, if its states allow
    that. An outage of this node does not count as an attempt. Loads no row as an object, since
    loading it may be what failed.
    """
    is_counted, current_time = not is_outage(error), now()
    columns = model.attempts, model.due_at
    is_waiting = model.id == leased.id, model.state == model.WAITING_STATE
    with node.work(by=Principal.job(model.JOB)) as work:
        row = work.session.execute(
            select(*columns).where(*is_waiting).with_for_update()
        ).one_or_none()
        if row is None:
            return
        values: dict[str, Any] = {"leased_until": None}
        if model.REASON_COLUMN:
            values[model.REASON_COLUMN] = describe_error(error)
        if row.due_at == leased.due_at:
            attempts = row.attempts + is_counted
            delay = model.RETRY.delay(attempts) if is_counted else JOB_RETRY.first_delay
            values |= {"attempts": attempts, "due_at": current_time + delay}
            may_fail = "failed" in model.STATES[model.WAITING_STATE]
            if may_fail and model.RETRY.is_exhausted(attempts):
                values |= {"state": "failed", "finished_at": current_time}
            else:
                work.wake(model.JOB, delay)
        work.session.execute(update(model).where(*is_waiting).values(values))


def record_with_retry(
    node: Node, model: type[QueueMixin], act: Callable[[UnitOfWork], Value]
) -> Value:
    """Call `act` in a transaction of its own, to record results. Repeats it during a database
    outage, so that what was sent is not sent again.

    Raises the outage after half of `lease_seconds`, and any other error of `act` at once.
    """
    deadline = time.monotonic() + node.settings.lease_seconds / 2
    while True:
        try:
            with node.work(by=Principal.job(model.JOB)) as work:
                return act(work)
        except Exception as error:
            if not is_outage(error) or time.monotonic() > deadline:
                raise
            log.warning("results could not be recorded", job=model.JOB, reason=str(error))
        time.sleep(RECORD_RETRY_SECONDS)


def release_all_leases(node: Node) -> None:
    """Release all leases of a dead process, at the start of a node with no other worker."""
    for model in QueueMixin.__subclasses__():
        with node.work(by=Principal.job(model.JOB)) as work:
            leased = update(model).where(model.leased_until.is_not(None))
            work.session.execute(leased.values(leased_until=None))


def wakes_for_next(
    model: type[QueueMixin],
) -> Callable[[Callable[[Node], None]], Callable[[Node], None]]:
    """Decorator for the job of the queue `model`: afterwards, wakes it for the next row due within
    the sweep interval.

    A process killed between recording a failed attempt and scheduling the next one loses only that
    wake-up; the next run makes up for it.
    """

    def decorate(job: Callable[[Node], None]) -> Callable[[Node], None]:
        def run(node: Node) -> None:
            job(node)
            current_time = now()
            is_later = model.state == model.WAITING_STATE, model.due_at > current_time
            with node.reading() as session:
                next_due_at = session.scalar(select(func.min(model.due_at)).where(*is_later))
            if next_due_at is not None and next_due_at < current_time + SWEEP_INTERVAL:
                node.jobs.wake(model.JOB, next_due_at - current_time)

        return run

    return decorate
