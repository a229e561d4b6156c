"""The job that sends webhook messages and records the results."""

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy.orm import Session

from federation.retry import DELIVERY, RetryDecision, decide
from node.database.tables import now
from node.messages import msg
from node.outbound import OutboundError
from node.queue import leases
from node.queue.pruning import MaxAge, Retention
from node.runtime import Node, UnitOfWork
from node.webhooks import service, signing
from node.webhooks.models import Webhook, WebhookMessage

log = structlog.get_logger(__name__)

MAX_CONCURRENT = 4
RETRY = replace(DELIVERY, max_age=timedelta(days=3))
# A webhook that only fails for longer is switched off.
DISABLE_AFTER = timedelta(days=5)
HTTP_GONE = 410
MAX_AGE = timedelta(days=30)
RETENTION = (
    Retention(
        "webhook_messages",
        WebhookMessage,
        (MaxAge(WebhookMessage.finished_at, lambda _: MAX_AGE),),
        lambda: WebhookMessage.state != WebhookMessage.WAITING_STATE,
    ),
)


@dataclass(frozen=True)
class WebhookAttempt:
    """The result of one attempt: the status of the response, or why there is none in `detail`."""

    status: int | None
    detail: str = ""
    retry_after: str | None = None
    is_final: bool = False


@leases.wakes_for_next(WebhookMessage)
def run_job(node: Node) -> None:
    """Job: send all due messages."""
    leases.process_queue(
        node, WebhookMessage, partial(_attempt_delivery, node), concurrency=MAX_CONCURRENT
    )


def _attempt_delivery(node: Node, lease: leases.Lease) -> None:
    with node.reading() as session:
        row = session.get(WebhookMessage, lease.id)
        if row is None or row.state != WebhookMessage.WAITING_STATE:
            return
        url, body = row.webhook.url, row.body.encode()
        headers = signing.signed_headers(
            row.reference, now(), body, service.signing_secrets(row.webhook)
        )
        reason = _find_reason_not_to_send(node, session, row)
    attempt = WebhookAttempt(None, reason, is_final=True)
    if not reason:
        attempt = _send(node, url, body, headers)
    leases.record_with_retry(
        node, WebhookMessage, lambda work: _record_attempt(work, lease, attempt)
    )


def _find_reason_not_to_send(node: Node, session: Session, message: WebhookMessage) -> str:
    """Why a message must not be sent now; empty if it may be."""
    webhook = message.webhook
    if webhook.off_at is not None:
        return str(msg("The webhook is switched off."))
    if not service.can_have_webhooks(node.hooks, webhook.user):
        return str(msg("The webhook’s owner can no longer have webhooks."))
    if not service.is_still_valid(session, webhook, message):
        return str(
            msg("The project or update was deleted, or the setting for who can see it has changed.")
        )
    return ""


def _send(node: Node, url: str, body: bytes, headers: dict[str, str]) -> WebhookAttempt:
    """Send a message to a URL that an officer chose: never to a private host, and only the status
    of the response is kept, so that no one can read pages of an internal network through it.
    """
    client = node.outbound.public_only
    try:
        response = client.post(url, body, content_type="application/json", headers=headers)
    except OutboundError as error:
        return WebhookAttempt(None, str(error.text_for_officers), is_final=error.permanent)
    return WebhookAttempt(response.status, retry_after=response.headers.get("retry-after"))


def _record_attempt(work: UnitOfWork, lease: leases.Lease, attempt: WebhookAttempt) -> None:
    row = work.session.get(WebhookMessage, lease.id, with_for_update={"of": WebhookMessage})
    if row is None or row.state != WebhookMessage.WAITING_STATE:
        return
    attempted_at = now()
    row.attempts += 1
    row.leased_until, row.tried_at = None, attempted_at
    row.status, row.answer = attempt.status, attempt.detail
    outcome = RetryDecision.give_up()
    if not attempt.is_final and attempt.status != HTTP_GONE:
        age, spread = attempted_at - row.created_at, random.random()  # noqa: S311 -- no secret
        outcome = decide(
            attempt.status, row.attempts, age, attempt.retry_after, spread, attempted_at, RETRY
        )
    if outcome.retry_in is None:
        row.move_to("delivered" if outcome.is_delivered else "failed")
        row.finished_at = attempted_at
    else:
        row.due_at = attempted_at + outcome.retry_in
    _record_health(work, row.webhook, attempt, is_delivered=outcome.is_delivered)


def _record_health(
    work: UnitOfWork, webhook: Webhook, attempt: WebhookAttempt, *, is_delivered: bool
) -> None:
    """Record success or failure of a webhook; one that failed for `DISABLE_AFTER`, or is gone, is
    switched off.
    """
    checked_at = now()
    if is_delivered:
        webhook.failing_since = None
        return
    if webhook.off_at is not None:
        return
    webhook.failing_since = webhook.failing_since or checked_at
    is_unreachable = (
        attempt.status == HTTP_GONE or webhook.failing_since < checked_at - DISABLE_AFTER
    )
    if is_unreachable:
        webhook.off_at = checked_at
        work.audit("webhook.off", webhook.url)
        log.warning("webhook switched off", url=webhook.url, status=attempt.status)
