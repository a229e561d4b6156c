"""Jobs work on one item at a time, and an item that fails fails alone.

An item whose work raises is noted for the operator and put off, longer each time, while the job
goes on with the next. Rows of queues (`node.federating.queues`) are put off in columns of their
own, the items of every other job in rows of `JobFailure`.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog
from sqlalchemy import Select, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from federation import retry
from federation.errors import FederationError
from node.db import Base, insert_into, now
from node.errors import MoothallError
from node.outages import is_outage
from node.runtime import Node
from node.text import one_line

log = structlog.get_logger(__name__)

Item = TypeVar("Item")
# Errors that say what is wrong: no trace of them is needed.
EXPECTED_ERRORS = MoothallError, FederationError
# Jobs run every minute, so a failed item is first tried again by the next run.
FIRST_RETRY_DELAY = timedelta(minutes=1)
# An item that can end is given up after so many failures: after most of a day.
MAX_ATTEMPTS = 10
# Outages with so many items in a row end the run: it is not the items.
MAX_OUTAGES = 3
MAX_LEN_ERROR, MAX_LEN_ITEM = 500, 200
# An item that failed and was not met again for so long is gone.
FAILURE_RETENTION = timedelta(days=7)


class JobFailure(Base):
    """An item that a job could not work on, and when it is tried again. `item` is what the job
    calls it; `attempts` counts the failures in a row that were not an outage of this node.
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
    """One run of a job. `put_off(item, error)` notes a failure in a transaction of its own; what it
    raises ends the run, and so do `MAX_OUTAGES` in a row. Threads may share it.
    """

    def __init__(self, job: str, retry_later: Callable[[Item, Exception], None]) -> None:
        self._job, self._retry_later = job, retry_later
        self._outages_in_a_row = 0
        self._lock = threading.Lock()

    def attempt(self, item: Item, act: Callable[[Item], object]) -> bool:
        """Have `act` work on an item; False if it raised, and the item was put off."""
        try:
            act(item)
        except Exception as error:
            write = log.exception
            if isinstance(error, EXPECTED_ERRORS) or is_outage(error):
                write = log.info
            write(
                "an item of a job failed", job=self._job, item=str(item), why=describe_error(error)
            )
            self._retry_later(item, error)
            if self._is_down(error):
                raise
            return False
        self._outages_in_a_row = 0
        return True

    def attempt_all(
        self, items: Sequence[Item], act: Callable[[Sequence[Item]], object]
    ) -> list[Item]:
        """Have `act` work on these together, and should that fail, on each alone. Returns those
        that were worked on.
        """
        if len(items) > 1:
            try:
                act(items)
            except Exception as error:  # noqa: BLE001 -- whose it is shows when each is alone
                log.info("items failed together", job=self._job, why=describe_error(error))
            else:
                return list(items)
        return [item for item in items if self.attempt(item, lambda one: act([one]))]

    def _is_down(self, error: Exception) -> bool:
        with self._lock:
            self._outages_in_a_row = self._outages_in_a_row + 1 if is_outage(error) else 0
            return self._outages_in_a_row >= MAX_OUTAGES


class JobItems(Generic[Item]):
    """The items of a job that has no queue of its own. `str(item)` names one, for this job and for
    the operator, as long as it exists. `give_up`: what ends an item that failed `MAX_ATTEMPTS`
    times, for jobs whose items can end; those of the others are tried every 12 hours in the end.
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
    def postponed(self) -> set[str]:
        """The names of those that failed and are not due yet, in this run too."""
        moment = now()
        return {name for name, due_at in self._due.items() if due_at > moment}

    def is_due(self, item: Item) -> bool:
        """Whether to work on an item now: it was not put off, and the node does not stop."""
        due_at = self._due.get(_item_name(item))
        return not self._node.jobs.stopping.is_set() and (due_at is None or due_at <= now())

    def attempt(self, item: Item, act: Callable[[Item], object]) -> None:
        """Have `act` work on an item that is due, in transactions of its own."""
        if self.is_due(item) and self._isolation.attempt(item, act):
            self._clear_failure(item)

    def attempt_all(self, items: Sequence[Item], act: Callable[[Sequence[Item]], object]) -> None:
        """The same for some at once, in one transaction, as long as that does not fail."""
        due = [item for item in items if self.is_due(item)]
        for item in self._isolation.attempt_all(due, act):
            self._clear_failure(item)

    def _clear_failure(self, item: Item) -> None:
        if _item_name(item) in self._due:
            mine = JobFailure.job == self._job, JobFailure.item == _item_name(item)
            with self._node.work(by=self._job) as work:
                work.session.execute(delete(JobFailure).where(*mine))
            del self._due[_item_name(item)]

    def _retry_later(self, item: Item, error: Exception) -> None:
        """It is tried again later. An outage of this node's does not count against it."""
        name, moment = _item_name(item), now()
        mine = JobFailure.job == self._job, JobFailure.item == name
        with self._node.work(by=self._job) as work:
            session = work.session
            before = session.scalar(select(JobFailure.attempts).where(*mine).with_for_update())
            attempts = (before or 0) + (not is_outage(error))
            due_at = moment + retry.exponential_delay(FIRST_RETRY_DELAY, max(attempts - 1, 0))
            changed = {
                "attempts": attempts,
                "error": describe_error(error),
                "last_at": moment,
                "due_at": due_at,
            }
            new = insert_into(session, JobFailure).values(
                job=self._job, item=name, first_at=moment, **changed
            )
            key = ["job", "item"]
            session.execute(new.on_conflict_do_update(index_elements=key, set_=changed))
        self._due[name] = due_at
        if self._give_up is not None and attempts >= MAX_ATTEMPTS:
            self._give_up(item)


def for_each(
    node: Node,
    job: str,
    items: Iterable[Item],
    act: Callable[[Item], object],
    *,
    concurrency: int = 1,
) -> None:
    """Have `act` work on each of `items`, in transactions of its own, and on up to `at_once` of
    them at the same time; not on those that were put off, and on none once the node stops.
    """
    if not (listed := list(items)):
        return
    run = JobItems[Item](node, job)
    if concurrency == 1:
        for item in listed:
            run.attempt(item, act)
        return
    with ThreadPoolExecutor(concurrency) as pool:
        for future in [pool.submit(run.attempt, item, act) for item in listed]:
            future.result()


def describe_error(error: Exception) -> str:
    """An error in one line for the operator, as a column takes it."""
    text = str(error) if isinstance(error, EXPECTED_ERRORS) else f"{type(error).__name__}: {error}"
    return one_line(text.encode(errors="replace").decode(), MAX_LEN_ERROR)


def list_failures(session: Session, most: int) -> Sequence[JobFailure]:
    """The items that jobs could not work on, the last ones first."""
    latest = select(JobFailure).order_by(JobFailure.last_at.desc(), JobFailure.job, JobFailure.item)
    return session.scalars(latest.limit(most)).all()


def select_expired_failures() -> Select[str, str]:
    """The failures of items that no job meets any more: their keys."""
    keys = select(JobFailure.job, JobFailure.item)
    return keys.where(JobFailure.last_at < now() - FAILURE_RETENTION)


def _item_name(item: object) -> str:
    return one_line(str(item), MAX_LEN_ITEM)
