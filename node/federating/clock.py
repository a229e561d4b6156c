"""This machine's clock: what follows when it is set back, and whether other servers' agree with it.

Queues are ordered by times. After the clock was set back, what was put off for seconds would wait
until the old time comes again; and what is signed with a clock that is wrong is refused elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from federation.signatures.dates import parse_http_date
from node import long_writes
from node.audit import AuditEntry
from node.db import insert_once, now
from node.federating.models import ClockReading, Delivery, Peer, QueueMixin
from node.federating.outgoing_requests import AttemptResult
from node.messages import Message, msg
from node.runtime import Node, UnitOfWork

JOB = "clock"
SET_BACK_ACTION = "clock.set-back"
# A delivery in progress when the clock was set back ends within this time. Until then it may still
# record a time in the future.
MAX_DELIVERY_TIME = timedelta(minutes=2)
# A clock that is put right step by step differs by less.
TOLERANCE = timedelta(minutes=1)
# A server whose clock differs by more may refuse a signature for that alone.
MAX_SIGNATURE_SKEW = timedelta(minutes=5)
# Answers of other servers count so long, and so many of the newest.
MAX_AGE, MAX_SERVERS = timedelta(days=1), 50


def run_job(node: Node) -> None:
    """The job: note the time; after the clock was set back, all that waits is due."""
    with node.work(by=JOB) as work:
        moment = now()
        insert_once(work.session, ClockReading, id=1, seen_at=moment)
        clock = work.session.scalars(select(ClockReading).with_for_update()).one()
        by = max([clock.seen_at, *_last_attempts(work.session)]) - moment
        if by > TOLERANCE:
            work.audit(SET_BACK_ACTION, "", seconds=round(by.total_seconds()))
        if by > TOLERANCE or _was_set_back_lately(work.session, moment):
            long_writes.begin(work, RESCHEDULE)
        clock.seen_at = moment


def _last_attempts(session: Session) -> list[datetime]:
    """The latest times of deliveries. They show a clock that was ahead between two runs of this
    job.
    """
    query = select(func.max(Peer.failed_at), func.max(Peer.delivered_at))
    return [moment for moment in session.execute(query).one() if moment is not None]


def _was_set_back_lately(session: Session, moment: datetime) -> bool:
    lately = AuditEntry.action == SET_BACK_ACTION, AuditEntry.at > moment - MAX_DELIVERY_TIME
    return session.scalar(select(AuditEntry.id).where(*lately).limit(1)) is not None


def _reschedule_batch(work: UnitOfWork, _row: long_writes.LongWrite) -> bool:
    """Whatever was put off is due now, and no time lies after it."""
    moment = now()
    for column, chosen, value in _future_times(
        moment, timedelta(seconds=work.settings.lease_seconds)
    ):
        model = column.class_
        ids = long_writes.lock_batch(work.session, model, chosen)
        changed = update(model).where(model.id.in_(ids)).values({column.key: value})
        work.session.execute(changed, execution_options=long_writes.UNSYNCHRONISED)
        if ids and issubclass(model, QueueMixin):
            work.wake(model.JOB)
        if len(ids) == long_writes.BATCH_SIZE:
            return True
    return False


def _future_times(
    moment: datetime, lease: timedelta
) -> Iterator[tuple[Any, Select[int], datetime | None]]:
    """Each column of times that may lie ahead: the rows where one does, and what it becomes."""
    for row in QueueMixin.__subclasses__():
        waiting = select(row.id).where(row.state == row.WAITING)
        yield row.due_at, waiting.where(row.due_at > moment), moment
        yield row.leased_until, waiting.where(row.leased_until > moment + lease), None
    for column in (Peer.try_after, Peer.unreachable_since, Peer.failed_at, Peer.delivered_at):
        yield column, select(Peer.id).where(column > moment), moment
    for column, state in ((Delivery.trying_since, "pending"), (Delivery.finished_at, "failed")):
        yield column, select(Delivery.id).where(Delivery.state == state, column > moment), moment


RESCHEDULE = long_writes.LongWriteKind("pull-in-times", _reschedule_batch)


def clock_difference(tried: AttemptResult) -> timedelta | None:
    """How much further the clock of a server that answered is; None where it does not say."""
    date = parse_http_date(tried.headers.get("date", ""))
    return date - tried.at if date else None


def explains_refusal(tried: AttemptResult) -> bool:
    """Whether a signature was refused, and the two clocks differ so much that it may have been for
    that alone: then it is tried as long as where nobody answers.
    """
    found = clock_difference(tried)
    return tried.status in {401, 403} and found is not None and abs(found) > MAX_SIGNATURE_SKEW


@dataclass(frozen=True)
class ClockCheck:
    """What most of `servers` say: our clock is `behind` theirs by so much; negative: ahead."""

    servers: int
    behind: timedelta

    @property
    def is_wrong(self) -> bool:
        return self.servers > 1 and abs(self.behind) > TOLERANCE

    @property
    def words(self) -> Message:
        minutes = round(abs(self.behind).total_seconds() / 60)
        values = {"minutes": minutes, "servers": self.servers}
        if self.behind > timedelta():
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
    """By the servers that answered lately: the median, so that one that is wrong does not count."""
    moment = now()
    lately = (Peer.delivered_at > moment - MAX_AGE) | (Peer.failed_at > moment - MAX_AGE)
    query = select(Peer.clock_difference).where(Peer.clock_difference.is_not(None), lately)
    found = session.scalars(query.order_by(Peer.id.desc()).limit(MAX_SERVERS)).all()
    seconds = median([each for each in found if each is not None]) if found else 0
    return ClockCheck(len(found), timedelta(seconds=seconds))
