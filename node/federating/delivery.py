"""Deliveries on their way: a worker leases rows, sends without a transaction, and records the
answers.

A worker that dies leaves its leases to run out, and what they hold is sent again: at least once,
and the receiver's inbox makes it exactly once. Of one object, what comes first is delivered first.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from node import long_writes
from node.db import now
from node.errors import ConflictError, NotFoundError
from node.federating import peer_health, queues
from node.federating.dead_letters import dead_letter_batch
from node.federating.models import Delivery, Disclosure
from node.federating.sender_pool import SenderPool
from node.messages import msg
from node.pruning import prune as prune_rows
from node.runtime import Node, UnitOfWork

CANCELLED_BY_OPERATOR = "An operator gave it up."
# What is finished is kept so long, and at most so much of it.
RETENTION = timedelta(days=90)
MAX_FINISHED = 1_000_000


@queues.wakes_for_next(Delivery)
def run_job(node: Node) -> None:
    """The job: send everything that is due."""
    with ThreadPoolExecutor(node.settings.delivery_threads) as pool:
        SenderPool(node, pool).run()


def retry(work: UnitOfWork, delivery_id: int) -> Delivery:
    """The operator wants it tried again, now. Raises `ConflictError` for what was delivered."""
    row = work.session.get(Delivery, delivery_id, with_for_update={"of": Delivery})
    if row is None:
        raise NotFoundError(msg("There is no such delivery."))
    if row.state == "delivered":
        raise ConflictError(msg("This message has already been delivered."))
    if row.state == "failed":
        row.move_to("pending")
    row.attempts = 0
    row.due_at = row.trying_since = now()
    row.finished_at = None
    work.audit("delivery.retry", row.inbox, delivery=row.id)
    work.session.flush()
    peer_health.retry_now(work, row.host)
    return row


def retry_host(work: UnitOfWork, host: str) -> int:
    """Try everything again that was given up for `host`, now. Returns how many there are."""
    number = _count(work.session, *_is_dead_letter(host, now()))
    work.audit("delivery.retry-host", host, deliveries=number)
    long_writes.cancel(work, CANCEL_HOST, host)
    long_writes.begin(work, RETRY_HOST, host)
    peer_health.retry_now(work, host)
    return number


def _retry_batch(work: UnitOfWork, row: long_writes.LongWrite) -> bool:
    dead = select(Delivery.id).where(*_is_dead_letter(row.subject, row.asked_at))
    ids = long_writes.lock_batch(work.session, Delivery, dead)
    anew = {"attempts": 0, "due_at": now(), "trying_since": now(), "finished_at": None}
    again = update(Delivery).where(Delivery.id.in_(ids)).values(state="pending", **anew)
    work.session.execute(again, execution_options=long_writes.UNSYNCHRONISED)
    work.wake(Delivery.JOB)
    return long_writes.is_any_left(work.session, dead)


def _is_dead_letter(host: str, asked_at: datetime) -> tuple[ColumnElement[bool], ...]:
    """What fails after it was asked for is not tried again for that."""
    return Delivery.state == "failed", Delivery.host == host, Delivery.finished_at <= asked_at


def cancel_host(work: UnitOfWork, host: str) -> int:
    """Give up all that waits for `host`. Returns how many that were."""
    number = _count(work.session, *_is_waiting(host, now()))
    work.audit("delivery.give-up-host", host, deliveries=number)
    long_writes.cancel(work, RETRY_HOST, host)
    long_writes.begin(work, CANCEL_HOST, host)
    return number


def _cancel_batch(work: UnitOfWork, row: long_writes.LongWrite) -> bool:
    return dead_letter_batch(
        work.session, CANCELLED_BY_OPERATOR, *_is_waiting(row.subject, row.asked_at)
    )


def _is_waiting(host: str, asked_at: datetime) -> tuple[ColumnElement[bool], ...]:
    """What is sent after it was asked for is not given up for that."""
    waits = Delivery.state == Delivery.WAITING, Delivery.host == host
    return *waits, Delivery.trying_since <= asked_at


def _count(session: Session, *which: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count(Delivery.id)).where(*which)) or 0


RETRY_HOST = long_writes.LongWriteKind("retry-host", _retry_batch)
CANCEL_HOST = long_writes.LongWriteKind("give-up-host", _cancel_batch)
LONG_WRITES = RETRY_HOST, CANCEL_HOST


def prune(node: Node) -> int:
    """Delete what was finished long ago, with its attempts. Returns how many deliveries that were.

    What the ledger says of who got an object stays until they acknowledged that it is gone.
    """
    long_ago = now() - RETENTION
    deleted = sum(_prune_state(node, state, long_ago) for state in ("delivered", "failed"))
    gone = Disclosure.last_at < long_ago, Disclosure.deleted_at < long_ago
    prune_rows(node, Delivery.JOB, Disclosure, select(Disclosure.id).where(*gone))
    return deleted


def _prune_state(node: Node, state: str, long_ago: datetime) -> int:
    finished = select(Delivery.id).where(Delivery.state == state)
    newest_first = finished.order_by(Delivery.finished_at.desc())
    with node.reading() as session:
        over = session.scalar(
            newest_first.with_only_columns(Delivery.finished_at).offset(MAX_FINISHED).limit(1)
        )
    before = max(long_ago, over) if over else long_ago
    oldest = finished.where(Delivery.finished_at <= before).order_by(Delivery.finished_at)
    return prune_rows(node, Delivery.JOB, Delivery, oldest)
