"""Acting on what the inbox stored: here and now, or once the object was read at its origin.

A repeat is harmless; out of order is harmless.
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
from federation.vocabulary import Activity
from node import change_tracking
from node.db import now
from node.error_isolation import EXPECTED_ERRORS, describe_error
from node.errors import ConflictError
from node.federating import actor_blocks, actors, object_resolution, queues
from node.federating.dispatcher import dispatch
from node.federating.fetching import FetchLimitError
from node.federating.models import InboxItem
from node.messages import msg
from node.runtime import Node, NotHandledError, ReceivedActivity, UnitOfWork
from node.text import one_line

log = structlog.get_logger(__name__)

FETCHING_JOB = "inbox-fetching"
# So many are leased at once, and so many acted on in one transaction: the inbox waits for its end.
LEASE_SIZE, BATCH_SIZE = 100, 12
# Before it acts, the job waits so long for more: a transaction for each message would cost more
# than the message.
COALESCE_SECONDS = 0.05
# So many fetches are under way at once.
CONCURRENT_FETCHES = 4
# A message of more bytes is kept as long as it waits.
LARGE_MESSAGE_BYTES = 65_536
# What could not be asked for among so much else is asked for a while later, for so long.
THROTTLED_RETRY_INTERVAL, MAX_THROTTLED_WAIT = timedelta(minutes=1), timedelta(days=1)


class ProcessingResult(NamedTuple):
    """How acting on a message ended: the state it has then, `new` where it is to be tried again,
    and why; whether that counts as a try.
    """

    state: str
    outcome: str
    counts_as_attempt: bool = True


BLOCKED_RESULT = ProcessingResult("ignored", "blocked since it came")


def build_row(verdict: Accepted) -> dict[str, Any]:
    """The row of an accepted message."""
    activity, moment = verdict.activity, now()
    return {
        "uri": _message_key(verdict),
        "actor_uri": activity.actor,
        "host": host_of(activity.actor),
        "forwarded_by": host_of(verdict.forwarded_by) if verdict.forwarded_by else None,
        "type": activity.type[:40],
        "object_uri": (activity.object_id or "")[:2000] or None,
        "body": activity.raw,
        "needs_fetch": verdict.is_unverified
        or object_resolution.needs_fetch(activity, trusted=verdict.embedded_trusted),
        "state": InboxItem.WAITING,
        "attempts": 0,
        "received_at": moment,
        "due_at": moment,
        "finished_at": None,
        "outcome": "",
    }


def _message_key(verdict: Accepted) -> str:
    """By what a message is known when it comes again. Hearsay takes no name that the activity of
    which it tells may yet come under.
    """
    activity = verdict.activity
    if not verdict.is_unverified:
        return activity.id
    name = sha256(f"{verdict.forwarded_by} {activity.id}".encode()).hexdigest()
    return f"hearsay:{name}"


def job_for(row: Mapping[str, Any]) -> str:
    """The job that acts on a row."""
    return FETCHING_JOB if row["needs_fetch"] else InboxItem.JOB


# Of a server that was blocked after its message had been stored.
NOT_ALLOWED_RESULT = ProcessingResult("ignored", "this node does not speak with its server")


@queues.wakes_for_next(InboxItem)
def run_job(node: Node) -> None:
    """The job: act on everything that can be acted on here and now, oldest first. What comes
    meanwhile wakes it again, and is gathered.
    """
    run = queues.isolate_errors(node, InboxItem)
    is_more = True
    while is_more:
        items = queues.lease(node, InboxItem, LEASE_SIZE, InboxItem.needs_fetch.is_(False))
        for start in range(0, len(items), BATCH_SIZE):
            run.attempt_all(items[start : start + BATCH_SIZE], partial(_handle_local, node))
        is_more = len(items) == LEASE_SIZE


def run_fetching_job(node: Node) -> None:
    """The job: act on what must first be fetched from its origin, which may take its time.

    Of each host one at once, so that a slow one holds up nobody else.
    """
    act, is_fetched = partial(_handle_fetched, node), InboxItem.needs_fetch.is_(True)
    queues.process_queue(
        node, InboxItem, act, is_fetched, concurrency=CONCURRENT_FETCHES, per_host=1
    )


def retry(work: UnitOfWork, item: InboxItem) -> None:
    """Act once more on a message that failed. Raises `ConflictError` for one that did not, and for
    one that was too large to be kept.
    """
    if not item.body:
        raise ConflictError(msg("The message was too large to keep, so you cannot retry it."))
    if item.state != "failed":
        raise ConflictError(msg("You can no longer do this."))
    item.move_to(InboxItem.WAITING)
    item.attempts, item.due_at, item.finished_at = 0, now(), None
    work.wake(FETCHING_JOB if item.needs_fetch else InboxItem.JOB)
    work.audit("inbox.retry", item.uri)


def _handle_local(node: Node, items: Sequence[queues.Lease]) -> None:
    """Act on messages that hold all that is needed."""
    _handle(node, dict.fromkeys(item.id for item in items))


def _handle_fetched(node: Node, item: queues.Lease) -> None:
    """Act on a message once its object was read where it lives."""
    with node.reading() as session:
        row = session.get_one(InboxItem, item.id)
        body, forwarded_by = row.body, row.forwarded_by
    try:
        received = object_resolution.resolve(node, Activity.parse(body), forwarded_by)
    except NotHandledError as reason:
        _record_alone(node, item.id, ProcessingResult("ignored", str(reason)))
    except EXPECTED_ERRORS as error:
        _record_alone(node, item.id, _failure_result(error))
    else:
        _handle(node, {item.id: received})


def _handle(node: Node, prepared: Mapping[int, ReceivedActivity | None]) -> None:
    """Act on some messages in one transaction.

    The effect of each is committed together with its new state, or neither is. Savepoints, by which
    one that fails is undone alone, take a third of the time: there are none until one fails, and
    then for a while.
    """
    if node.recent_failures.get(InboxItem.JOB):
        _handle_in_one_transaction(node, prepared, with_savepoints=True)
        return
    try:
        _handle_in_one_transaction(node, prepared, with_savepoints=False)
    except EXPECTED_ERRORS as error:
        log.info("a message failed: all of its batch are acted on again", why=describe_error(error))
        node.recent_failures.put(InboxItem.JOB, value=True)
        node.quotas.clear()  # they counted what was undone
        _handle_in_one_transaction(node, prepared, with_savepoints=True)


def _handle_in_one_transaction(
    node: Node, prepared: Mapping[int, ReceivedActivity | None], *, with_savepoints: bool
) -> None:
    """Raises what a handler raises, unless there are savepoints and it was foreseen."""
    act = _dispatch_in_savepoint if with_savepoints else _dispatch
    with node.work(by=InboxItem.JOB) as work:
        items = _lock_waiting(work, prepared.keys())
        with change_tracking.caching(work.session):
            actors.lock(work.session, {item.actor_uri for item in items})
            unheard = actor_blocks.find_blocked_or_deleted(
                work.session, {item.actor_uri for item in items}
            )
            found = [prepared[item.id] or _parse_embedded(item) for item in items]
            for prefetch in node.prefetchers:
                prefetch(work, [one for one in found if isinstance(one, ReceivedActivity)])
            ends = [
                BLOCKED_RESULT
                if actor_blocks.is_refused(item.type, item.actor_uri, unheard)
                else act(node, work, item, received)
                for item, received in zip(items, found, strict=True)
            ]
        for item, end in zip(items, ends, strict=True):
            _record(work, item, end)


def _lock_waiting(work: UnitOfWork, item_ids: Collection[int]) -> Sequence[InboxItem]:
    """Those that still wait: else a lease ran out, and another worker was quicker."""
    waiting = InboxItem.id.in_(item_ids), InboxItem.state == InboxItem.WAITING
    query = select(InboxItem).where(*waiting).order_by(InboxItem.id).with_for_update()
    return work.session.scalars(query).all()


def _parse_embedded(item: InboxItem) -> ReceivedActivity | ProcessingResult:
    """What a message holds, or how it ends because it cannot be read."""
    try:
        return object_resolution.from_embedded(Activity.parse(item.body))
    except FederationError as error:
        return _failure_result(error)


def _dispatch(
    node: Node, work: UnitOfWork, item: InboxItem, received: ReceivedActivity | ProcessingResult
) -> ProcessingResult:
    """Act on one message. Raises what a handler raises."""
    if isinstance(received, ProcessingResult):
        return received
    work.by = item.actor_uri
    try:
        return ProcessingResult(*dispatch(node, work, received))
    finally:
        work.by = InboxItem.JOB


def _dispatch_in_savepoint(
    node: Node, work: UnitOfWork, item: InboxItem, received: ReceivedActivity | ProcessingResult
) -> ProcessingResult:
    """The same; of one that fails nothing stays but how it ended. Raises what nobody foresaw."""
    try:
        with work.session.begin_nested():
            return _dispatch(node, work, item, received)
    except EXPECTED_ERRORS as error:
        return _failure_result(error)


def _failure_result(error: Exception) -> ProcessingResult:
    if isinstance(error, FetchLimitError):
        return ProcessingResult(InboxItem.WAITING, describe_error(error), counts_as_attempt=False)
    permanent = isinstance(error, Refusal) or getattr(error, "permanent", True)
    return ProcessingResult("failed" if permanent else InboxItem.WAITING, describe_error(error))


def _record_alone(node: Node, item_id: int, end: ProcessingResult) -> None:
    with node.work(by=InboxItem.JOB) as work:
        for item in _lock_waiting(work, [item_id]):
            _record(work, item, end)


def _record(work: UnitOfWork, item: InboxItem, end: ProcessingResult) -> None:
    """Note how it ended; if it did not, when it is tried again."""
    item.outcome, item.leased_until = one_line(end.outcome, 500), None
    state = end.state
    if not end.counts_as_attempt and item.received_at > now() - MAX_THROTTLED_WAIT:
        item.due_at = now() + THROTTLED_RETRY_INTERVAL
        work.wake(FETCHING_JOB, THROTTLED_RETRY_INTERVAL)
        return
    if state in {"failed", InboxItem.WAITING}:
        item.attempts += 1
        state = "failed" if item.attempts >= InboxItem.MAX_ATTEMPTS else state
    if state == InboxItem.WAITING:
        delay = queues.retry_delay(InboxItem, item.attempts)
        item.due_at = now() + delay
        work.wake(FETCHING_JOB if item.needs_fetch else InboxItem.JOB, delay)
    else:
        item.move_to(state)
        item.finished_at = now()
        if len(json.dumps(item.body)) > LARGE_MESSAGE_BYTES:  # that it came is known by its id
            item.body = {}
