"""Deliveries on their way: a worker leases rows, sends without a transaction, and records the
answer.

A worker that dies leaves its lease to run out, and the row is sent again: at least once, and the
receiver's inbox makes it exactly once. Of one object, what comes first is delivered first. No host
gets more than its share.
"""

import random
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic

import structlog
from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased

from federation.errors import FederationError
from federation.retry import Outcome, decide
from federation.signatures import PrivateKey
from federation.vocabulary import parse_json
from node.db import now
from node.errors import ConflictError, NotFoundError
from node.federating import actors, peers, queues
from node.federating.fetching import signer
from node.federating.models import Delivery, DeliveryAttempt
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


@dataclass(frozen=True)
class Tried:
    """What came of one attempt. `status` None: nobody answered. `final`: trying again is vain."""

    status: int | None
    words: str
    seconds: float = 0.0
    retry_after: str | None = None
    final: bool = False


@queues.wakes_for_next(Delivery)
def work_off(node: Node) -> None:
    """The job: send everything that is due."""
    queues.in_parallel(node.settings.delivery_threads, partial(lease, node), partial(attempt, node))


def lease(node: Node, most: int) -> list[int]:
    """Take up to `most` due deliveries: of each host some, of each object the first."""
    earlier = aliased(Delivery)
    waits_for_earlier = exists().where(
        earlier.inbox == Delivery.inbox,
        earlier.object_uri == Delivery.object_uri,
        earlier.state == Delivery.WAITING,
        earlier.id < Delivery.id,
    )
    return queues.lease(node, Delivery, most, ~waits_for_earlier, of_each_host=PER_HOST)


def attempt(node: Node, delivery_id: int) -> None:
    """Send one delivery once, signed now, and record what was answered."""
    letter = _read(node, delivery_id)
    _record(node, letter, _send(node, letter))


def _send(node: Node, letter: Letter) -> Tried:
    if not letter.allowed:
        words = f"{letter.host} is not on the list of servers we speak with"
        return Tried(None, words, final=True)
    started = monotonic()
    try:
        answer = node.outbound.post(
            letter.inbox, letter.body, content_type=AS2, sign=signer(letter.key)
        )
    except OutboundError as error:
        return Tried(None, error.safe_text, monotonic() - started, final=error.permanent)
    words = "" if answer.status < 300 else _said(answer.body)
    return Tried(answer.status, words, answer.elapsed, answer.headers.get("retry-after"))


def _said(body: bytes) -> str:
    """What a stranger answered, shortly, as text that any database and terminal takes.

    Of a problem document (RFC 9457) that is its detail.
    """
    text = body[:300].decode("utf-8", "replace")
    with suppress(FederationError):
        detail = parse_json(body).get("detail")
        text = detail[:300] if isinstance(detail, str) else text
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def retry(work: UnitOfWork, delivery_id: int) -> Delivery:
    """The operator wants it tried again, now. Raises `ConflictError` for what was delivered."""
    row = work.session.get(Delivery, delivery_id)
    if row is None:
        raise NotFoundError("There is no such delivery.")
    if row.state == "delivered":
        raise ConflictError("That has been delivered.")
    row.state = "pending"
    row.attempts = 0
    row.due_at = row.trying_since = now()
    row.finished_at = None
    work.audit("delivery.retry", row.inbox, delivery=row.id)
    work.wake(Delivery.JOB)
    return row


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


def _record(node: Node, letter: Letter, tried: Tried) -> None:
    """One attempt and what follows from it, in one transaction."""
    moment = now()
    with node.work(by=Delivery.JOB) as work:
        row = work.session.get_one(Delivery, letter.id)
        row.attempts += 1
        row.leased_until = None
        work.session.add(
            DeliveryAttempt(
                delivery_id=row.id,
                at=moment,
                status=tried.status,
                answer=tried.words,
                milliseconds=round(tried.seconds * 1000),
            )
        )
        verdict = decide(
            tried.status,
            row.attempts,
            moment - row.trying_since,
            tried.retry_after,
            random.random(),  # noqa: S311 -- spreads retries, keeps no secret
            moment,
        )
        _move(work, row, Outcome.permanent() if tried.final else verdict)
        answer = f"{tried.status or ''} {tried.words}".strip()
        peers.answered(work.session, row.host, well=row.state == "delivered", answer=answer)


def _move(work: UnitOfWork, row: Delivery, verdict: Outcome) -> None:
    if verdict.delivered:
        row.state, row.finished_at = "delivered", now()
    elif verdict.after is None:
        row.state, row.finished_at = "failed", now()
    else:
        row.due_at = now() + verdict.after
        work.wake(Delivery.JOB, verdict.after)
    waiting = work.session.scalar(
        select(func.count()).where(
            Delivery.inbox == row.inbox,
            Delivery.object_uri == row.object_uri,
            Delivery.state == Delivery.WAITING,
        )
    )
    if row.state != "pending" and waiting:
        work.wake(Delivery.JOB)
