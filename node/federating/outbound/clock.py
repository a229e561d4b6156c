"""Watches this machine's clock: reschedules queues after it was set back, and compares it with
other servers' clocks.

Queues are ordered by time. After the clock was set back, a row that was delayed by seconds would
wait until the old time comes again; and a signature dated by a wrong clock is refused elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from federation.signatures.dates import parse_http_date
from node.audit import AuditEntry
from node.database.tables import insert_once, now
from node.federating.models import ClockReading, Delivery, Peer
from node.federating.outbound.outgoing_requests import AttemptResult
from node.messages import Message, msg
from node.principal import Principal
from node.queue import batched_writes
from node.queue.mixins import QueueMixin
from node.runtime import Node, UnitOfWork

JOB = "clock"
SET_BACK_ACTION = "clock.set-back"
# A delivery in progress when the clock was set back ends within this time. Until then it may still
# record a time in the future.
MAX_DELIVERY_TIME = timedelta(minutes=2)
# NTP corrects a clock by less than this.
TOLERANCE = timedelta(minutes=1)
# A server whose clock differs by more may refuse a signature for that alone.
MAX_SIGNATURE_SKEW = timedelta(minutes=5)
# Responses of other servers that are used: their age, and how many of the newest.
MAX_AGE, MAX_SERVERS = timedelta(days=1), 50


def run_job(node: Node) -> None:
    """The job: record the time; after the clock was set back, make all waiting rows due."""
    with node.work(by=Principal.job(JOB)) as work:
        current_time = now()
        insert_once(work.session, ClockReading, id=1, seen_at=current_time)
        clock = work.session.scalars(select(ClockReading).with_for_update()).one()
        set_back_by = max([clock.seen_at, *_find_last_attempt_times(work.session)]) - current_time
        if set_back_by > TOLERANCE:
            work.audit(SET_BACK_ACTION, "", seconds=round(set_back_by.total_seconds()))
        if set_back_by > TOLERANCE or _was_set_back_recently(work.session, current_time):
            batched_writes.start(work, RESCHEDULE)
        clock.seen_at = current_time


def _find_last_attempt_times(session: Session) -> list[datetime]:
    """The latest recorded times of deliveries. They reveal a clock that was ahead between two runs
    of this job.
    """
    query = select(func.max(Peer.failed_at), func.max(Peer.delivered_at))
    return [time for time in session.execute(query).one() if time is not None]


def _was_set_back_recently(session: Session, current_time: datetime) -> bool:
    is_recent = (
        AuditEntry.action == SET_BACK_ACTION,
        AuditEntry.at > current_time - MAX_DELIVERY_TIME,
    )
    return session.scalar(select(AuditEntry.id).where(*is_recent).limit(1)) is not None


def _reschedule_batch(work: UnitOfWork, _row: batched_writes.BatchedWrite) -> bool:
    """Reset one batch of times that lie in the future. Returns whether there may be more."""
    current_time = now()
    for column, affected, value in _iter_future_time_columns(
        current_time, timedelta(seconds=work.settings.lease_seconds)
    ):
        model = column.class_
        ids = batched_writes.lock_batch(work.session, model, affected)
        reset = update(model).where(model.id.in_(ids)).values({column.key: value})
        work.session.execute(reset, execution_options=batched_writes.NO_SESSION_SYNC)
        if ids and issubclass(model, QueueMixin):
            work.wake(model.JOB)
        if len(ids) == batched_writes.BATCH_SIZE:
            return True
    return False


def _iter_future_time_columns(
    current_time: datetime, lease: timedelta
) -> Iterator[tuple[Any, Select[int], datetime | None]]:
    """Yields each column that may hold a future time, a query of the affected ids, and the value to
    reset them to.
    """
    for model in QueueMixin.__subclasses__():
        waiting = select(model.id).where(model.state == model.WAITING_STATE)
        yield model.due_at, waiting.where(model.due_at > current_time), current_time
        yield model.leased_until, waiting.where(model.leased_until > current_time + lease), None
    for column in (Peer.try_after, Peer.unreachable_since, Peer.failed_at, Peer.delivered_at):
        yield column, select(Peer.id).where(column > current_time), current_time
    for column, state in ((Delivery.trying_since, "pending"), (Delivery.finished_at, "failed")):
        yield (
            column,
            select(Delivery.id).where(Delivery.state == state, column > current_time),
            current_time,
        )


RESCHEDULE = batched_writes.BatchedWriteKind("pull-in-times", _reschedule_batch)


def clock_difference(result: AttemptResult) -> timedelta | None:
    """How far the responding server's clock is ahead of ours; None if it sent no Date header."""
    date = parse_http_date(result.headers.get("date", ""))
    return date - result.at if date else None


def explains_refusal(result: AttemptResult) -> bool:
    """Whether a signature was refused and the clocks differ enough to explain it. Such a delivery
    is retried for as long as if the server were unreachable.
    """
    difference = clock_difference(result)
    return (
        result.status in {401, 403}
        and difference is not None
        and abs(difference) > MAX_SIGNATURE_SKEW
    )


@dataclass(frozen=True)
class ClockCheck:
    """The median difference to the clocks of `servers` servers: how far ours is behind theirs;
    negative if it is ahead.
    """

    server_count: int
    lag: timedelta

    @property
    def is_wrong(self) -> bool:
        return self.server_count > 1 and abs(self.lag) > TOLERANCE

    @property
    def message(self) -> Message:
        minutes = round(abs(self.lag).total_seconds() / 60)
        values = {"minutes": minutes, "servers": self.server_count}
        if self.lag > timedelta():
            return msg(
                "The clock on this server is %(minutes)s minutes behind the clocks on "
                "%(servers)s other servers. They may refuse messages from this server.",
                **values,
            )
        return msg(
            "The clock on this server is %(minutes)s minutes ahead of the clocks "
            "on %(servers)s other servers. They may refuse messages from this "
            "server.",
            **values,
        )


def check_clock(session: Session) -> ClockCheck:
    """Compare our clock with those of the servers that responded recently. By the median, so that a
    single wrong clock does not count.
    """
    current_time = now()
    is_recent = (Peer.delivered_at > current_time - MAX_AGE) | (
        Peer.failed_at > current_time - MAX_AGE
    )
    query = select(Peer.clock_difference).where(Peer.clock_difference.is_not(None), is_recent)
    differences = session.scalars(query.order_by(Peer.id.desc()).limit(MAX_SERVERS)).all()
    seconds = (
        median([difference for difference in differences if difference is not None])
        if differences
        else 0
    )
    return ClockCheck(len(differences), timedelta(seconds=seconds))
