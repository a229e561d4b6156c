"""The delivery job, and what operators do with deliveries: retry and cancel.

A worker leases rows, sends without a transaction, and records the results. When a worker dies its
leases expire and the deliveries are sent again: at least once, and the receiver's inbox drops
duplicates. Deliveries about one object are sent in order.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from node.database.tables import now
from node.errors import ConflictError, NotFoundError
from node.federating.models import Delivery
from node.federating.outbound import peer_health
from node.federating.outbound.sender_pool import SenderPool
from node.federating.peers.dead_letters import dead_letter_batch
from node.messages import msg
from node.queue import batched_writes, leases
from node.runtime import Node, UnitOfWork

CANCELLED_BY_OPERATOR = "Cancelled by an operator."


@leases.wakes_for_next(Delivery)
def run_job(node: Node) -> None:
    """The job: send everything that is due."""
    with ThreadPoolExecutor(node.settings.delivery_threads) as pool:
        SenderPool(node, pool).run()


def retry(work: UnitOfWork, delivery_id: int) -> Delivery:
    """Retry one delivery now, for an operator.

    Raises `NotFoundError`, and `ConflictError` if it was delivered.
    """
    row = work.session.get(Delivery, delivery_id, with_for_update={"of": Delivery})
    if row is None:
        raise NotFoundError(msg("Delivery not found."))
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
    """Retry now all failed deliveries to `host`. Returns their number."""
    count = _count(work.session, *_dead_letter_conditions(host, now()))
    work.audit("delivery.retry-host", host, deliveries=count)
    batched_writes.cancel(work, CANCEL_HOST, host)
    batched_writes.start(work, RETRY_HOST, host)
    peer_health.retry_now(work, host)
    return count


def _retry_batch(work: UnitOfWork, row: batched_writes.BatchedWrite) -> bool:
    dead_letters = select(Delivery.id).where(*_dead_letter_conditions(row.subject, row.asked_at))
    ids = batched_writes.lock_batch(work.session, Delivery, dead_letters)
    values = {"attempts": 0, "due_at": now(), "trying_since": now(), "finished_at": None}
    reset = update(Delivery).where(Delivery.id.in_(ids)).values(state="pending", **values)
    work.session.execute(reset, execution_options=batched_writes.NO_SESSION_SYNC)
    work.wake(Delivery.JOB)
    return batched_writes.is_any_left(work.session, dead_letters)


def _dead_letter_conditions(host: str, asked_at: datetime) -> tuple[ColumnElement[bool], ...]:
    """Conditions. A delivery that fails after the request of `asked_at` is not retried by it."""
    return Delivery.state == "failed", Delivery.host == host, Delivery.finished_at <= asked_at


def cancel_host(work: UnitOfWork, host: str) -> int:
    """Fail all deliveries that wait for `host`. Returns their number."""
    count = _count(work.session, *_waiting_conditions(host, now()))
    work.audit("delivery.give-up-host", host, deliveries=count)
    batched_writes.cancel(work, RETRY_HOST, host)
    batched_writes.start(work, CANCEL_HOST, host)
    return count


def _cancel_batch(work: UnitOfWork, row: batched_writes.BatchedWrite) -> bool:
    return dead_letter_batch(
        work.session, CANCELLED_BY_OPERATOR, *_waiting_conditions(row.subject, row.asked_at)
    )


def _waiting_conditions(host: str, asked_at: datetime) -> tuple[ColumnElement[bool], ...]:
    """Conditions. A delivery created after the request of `asked_at` is not cancelled by it."""
    is_waiting = Delivery.state == Delivery.WAITING_STATE, Delivery.host == host
    return *is_waiting, Delivery.trying_since <= asked_at


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count(Delivery.id)).where(*conditions)) or 0


RETRY_HOST = batched_writes.BatchedWriteKind("retry-host", _retry_batch)
CANCEL_HOST = batched_writes.BatchedWriteKind("give-up-host", _cancel_batch)
BATCHED_WRITES = RETRY_HOST, CANCEL_HOST
