"""The job that sends what waits, and records what came of it."""

import random
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.retry import RetryDecision, decide
from node.db import now
from node.federating import queues
from node.hourly_jobs import run_hourly
from node.messages import msg
from node.outbound import OutboundError
from node.pruning import prune as prune_rows
from node.runtime import Node, UnitOfWork
from node.webhooks import service, signing
from node.webhooks.models import Webhook, WebhookMessage

log = structlog.get_logger(__name__)

MAX_CONCURRENT = 4
# A message is tried for so long; an address at which all failed for so long is told nothing more.
RETRY_FOR, DISABLE_AFTER = timedelta(days=3), timedelta(days=5)
HTTP_GONE = 410
RETENTION = timedelta(days=30)


@dataclass(frozen=True)
class WebhookAttempt:
    """What came of one attempt: the status of the answer, or in words why there is none."""

    status: int | None
    detail: str = ""
    retry_after: str | None = None
    is_final: bool = False


@queues.wakes_for_next(WebhookMessage)
def run_job(node: Node) -> None:
    """The job: send all that is due."""
    queues.process_queue(node, WebhookMessage, partial(_attempt, node), concurrency=MAX_CONCURRENT)
    run_hourly(node, WebhookMessage.JOB, lambda: prune_messages(node))


def _attempt(node: Node, leased: queues.Lease) -> None:
    with node.reading() as session:
        row = session.get(WebhookMessage, leased.id)
        if row is None or row.state != WebhookMessage.WAITING:
            return
        url, body = row.webhook.url, row.body.encode()
        signed = signing.signed_headers(
            row.reference, now(), body, service.signing_secrets(row.webhook)
        )
        why_not = _reason_not_sent(node, session, row)
    tried = WebhookAttempt(None, why_not, is_final=True)
    if not why_not:
        tried = _send(node, url, body, signed)
    queues.record_with_retry(node, WebhookMessage, lambda work: _record(work, leased, tried))


def _reason_not_sent(node: Node, session: Session, row: WebhookMessage) -> str:
    """Why a message is not sent now; empty where it is."""
    hook = row.webhook
    if hook.off_at is not None:
        return str(msg("The webhook is switched off."))
    if not service.can_have_webhooks(node.hooks, hook.user):
        return str(msg("The webhook’s owner can no longer have webhooks."))
    if not service.is_still_valid(session, hook, row):
        return str(msg("The project or update was deleted, or who can see it has changed."))
    return ""


def _send(node: Node, url: str, body: bytes, signed: dict[str, str]) -> WebhookAttempt:
    """Send it, as an address that an officer chose: never to a private host, and of the answer
    nothing but the status is kept, which says enough and shows no page of anybody's network.
    """
    client = node.outbound.public_only
    try:
        answer = client.post(url, body, content_type="application/json", headers=signed)
    except OutboundError as error:
        return WebhookAttempt(None, str(error.text_for_officers), is_final=error.permanent)
    return WebhookAttempt(answer.status, retry_after=answer.headers.get("retry-after"))


def _record(work: UnitOfWork, leased: queues.Lease, tried: WebhookAttempt) -> None:
    row = work.session.get(WebhookMessage, leased.id, with_for_update={"of": WebhookMessage})
    if row is None or row.state != WebhookMessage.WAITING:
        return
    moment = now()
    row.attempts += 1
    row.leased_until, row.tried_at = None, moment
    row.status, row.answer = tried.status, tried.detail
    outcome = RetryDecision.give_up()
    if not tried.is_final and tried.status != HTTP_GONE:
        age, spread = moment - row.created_at, random.random()  # noqa: S311 -- no secret
        outcome = decide(
            tried.status, row.attempts, age, tried.retry_after, spread, moment, RETRY_FOR
        )
    if outcome.retry_in is None:
        row.move_to("delivered" if outcome.delivered else "failed")
        row.finished_at = moment
    else:
        row.due_at = moment + outcome.retry_in
    _record_health(work, row.webhook, tried, is_delivered=outcome.delivered)


def _record_health(
    work: UnitOfWork, hook: Webhook, tried: WebhookAttempt, *, is_delivered: bool
) -> None:
    """How the address fares; one that does not answer for days is switched off."""
    moment = now()
    if is_delivered:
        hook.failing_since = None
        return
    if hook.off_at is not None:
        return
    hook.failing_since = hook.failing_since or moment
    is_lost = tried.status == HTTP_GONE or hook.failing_since < moment - DISABLE_AFTER
    if is_lost:
        hook.off_at = moment
        work.audit("webhook.off", hook.url)
        log.warning("a webhook is switched off", url=hook.url, status=tried.status)


def prune_messages(node: Node) -> None:
    """Forget what was sent or given up long ago."""
    old = select(WebhookMessage.id).where(
        WebhookMessage.state != WebhookMessage.WAITING,
        WebhookMessage.finished_at < now() - RETENTION,
    )
    prune_rows(node, WebhookMessage.JOB, WebhookMessage, old)
