"""Processes stored inbox messages: at once, or after fetching the object from its origin.

Processing a message twice, or messages out of order, is harmless.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

import structlog
from sqlalchemy import select

from federation.acceptance import Accepted
from federation.errors import FederationError, Refusal
from federation.origin import host_of
from federation.retry import RetryPolicy
from federation.vocabulary import Activity
from node.database import change_tracking
from node.database.tables import now
from node.errors import ConflictError
from node.federating.identity import actors
from node.federating.inbound import object_resolution
from node.federating.inbound.dispatcher import dispatch
from node.federating.models import InboxItem
from node.federating.peers.fetching import FetchLimitError
from node.federating.sync import actor_blocks
from node.messages import msg
from node.principal import Principal
from node.queue import leases
from node.queue.error_isolation import EXPECTED_ERRORS, describe_error
from node.runtime import Node, NotHandledError, ReceivedActivity, UnitOfWork
from node.text import one_line

log = structlog.get_logger(__name__)

FETCHING_JOB = "inbox-fetching"
# Messages leased at once, and processed per transaction: the inbox waits for its end.
LEASE_SIZE, BATCH_SIZE = 100, 12
# Seconds the job waits for more messages: a transaction per message would cost more than the
# message.
COALESCE_SECONDS = 0.05
# Fetches in flight at the same time.
CONCURRENT_FETCHES = 4
# The body of a message above this size, in bytes, is kept only while it waits.
LARGE_MESSAGE_BYTES = 65_536
# For a message whose fetch was rate-limited.
THROTTLED_RETRY = RetryPolicy(
    timedelta(minutes=1), max_delay=timedelta(minutes=1), max_age=timedelta(days=1)
)


class ProcessingResult(NamedTuple):
    """The outcome of processing: the new state (`new` to retry), the reason, and whether it counts
    as an attempt.
    """

    state: str
    outcome: str
    counts_as_attempt: bool = True


BLOCKED_RESULT = ProcessingResult("ignored", "blocked after it was received")


def build_row(verdict: Accepted) -> dict[str, Any]:
    """The column values of an `InboxItem` for an accepted message."""
    activity, received_at = verdict.activity, now()
    return {
        "uri": _message_key(verdict),
        "actor_uri": activity.actor,
        "host": host_of(activity.actor),
        "forwarded_by": host_of(verdict.forwarded_by) if verdict.forwarded_by else None,
        "type": activity.type[:40],
        "object_uri": (activity.object_id or "")[:2000] or None,
        "body": activity.raw,
        "needs_fetch": verdict.is_unverified
        or object_resolution.needs_fetch(activity, trusted=verdict.is_embedded_trusted),
        "state": InboxItem.WAITING_STATE,
        "attempts": 0,
        "received_at": received_at,
        "due_at": received_at,
        "finished_at": None,
        "outcome": "",
    }


def _message_key(verdict: Accepted) -> str:
    """The id by which a repeated message is recognised. An unverified forwarded message gets a key
    of its own, since the activity may still arrive from its actor under its id.
    """
    activity = verdict.activity
    if not verdict.is_unverified:
        return activity.id
    digest = sha256(f"{verdict.forwarded_by} {activity.id}".encode()).hexdigest()
    return f"hearsay:{digest}"


def job_name_for(row: Mapping[str, Any]) -> str:
    """The name of the job that processes a row."""
    return FETCHING_JOB if row["needs_fetch"] else InboxItem.JOB


@leases.wakes_for_next(InboxItem)
def run_job(node: Node) -> None:
    """The job: process all messages that need no fetch, oldest first. Messages that arrive
    meanwhile wake it again, and are batched.
    """
    isolation = leases.isolate_errors(node, InboxItem)
    has_more = True
    while has_more:
        items = leases.lease(node, InboxItem, LEASE_SIZE, InboxItem.needs_fetch.is_(False))
        for start in range(0, len(items), BATCH_SIZE):
            isolation.attempt_all(
                items[start : start + BATCH_SIZE], partial(_handle_without_fetch, node)
            )
        has_more = len(items) == LEASE_SIZE


def run_fetching_job(node: Node) -> None:
    """The job: process messages whose object must be fetched. One per host at a time, so that a
    slow host delays no other.
    """
    handle, needs_fetch = partial(_handle_after_fetch, node), InboxItem.needs_fetch.is_(True)
    leases.process_queue(
        node, InboxItem, handle, needs_fetch, concurrency=CONCURRENT_FETCHES, per_host=1
    )


def retry(work: UnitOfWork, item: InboxItem) -> None:
    """Process a failed message again. Raises `ConflictError` if it did not fail, or its body was
    dropped.
    """
    if not item.body:
        raise ConflictError(msg("The message was too large to keep, so you cannot retry it."))
    if item.state != "failed":
        raise ConflictError(msg("You can no longer do this."))
    item.move_to(InboxItem.WAITING_STATE)
    item.attempts, item.due_at, item.finished_at = 0, now(), None
    work.wake(FETCHING_JOB if item.needs_fetch else InboxItem.JOB)
    work.audit("inbox.retry", item.uri)


def _handle_without_fetch(node: Node, items: Sequence[leases.Lease]) -> None:
    """Process messages that contain all that is needed."""
    _handle_batch(node, dict.fromkeys(item.id for item in items))


def _handle_after_fetch(node: Node, item: leases.Lease) -> None:
    """Fetch the object of a message, then process it."""
    with node.reading() as session:
        row = session.get_one(InboxItem, item.id)
        body, forwarded_by = row.body, row.forwarded_by
    try:
        received = object_resolution.resolve(node, Activity.parse(body), forwarded_by)
    except NotHandledError as reason:
        _record_in_own_transaction(node, item.id, ProcessingResult("ignored", str(reason)))
    except EXPECTED_ERRORS as error:
        _record_in_own_transaction(node, item.id, _failure_result(error))
    else:
        _handle_batch(node, {item.id: received})


def _handle_batch(node: Node, prepared: Mapping[int, ReceivedActivity | None]) -> None:
    """Process messages in one transaction: the effect of each is committed with its new state, or
    neither is.

    Savepoints, which undo only a failing message, take a third of the time. They are used only for
    a while after a message has failed.
    """
    if node.recent_failures.get(InboxItem.JOB):
        _handle_in_one_transaction(node, prepared, with_savepoints=True)
        return
    try:
        _handle_in_one_transaction(node, prepared, with_savepoints=False)
    except EXPECTED_ERRORS as error:
        log.info("message failed, batch is repeated with savepoints", reason=describe_error(error))
        node.recent_failures.put(InboxItem.JOB, value=True)
        node.host_quotas.clear()  # their counts include what was rolled back
        _handle_in_one_transaction(node, prepared, with_savepoints=True)


def _handle_in_one_transaction(
    node: Node, prepared: Mapping[int, ReceivedActivity | None], *, with_savepoints: bool
) -> None:
    """Raises what a handler raises; with savepoints, only unexpected errors."""
    process = _dispatch_in_savepoint if with_savepoints else _dispatch
    with node.work(by=Principal.job(InboxItem.JOB)) as work:
        items = _lock_waiting(work, prepared.keys())
        with change_tracking.caching(work.session):
            actors.lock(work.session, {item.actor_uri for item in items})
            refused_uris = actor_blocks.find_blocked_or_deleted(
                work.session, {item.actor_uri for item in items}
            )
            parsed = [prepared[item.id] or _parse_embedded(item) for item in items]
            for prefetch in node.prefetchers:
                prefetch(work, [each for each in parsed if isinstance(each, ReceivedActivity)])
            results = [
                BLOCKED_RESULT
                if actor_blocks.is_refused(item.type, item.actor_uri, refused_uris)
                else process(node, work, item, received)
                for item, received in zip(items, parsed, strict=True)
            ]
        for item, result in zip(items, results, strict=True):
            _record(work, item, result)


def _lock_waiting(work: UnitOfWork, item_ids: Collection[int]) -> Sequence[InboxItem]:
    """Lock the messages that still wait; another worker may have processed some after a lease
    expired.
    """
    is_waiting = InboxItem.id.in_(item_ids), InboxItem.state == InboxItem.WAITING_STATE
    query = select(InboxItem).where(*is_waiting).order_by(InboxItem.id).with_for_update()
    return work.session.scalars(query).all()


def _parse_embedded(item: InboxItem) -> ReceivedActivity | ProcessingResult:
    """The activity in a message, or the result if it cannot be parsed."""
    try:
        return object_resolution.resolve_embedded(Activity.parse(item.body))
    except FederationError as error:
        return _failure_result(error)


def _dispatch(
    node: Node, work: UnitOfWork, item: InboxItem, received: ReceivedActivity | ProcessingResult
) -> ProcessingResult:
    """Process one message. Raises what a handler raises."""
    if isinstance(received, ProcessingResult):
        return received
    work.by = Principal.actor(item.actor_uri)
    try:
        return ProcessingResult(*dispatch(node, work, received))
    finally:
        work.by = Principal.job(InboxItem.JOB)


def _dispatch_in_savepoint(
    node: Node, work: UnitOfWork, item: InboxItem, received: ReceivedActivity | ProcessingResult
) -> ProcessingResult:
    """As `_dispatch`, but an expected error only rolls back this message."""
    try:
        with work.session.begin_nested():
            return _dispatch(node, work, item, received)
    except EXPECTED_ERRORS as error:
        return _failure_result(error)


def _failure_result(error: Exception) -> ProcessingResult:
    if isinstance(error, FetchLimitError):
        return ProcessingResult(
            InboxItem.WAITING_STATE, describe_error(error), counts_as_attempt=False
        )
    is_permanent = isinstance(error, Refusal) or getattr(error, "permanent", True)
    return ProcessingResult(
        "failed" if is_permanent else InboxItem.WAITING_STATE, describe_error(error)
    )


def _record_in_own_transaction(node: Node, item_id: int, result: ProcessingResult) -> None:
    with node.work(by=Principal.job(InboxItem.JOB)) as work:
        for item in _lock_waiting(work, [item_id]):
            _record(work, item, result)


def _record(work: UnitOfWork, item: InboxItem, result: ProcessingResult) -> None:
    """Store the result of a message, and when it is retried."""
    item.outcome, item.leased_until = one_line(result.outcome, 500), None
    state = result.state
    waited = now() - item.received_at
    if not result.counts_as_attempt and not THROTTLED_RETRY.is_exhausted(item.attempts, waited):
        delay = THROTTLED_RETRY.delay(item.attempts)
        item.due_at = now() + delay
        work.wake(FETCHING_JOB, delay)
        return
    if state in {"failed", InboxItem.WAITING_STATE}:
        item.attempts += 1
        state = "failed" if InboxItem.RETRY.is_exhausted(item.attempts) else state
    if state == InboxItem.WAITING_STATE:
        delay = InboxItem.RETRY.delay(item.attempts)
        item.due_at = now() + delay
        work.wake(FETCHING_JOB if item.needs_fetch else InboxItem.JOB, delay)
    else:
        item.move_to(state)
        item.finished_at = now()
        if len(json.dumps(item.body)) > LARGE_MESSAGE_BYTES:  # duplicates are recognised by id
            item.body = {}
