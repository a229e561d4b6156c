"""Deliveries on their way: a worker leases rows, sends without a transaction, and records the
answer.

A worker that dies leaves its lease to run out, and the row is sent again: at least once, and the
receiver's inbox makes it exactly once. Of one object, what comes first is delivered first. No host
gets more than its share.
"""

import random
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import aliased

from federation.retry import Outcome, decide
from federation.signatures import PrivateKey
from node.db import now
from node.errors import ConflictError, NotFoundError
from node.federating import actors, peers
from node.federating.fetching import signer
from node.federating.models import Delivery, DeliveryAttempt
from node.federating.publishing import DELIVER
from node.outbound import OutboundError
from node.runtime import Node, UnitOfWork

log = structlog.get_logger(__name__)

AS2 = "application/activity+json"
# So many deliveries to one host are under way at once, so that a slow host leaves room for the
# others.
PER_HOST = 4


@dataclass(frozen=True)
class Letter:
    """What is needed to send one delivery."""

    id: int
    inbox: str
    host: str
    body: bytes
    key: PrivateKey
    allowed: bool


def work_off(node: Node) -> None:
    """The job: send everything that is due."""
    most = node.settings.delivery_threads
    with ThreadPoolExecutor(most, thread_name_prefix="deliver") as pool:
        running: set[Future[None]] = set()
        while True:
            running |= {pool.submit(attempt, node, row) for row in lease(node, most - len(running))}
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                if error := future.exception():
                    # Its lease runs out, and it is tried again; the others must not wait for it.
                    log.error("a delivery could not be attempted", exc_info=error)


def lease(node: Node, most: int) -> list[int]:
    """Take up to `most` due deliveries for this worker, for as long as the lease lasts."""
    if most < 1:
        return []
    moment = now()
    earlier = aliased(Delivery)
    waits_for_earlier = exists().where(
        earlier.inbox == Delivery.inbox,
        earlier.object_uri == Delivery.object_uri,
        earlier.state == "pending",
        earlier.id < Delivery.id,
    )
    due = (
        select(
            Delivery.id,
            func.row_number().over(partition_by=Delivery.host, order_by=Delivery.id).label("place"),
        )
        .where(Delivery.state == "pending", Delivery.due_at <= moment, ~waits_for_earlier)
        .subquery()
    )
    free = (
        select(Delivery.id)
        .join(due, due.c.id == Delivery.id)
        .where(
            due.c.place <= PER_HOST,
            Delivery.state == "pending",
            or_(Delivery.leased_until.is_(None), Delivery.leased_until < moment),
        )
        .order_by(Delivery.id)
        .limit(most)
        .with_for_update(skip_locked=True, of=Delivery)
    )
    with node.work(by=DELIVER) as work:
        leased = work.session.scalars(
            update(Delivery)
            .where(Delivery.id.in_(free))
            .values(leased_until=moment + timedelta(seconds=node.settings.lease_seconds))
            .returning(Delivery.id)
        ).all()
    return sorted(leased)


def attempt(node: Node, delivery_id: int) -> None:
    """Send one delivery once, signed now, and record what was answered."""
    letter = _read(node, delivery_id)
    if not letter.allowed:
        _record(
            node,
            letter,
            None,
            f"{letter.host} is not on the list of servers we speak with",
            0.0,
            final=True,
        )
        return
    started = now()
    try:
        answer = node.outbound.post(
            letter.inbox, letter.body, content_type=AS2, sign=signer(letter.key)
        )
    except OutboundError as error:
        elapsed = (now() - started).total_seconds()
        _record(node, letter, None, error.safe_text, elapsed, final=error.permanent)
    else:
        words = answer.body[:300].decode("utf-8", "replace").strip() if answer.status >= 300 else ""
        _record(
            node,
            letter,
            answer.status,
            words,
            answer.elapsed,
            retry_after=answer.headers.get("retry-after"),
        )


def retry(work: UnitOfWork, delivery_id: int) -> Delivery:
    """The operator wants a failed delivery tried again. Raises `ConflictError` for others."""
    row = work.session.get(Delivery, delivery_id)
    if row is None:
        raise NotFoundError("There is no such delivery.")
    if "pending" not in Delivery.STATES[row.state]:
        raise ConflictError("Only a delivery that failed can be tried again.")
    row.state = "pending"
    row.attempts = 0
    row.due_at = row.trying_since = now()
    row.finished_at = None
    work.audit("delivery.retry", row.inbox, delivery=row.id)
    work.wake(DELIVER)
    return row


def release_all(node: Node) -> None:
    """When a node with its worker inside starts: leases that stand are of a dead process."""
    with node.work(by=DELIVER) as work:
        work.session.execute(
            update(Delivery).where(Delivery.leased_until.is_not(None)).values(leased_until=None)
        )


def _read(node: Node, delivery_id: int) -> Letter:
    with node.reading() as session:
        row = session.get_one(Delivery, delivery_id)
        return Letter(
            id=row.id,
            inbox=row.inbox,
            host=row.host,
            body=row.activity.body.encode(),
            key=actors.signing_key(row.activity.actor),
            allowed=peers.is_allowed(session, node.settings, row.host),
        )


def _record(
    node: Node,
    letter: Letter,
    status: int | None,
    words: str,
    seconds: float,
    *,
    retry_after: str | None = None,
    final: bool = False,
) -> None:
    """One attempt and what follows from it, in one transaction."""
    moment = now()
    with node.work(by=DELIVER) as work:
        row = work.session.get_one(Delivery, letter.id)
        row.attempts += 1
        row.leased_until = None
        work.session.add(
            DeliveryAttempt(
                delivery_id=row.id,
                at=moment,
                status=status,
                answer=words[:500],
                milliseconds=round(seconds * 1000),
            )
        )
        verdict = decide(
            status,
            row.attempts,
            moment - row.trying_since,
            retry_after,
            random.random(),  # noqa: S311 -- spreads retries, keeps no secret
            moment,
        )
        _move(work, row, Outcome.permanent() if final else verdict)
        answer = f"{status} {words}".strip() if status else words
        peers.answered(work.session, row.host, well=row.state == "delivered", answer=answer)


def _move(work: UnitOfWork, row: Delivery, verdict: Outcome) -> None:
    if verdict.delivered:
        row.state, row.finished_at = "delivered", now()
    elif verdict.after is None:
        row.state, row.finished_at = "failed", now()
    else:
        row.due_at = now() + verdict.after
        work.wake(DELIVER, verdict.after)
    waiting = work.session.scalar(
        select(func.count()).where(
            Delivery.inbox == row.inbox,
            Delivery.object_uri == row.object_uri,
            Delivery.state == "pending",
        )
    )
    if row.state != "pending" and waiting:
        work.wake(DELIVER)
