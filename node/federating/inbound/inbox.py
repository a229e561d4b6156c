"""Receives inbox messages: verifies them in a fixed order, stores each once, and only then
responds.

Messages that arrive together are verified one after the other in one thread, at half the cost of
contending threads, and stored in one transaction. `node.federating.inbound.inbox_processor` acts on
them later.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Update, and_, bindparam, func, select, update

from federation.acceptance import Accepted, Ignored, InboxPolicy, accept
from federation.errors import Refusal, RefusalReason
from federation.followers import HEADER_NAME
from federation.signatures import SignedRequest, claimed_host
from federation.vocabulary import Activity
from federation.vocabulary.activity_types import VERSION_TYPES, activity_type
from node.caches_and_limits import LimitExceededError
from node.database.engine import read_write
from node.database.tables import insert_missing, now
from node.federating.inbound import inbox_processor, keystore
from node.federating.inbound.keystore import (
    DatabaseKeyStore,
    FetchingKeyStore,
    KeyNotStoredError,
    build_policy,
)
from node.federating.models import InboxItem
from node.federating.outbound import peer_health
from node.federating.peers import actor_deletions, refusals
from node.federating.sync import actor_blocks, follower_sync
from node.principal import Principal
from node.runtime import Node, Quota

log = structlog.get_logger(__name__)

MAX_BYTES = InboxPolicy.max_bytes
InboxRow = dict[str, Any]
# An irrelevant message does not count towards the quota: only its id is stored, to recognise
# duplicates.
IRRELEVANT_VALUES: InboxRow = {
    "state": "ignored",
    "outcome": "refers to nothing on this server",
    "body": {},
}
# The objects of the messages that wait.
SELECT_WAITING_OBJECTS = select(InboxItem.object_uri).where(
    InboxItem.object_uri.in_(bindparam("uris", expanding=True)),
    InboxItem.state == InboxItem.WAITING_STATE,
)
# Large messages accepted per minute, per server and in all: they take much disk space while they
# wait.
MAX_LARGE_MESSAGES_PER_HOST, MAX_LARGE_MESSAGES = 20, 60


class InboxResult(NamedTuple):
    """The result for one message: a verdict, a refusal, or that a key must be fetched before the
    message can be verified.
    """

    verdict: Accepted | Ignored | None = None
    refusal: Refusal | None = None
    needs_key_fetch: bool = False


def receive(node: Node, request: SignedRequest) -> None:
    """Accept one message; it is stored when this returns.

    Raises `Refusal`, which has been counted. A refused message is not stored.
    """
    try:
        _receive(node, request)
    except Refusal as refusal:
        refuse(node, claimed_host(request), refusal)
        raise


def refuse(node: Node, host: str, refusal: Refusal) -> None:
    """Count and log a refusal for the operator. `host` is the sender that the message claims."""
    refusals.record(node, host, refusal)
    log.info("inbox message refused", host=host, reason=refusal.reason.value, detail=refusal.detail)


def _receive(node: Node, request: SignedRequest) -> None:
    result = _submit_message(node, request)
    if result.needs_key_fetch:
        # Fetching a key takes time: done in this thread, outside the batch.
        keys = FetchingKeyStore(node)
        verified = accept(request, build_policy(node), keys, now())
        if isinstance(verified, Ignored):
            _handle_ignored(node, request, verified)
            return
        if keys.has_fetched:
            with node.work(by=Principal.actor(verified.activity.actor)) as work:
                keys.store_fetched(work.session)
        result = _submit_message(node, verified)
    if result.refusal is not None:
        raise result.refusal
    verdict = result.verdict
    if isinstance(verdict, Ignored):
        _handle_ignored(node, request, verdict)
    elif isinstance(verdict, Accepted) and HEADER_NAME.lower() in verdict.covered_components:
        follower_sync.handle_header(node, verdict.key.owner, request.headers.get(HEADER_NAME))


def _handle_ignored(node: Node, request: SignedRequest, verdict: Ignored) -> None:
    """Nothing is stored. An account that may be deleted is checked, and an unverifiable message is
    counted as refused.
    """
    if verdict.deleted_actor is not None:
        actor_deletions.schedule_check(node, verdict.deleted_actor)
    if verdict.refusal is not None:
        refuse(node, claimed_host(request), verdict.refusal)


def _submit_message(node: Node, message: SignedRequest | Accepted) -> InboxResult:
    result: InboxResult = node.inbox_commits.submit(message, partial(_process_batch, node))
    return result


def _process_batch(
    node: Node, messages: Sequence[SignedRequest | Accepted]
) -> Sequence[InboxResult]:
    """Verify messages one after the other, and store the accepted ones in one transaction."""
    keystore.prefetch_keys(
        node, [message for message in messages if isinstance(message, SignedRequest)]
    )
    stored_keys, policy = DatabaseKeyStore(node), build_policy(node)
    results = [
        InboxResult(message)
        if isinstance(message, Accepted)
        else _verify_message(message, policy, stored_keys)
        for message in messages
    ]
    accepted = {
        index: (result.verdict, inbox_processor.build_row(result.verdict))
        for index, result in enumerate(results)
        if isinstance(result.verdict, Accepted)
    }
    refused_uris = _find_blocked_or_deleted(
        node, {row["actor_uri"] for _verdict, row in accepted.values()}
    )
    _ignore_irrelevant(node, [(verdict.activity, row) for verdict, row in accepted.values()])
    rows = []
    for index, (verdict, row) in accepted.items():
        refusal = _find_refusal(node, row, len(verdict.body), refused_uris)
        if refusal is None:
            rows.append(row)
        else:
            results[index] = InboxResult(refusal=refusal)
    if rows:
        _store_rows(node, rows)
    return results


def _verify_message(
    request: SignedRequest, policy: InboxPolicy, key_store: DatabaseKeyStore
) -> InboxResult:
    try:
        return InboxResult(accept(request, policy, key_store, now()))
    except Refusal as refusal:
        return InboxResult(refusal=refusal)
    except KeyNotStoredError:
        return InboxResult(needs_key_fetch=True)


def _store_rows(node: Node, rows: Sequence[InboxRow]) -> None:
    # Not in a unit of work: nothing to audit, and it must be fast.
    with read_write(), node.engine.begin() as connection:
        insert_missing(connection, InboxItem, rows)
        for row in rows:
            if activity_type(row["type"]).is_request:
                connection.execute(_reopen_request(row))
    for host in {row["forwarded_by"] or row["host"] for row in rows}:
        node.peer_seen_cache.get_or_compute(host, partial(_record_peer_seen, node, host))
    waiting = [row for row in rows if row["state"] == InboxItem.WAITING_STATE]
    for job in {inbox_processor.job_name_for(row) for row in waiting}:
        node.jobs.wake(job)


def _reopen_request(row: InboxRow) -> Update:
    """Process a finished request again if it is repeated under the same id, since its sender has
    missed our answer. One that still waits is not changed.
    """
    is_finished = InboxItem.uri == row["uri"], InboxItem.state.in_(("done", "ignored"))
    by_sender = InboxItem.actor_uri == row["actor_uri"], InboxItem.type == row["type"]
    values = {
        "state": InboxItem.WAITING_STATE,
        "attempts": 0,
        "due_at": row["due_at"],
        "finished_at": None,
    }
    return update(InboxItem).where(*is_finished, *by_sender).values(body=row["body"], **values)


def _record_peer_seen(node: Node, host: str) -> None:
    with node.work(by=Principal.job("inbox")) as work:
        peer_health.on_message_received(work, host)


def _ignore_irrelevant(node: Node, messages: Sequence[tuple[Activity, InboxRow]]) -> None:
    """Mark the messages that refer to nothing on this server, so that no job processes them. A
    reply to a message that still waits is relevant.
    """
    subjects_by_index = {
        index: subjects
        for index, (activity, row) in enumerate(messages)
        if not row["needs_fetch"]
        and (subjects := node.relevance.referenced_uris(node.settings, activity)) is not None
    }
    if not subjects_by_index:
        return
    uris = set[str]().union(*subjects_by_index.values())
    with node.reading() as session:
        known = node.relevance.find_known(session, uris)
        known.update(session.scalars(SELECT_WAITING_OBJECTS, {"uris": list(uris)}))
    new_objects = [
        (index, row["object_uri"])
        for index, (_activity, row) in enumerate(messages)
        if row["type"] in VERSION_TYPES
    ]
    for index, subjects in subjects_by_index.items():
        other_uris = (uri for position, uri in new_objects if position != index)
        if known.isdisjoint(subjects) and subjects.isdisjoint(other_uris):
            messages[index][1].update(IRRELEVANT_VALUES, finished_at=now())


def _find_refusal(
    node: Node, row: InboxRow, size_bytes: int, refused_uris: set[str]
) -> Refusal | None:
    """Why a message of `size_bytes` bytes is not accepted, if so: its actor is blocked or deleted,
    or its sender has used up its quota and is to retry later.
    """
    if actor_blocks.is_refused(row["type"], row["actor_uri"], refused_uris):
        return Refusal(RefusalReason.actor_blocked, row["actor_uri"])
    if row["state"] != InboxItem.WAITING_STATE:
        return None
    host, forwarder = row["host"], row["forwarded_by"]
    # Forwarded messages count for the forwarder: it must not use up the author's quota.
    quota_name = f"forwarded by {forwarder}" if forwarder else host
    quota = node.host_quotas.get(quota_name) or node.host_quotas.put(
        quota_name, _load_quota(node, host, forwarder)
    )
    quota.remaining -= 1
    if quota.remaining < 0 or (
        size_bytes > inbox_processor.LARGE_MESSAGE_BYTES
        and not _is_within_large_quota(node, forwarder or host)
    ):
        return Refusal(RefusalReason.too_many, forwarder or host)
    return None


def _is_within_large_quota(node: Node, sender: str) -> bool:
    try:
        node.large_message_limiter.hit(sender, MAX_LARGE_MESSAGES_PER_HOST, MAX_LARGE_MESSAGES)
    except LimitExceededError:
        return False
    return True


def _find_blocked_or_deleted(node: Node, actor_uris: set[str]) -> set[str]:
    """The blocked or deleted actors among these, from a short-lived cache."""
    refused_by_uri = {
        uri: refused
        for uri in actor_uris
        if (refused := node.blocked_actor_cache.get(uri)) is not None
    }
    if unknown := actor_uris - set(refused_by_uri):
        with node.reading() as session:
            refused = actor_blocks.find_blocked_or_deleted(session, unknown)
        refused_by_uri |= {
            uri: node.blocked_actor_cache.put(uri, refused & {uri}) for uri in unknown
        }
    return set[str]().union(*refused_by_uri.values())


def _load_quota(node: Node, host: str, forwarder: str | None) -> Quota:
    limit = node.settings.most_waiting
    is_forwarded_by = InboxItem.forwarded_by == forwarder
    from_sender = is_forwarded_by if forwarder else and_(InboxItem.host == host, is_forwarded_by)
    conditions = InboxItem.state == InboxItem.WAITING_STATE, from_sender
    waiting = select(InboxItem.id).where(*conditions).limit(limit).subquery()
    with node.reading() as session:
        return Quota(limit - (session.scalar(select(func.count()).select_from(waiting)) or 0))
