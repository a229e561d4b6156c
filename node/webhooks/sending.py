"""The job that sends what waits, and records what came of it."""

import random
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.retry import Outcome, decide
from node.db import now
from node.federating import queues
from node.hourly import once_an_hour
from node.outbound import OutboundError
from node.pruning import prune as prune_rows
from node.runtime import Node, UnitOfWork
from node.webhooks import service, signing
from node.webhooks.models import Webhook, WebhookMessage
from node.wording import say

log = structlog.get_logger(__name__)

AT_ONCE = 4
# A message is tried for so long; an address at which all failed for so long is told nothing more.
PATIENCE, GIVE_UP = timedelta(days=3), timedelta(days=5)
GONE = 410
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Tried:
    """What came of one attempt: the status of the answer, or in words why there is none."""

    status: int | None
    words: str = ""
    retry_after: str | None = None
    is_final: bool = False


@queues.wakes_for_next(WebhookMessage)
def work_off(node: Node) -> None:
    """The job: send all that is due."""
    queues.work_off(node, WebhookMessage, partial(_attempt, node), at_once=AT_ONCE)
    once_an_hour(node, WebhookMessage.JOB, lambda: prune(node))


def _attempt(node: Node, leased: queues.Lease) -> None:
    with node.reading() as session:
        row = session.get(WebhookMessage, leased.id)
        if row is None or row.state != WebhookMessage.WAITING:
            return
        url, body = row.webhook.url, row.body.encode()
        signed = signing.headers(row.reference, now(), body, service.keys(row.webhook))
        why_not = _why_not(node, session, row)
    tried = Tried(None, why_not, is_final=True)
    if not why_not:
        tried = _send(node, url, body, signed)
    queues.record(node, WebhookMessage, lambda work: _record(work, leased, tried))


def _why_not(node: Node, session: Session, row: WebhookMessage) -> str:
    """Why a message is not sent now; empty where it is."""
    hook = row.webhook
    if hook.off_at is not None:
        return str(say("The webhook is switched off."))
    if not service.may_have(node.hooks, hook.user):
        return str(say("The webhook’s owner can no longer have webhooks."))
    if not service.still_fits(session, hook, row):
        return str(say("The project or update was deleted, or who can see it has changed."))
    return ""


def _send(node: Node, url: str, body: bytes, signed: dict[str, str]) -> Tried:
    """Send it, as an address that an officer chose: never to a private host, and of the answer
    nothing but the status is kept, which says enough and shows no page of anybody's network.
    """
    client = node.outbound.public_only
    try:
        answer = client.post(url, body, content_type="application/json", headers=signed)
    except OutboundError as error:
        return Tried(None, str(error.text_for_officers), is_final=error.permanent)
    return Tried(answer.status, retry_after=answer.headers.get("retry-after"))


def _record(work: UnitOfWork, leased: queues.Lease, tried: Tried) -> None:
    row = work.session.get(WebhookMessage, leased.id, with_for_update={"of": WebhookMessage})
    if row is None or row.state != WebhookMessage.WAITING:
        return
    moment = now()
    row.attempts += 1
    row.leased_until, row.tried_at = None, moment
    row.status, row.answer = tried.status, tried.words
    outcome = Outcome.permanent()
    if not tried.is_final and tried.status != GONE:
        age, spread = moment - row.created_at, random.random()  # noqa: S311 -- no secret
        outcome = decide(
            tried.status, row.attempts, age, tried.retry_after, spread, moment, PATIENCE
        )
    if outcome.after is None:
        row.move_to("delivered" if outcome.delivered else "failed")
        row.finished_at = moment
    else:
        row.due_at = moment + outcome.after
    _note(work, row.webhook, tried, is_delivered=outcome.delivered)


def _note(work: UnitOfWork, hook: Webhook, tried: Tried, *, is_delivered: bool) -> None:
    """How the address fares; one that does not answer for days is switched off."""
    moment = now()
    if is_delivered:
        hook.failing_since = None
        return
    if hook.off_at is not None:
        return
    hook.failing_since = hook.failing_since or moment
    is_lost = tried.status == GONE or hook.failing_since < moment - GIVE_UP
    if is_lost:
        hook.off_at = moment
        work.audit("webhook.off", hook.url)
        log.warning("a webhook is switched off", url=hook.url, status=tried.status)


def prune(node: Node) -> None:
    """Forget what was sent or given up long ago."""
    old = select(WebhookMessage.id).where(
        WebhookMessage.state != WebhookMessage.WAITING, WebhookMessage.finished_at < now() - KEPT
    )
    prune_rows(node, WebhookMessage.JOB, WebhookMessage, old)
