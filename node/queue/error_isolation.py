"""Keeps an item that fails from stopping a job.

An item whose processing raises is recorded for the operator and retried later, with a delay that
grows each time, while the job continues with the next item. Queues (`node.queue.leases`) store
retries in columns of their own, all other jobs in rows of `JobFailure`.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog
from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from federation.errors import FederationError
from federation.retry import RetryPolicy
from node.database.tables import Base, insert_into, now
from node.errors import MoothallError
from node.outages import is_outage
from node.principal import Principal
from node.runtime import Node
from node.text import one_line

log = structlog.get_logger(__name__)

Item = TypeVar("Item")
# Logged without a traceback: their text explains them.
EXPECTED_ERRORS = MoothallError, FederationError
# Jobs run every minute, so the next run makes the first retry. Ten failures take most of a day.
JOB_RETRY = RetryPolicy(timedelta(minutes=1), max_attempts=10)
# Consecutive items that fail because of an outage before the run ends: the items are not at fault.
MAX_OUTAGES = 3
MAX_LEN_ERROR, MAX_LEN_ITEM = 500, 200


class JobFailure(Base):
    """An item that a job failed to process, and when it is retried. `item` is the job's name for
    it; `attempts` counts consecutive failures, without those caused by an outage of this node.
    """

    __tablename__ = "job_failure"

    job: Mapped[str] = mapped_column(String(40), primary_key=True)
    item: Mapped[str] = mapped_column(String(MAX_LEN_ITEM), primary_key=True)
    attempts: Mapped[int]
    error: Mapped[str] = mapped_column(String(MAX_LEN_ERROR))
    first_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime]


class ErrorIsolation(Generic[Item]):
    """One run of a job, which threads may share. `retry_later(item, error)` records a failure in a
    transaction of its own. The run ends if that raises, or after `MAX_OUTAGES` in a row.
    """

    def __init__(self, job: str, retry_later: Callable[[Item, Exception], None]) -> None:
        self._job, self._retry_later = job, retry_later
        self._outages_in_a_row = 0
        self._lock = threading.Lock()

    def attempt(self, item: Item, act: Callable[[Item], object]) -> bool:
        """Call `act` with an item. Returns False if it raised and the item is retried later."""
        try:
            act(item)
        except Exception as error:
            write = log.exception
            if isinstance(error, EXPECTED_ERRORS) or is_outage(error):
                write = log.info
            write("job item failed", job=self._job, item=str(item), error=describe_error(error))
            self._retry_later(item, error)
            if self._is_down(error):
                raise
            return False
        self._outages_in_a_row = 0
        return True

    def attempt_all(
        self, items: Sequence[Item], act: Callable[[Sequence[Item]], object]
    ) -> list[Item]:
        """Call `act` with all items, and if that fails, with each alone. Returns the items that
        succeeded.
        """
        if len(items) > 1:
            try:
                act(items)
            except Exception as error:  # noqa: BLE001 -- each item is then attempted alone
                log.info("job batch failed", job=self._job, error=describe_error(error))
            else:
                return list(items)
        return [item for item in items if self.attempt(item, lambda single: act([single]))]

    def _is_down(self, error: Exception) -> bool:
        with self._lock:
            self._outages_in_a_row = self._outages_in_a_row + 1 if is_outage(error) else 0
            return self._outages_in_a_row >= MAX_OUTAGES


class JobItems(Generic[Item]):
    """The items of a job that has no queue of its own. `str(item)` identifies an item as long as it
    exists, to this job and to the operator. `give_up` is called with an item once
    `JOB_RETRY` is exhausted; without it, items are retried for ever, every 12 hours in the end.
    """

    def __init__(
        self, node: Node, job: str, give_up: Callable[[Item], object] | None = None
    ) -> None:
        self._node, self._job, self._give_up = node, job, give_up
        self._isolation = ErrorIsolation[Item](job, self._retry_later)
        with node.reading() as session:
            query = select(JobFailure.item, JobFailure.due_at).where(JobFailure.job == job)
            self._due = {row.item: row.due_at for row in session.execute(query)}

    @property
    def postponed_names(self) -> set[str]:
        """The names of failed items that are not due yet, including those that failed just now."""
        current_time = now()
        return {name for name, due_at in self._due.items() if due_at > current_time}

    def is_due(self, item: Item) -> bool:
        """Whether to process an item now: no retry is pending, and the node is not stopping."""
        due_at = self._due.get(_item_name(item))
        return not self._node.jobs.stopping.is_set() and (due_at is None or due_at <= now())

    def attempt(self, item: Item, act: Callable[[Item], object]) -> None:
        """Call `act` with an item, if it is due. `act` opens its own transactions."""
        if self.is_due(item) and self._isolation.attempt(item, act):
            self._clear_failure(item)

    def attempt_all(self, items: Sequence[Item], act: Callable[[Sequence[Item]], object]) -> None:
        """Call `act` with all items that are due, and if that fails, with each alone."""
        due = [item for item in items if self.is_due(item)]
        for item in self._isolation.attempt_all(due, act):
            self._clear_failure(item)

    def _clear_failure(self, item: Item) -> None:
        if _item_name(item) in self._due:
            is_item = JobFailure.job == self._job, JobFailure.item == _item_name(item)
            with self._node.work(by=Principal.job(self._job)) as work:
                work.session.execute(delete(JobFailure).where(*is_item))
            del self._due[_item_name(item)]

    def _retry_later(self, item: Item, error: Exception) -> None:
        """Record a failure and when to retry. An outage of this node is not counted."""
        name, current_time = _item_name(item), now()
        is_item = JobFailure.job == self._job, JobFailure.item == name
        with self._node.work(by=Principal.job(self._job)) as work:
            session = work.session
            before = session.scalar(select(JobFailure.attempts).where(*is_item).with_for_update())
            attempts = (before or 0) + (not is_outage(error))
            due_at = current_time + JOB_RETRY.delay(attempts)
            values = {
                "attempts": attempts,
                "error": describe_error(error),
                "last_at": current_time,
                "due_at": due_at,
            }
            insert = insert_into(session, JobFailure).values(
                job=self._job, item=name, first_at=current_time, **values
            )
            key = ["job", "item"]
            session.execute(insert.on_conflict_do_update(index_elements=key, set_=values))
        self._due[name] = due_at
        if self._give_up is not None and JOB_RETRY.is_exhausted(attempts):
            self._give_up(item)


def for_each(
    node: Node,
    job: str,
    items: Iterable[Item],
    act: Callable[[Item], object],
    *,
    concurrency: int = 1,
) -> None:
    """Call `act` with each of `items` that is due, in up to `concurrency` threads, until the node
    stops. `act` opens its own transactions.
    """
    if not (all_items := list(items)):
        return
    run = JobItems[Item](node, job)
    if concurrency == 1:
        for item in all_items:
            run.attempt(item, act)
        return
    with ThreadPoolExecutor(concurrency) as pool:
        for future in [pool.submit(run.attempt, item, act) for item in all_items]:
            future.result()


def describe_error(error: Exception) -> str:
    """An error in one line for the operator, at most `MAX_LEN_ERROR` characters."""
    text = str(error) if isinstance(error, EXPECTED_ERRORS) else f"{type(error).__name__}: {error}"
    return one_line(text.encode(errors="replace").decode(), MAX_LEN_ERROR)


def list_failures(session: Session, limit: int) -> Sequence[JobFailure]:
    """The failed items of jobs, latest failure first."""
    latest = select(JobFailure).order_by(JobFailure.last_at.desc(), JobFailure.job, JobFailure.item)
    return session.scalars(latest.limit(limit)).all()


def _item_name(item: object) -> str:
    return one_line(str(item), MAX_LEN_ITEM)
