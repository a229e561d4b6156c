"""The health of each host: a circuit breaker over deliveries, and probes.

A host that fails several times in a row cools down for growing intervals, with one attempt, a
probe, after each. Once it responds, everything that waits for it is sent, without an operator's
help. Requests that fail at the same moment, such as during a restart, count as one failure.
"""

import random
from datetime import timedelta
from functools import partial

from sqlalchemy import exists, func, select, update

from federation.retry import (
    FAILURES_BEFORE_COOL_DOWN,
    GIVE_UP_AFTER,
    cool_down_delay,
    is_another_failure,
    parse_retry_after,
)
from federation.vocabulary.activity_types import names_of_types
from node.database.tables import now
from node.federating.models import Delivery, OutboxActivity, Peer
from node.federating.outbound.outgoing_requests import AttemptResult
from node.federating.peers import comparison_schedule
from node.federating.peers import service as peers
from node.outbound import OutboundError
from node.principal import Principal
from node.queue import batched_writes
from node.queue.error_isolation import for_each
from node.runtime import Node, UnitOfWork

JOB = "probe"
REQUEST_TYPES = names_of_types(lambda row: row.is_request)
MAX_LEN_RESPONSE = 500
THROTTLING_STATUSES = frozenset({429, 503})
CONCURRENT_PROBES = 4
MAX_PROBES = 40
NODEINFO_PATH, JSON_TYPES = "/.well-known/nodeinfo", ("application/json", "application/jrd+json")


def record_result(peer: Peer, result: AttemptResult) -> bool:
    """Update a host's health from an attempt. True if it was cooling down and responds again."""
    was_cooling_down = peer.failures >= FAILURES_BEFORE_COOL_DOWN
    peer.last_answer = f"{result.status or ''} {result.detail}".strip()[:MAX_LEN_RESPONSE]
    if result.host_responded is None:
        return False
    if result.host_responded:
        peer.failures, peer.unreachable_since, peer.try_after = 0, None, None
    elif peer.failures == 0 or is_another_failure(peer.failed_at, result.at):
        peer.failures += 1
        peer.failed_at = result.at
        peer.unreachable_since = peer.unreachable_since or result.at
        pause = cool_down_delay(peer.failures, _jitter())
        peer.try_after = result.at + pause if pause else None
    if result.status in THROTTLING_STATUSES:
        retry_after = parse_retry_after(result.retry_after, result.at)
        until = result.at + (retry_after or timedelta())
        peer.try_after = max(until, peer.try_after or until)
    return result.host_responded and was_cooling_down


def is_dead(peer: Peer) -> bool:
    """Whether the host has not responded for so long that its waiting deliveries are failed."""
    since = peer.unreachable_since
    return since is not None and now() - since >= GIVE_UP_AFTER


def on_recovery(work: UnitOfWork, host: str) -> None:
    """`host` responds again: make its deliveries due, and compare to find what was missed."""
    release_deliveries(work, host)
    comparison_schedule.on_host_recovery(work, host)
    work.audit("peer.back", host)


def on_message_received(work: UnitOfWork, host: str) -> None:
    """An accepted message came from `host`. If it is cooling down after failures, its first
    delivery is sent as a probe. Follows that it refused are sent again.

    A host that is not failing but asked us to wait keeps its cool-down.
    """
    session = work.session
    peers.record_seen(session, host)
    peer = peers.get_or_create(session, host)
    if peer.failures and peer.try_after is not None and peer.try_after > now():
        peer.try_after = now()
        is_waiting = Delivery.state == Delivery.WAITING_STATE, Delivery.host == host
        first_id = select(func.min(Delivery.id)).where(*is_waiting).scalar_subquery()
        session.execute(update(Delivery).where(Delivery.id == first_id).values(due_at=now()))
        work.wake(Delivery.JOB)
    resend_refused_follows(work, host)


def resend_refused_follows(work: UnitOfWork, host: str) -> None:
    """Make due our Follows that wait for the operator of `host` to allow us."""
    follows = select(OutboxActivity.id).where(OutboxActivity.type.in_(REQUEST_TYPES))
    is_waiting = (
        Delivery.state == Delivery.WAITING_STATE,
        Delivery.host == host,
        Delivery.due_at > now(),
    )
    release = (
        update(Delivery).where(*is_waiting, Delivery.activity_id.in_(follows)).values(due_at=now())
    )
    if work.session.scalars(release.returning(Delivery.id)).all():
        work.wake(Delivery.JOB)


def release_deliveries(work: UnitOfWork, host: str) -> None:
    """Make the postponed deliveries to `host` due, in batches."""
    batched_writes.start(work, RELEASE_DELIVERIES, host)


def _release_batch(work: UnitOfWork, row: batched_writes.BatchedWrite) -> bool:
    """Release a batch of deliveries; returns whether there may be more. Stops if the host has
    failed again meanwhile.
    """
    host = row.subject
    is_failing = Peer.host == host, Peer.failures > 0, Peer.try_after > now()
    if batched_writes.is_any_left(work.session, select(Peer.id).where(*is_failing)):
        return False
    is_waiting = (
        Delivery.state == Delivery.WAITING_STATE,
        Delivery.host == host,
        Delivery.due_at > now(),
    )
    ids = batched_writes.lock_batch(work.session, Delivery, select(Delivery.id).where(*is_waiting))
    release = update(Delivery).where(Delivery.id.in_(ids)).values(due_at=now())
    work.session.execute(release, execution_options=batched_writes.NO_SESSION_SYNC)
    work.wake(Delivery.JOB)
    return len(ids) == batched_writes.BATCH_SIZE


RELEASE_DELIVERIES = batched_writes.BatchedWriteKind("send-what-waits", _release_batch)


def retry_now(work: UnitOfWork, host: str) -> None:
    """End the cool-down of `host`, as someone expects it to respond again."""
    peer = work.session.scalar(select(Peer).where(Peer.host == host))
    if peer is not None:
        peer.try_after = None
    release_deliveries(work, host)
    work.wake(Delivery.JOB)


def run_probe_job(node: Node) -> None:
    """The job: probe unreachable hosts without waiting deliveries. For the others, a delivery is
    the probe.
    """
    has_waiting = exists().where(
        Delivery.state == Delivery.WAITING_STATE, Delivery.host == Peer.host
    )
    with node.reading() as session:
        is_due = Peer.unreachable_since.is_not(None), Peer.try_after <= now(), ~has_waiting
        query = select(Peer.host).where(*is_due).order_by(Peer.try_after).limit(MAX_PROBES)
        hosts = set(session.scalars(query))
        hosts = peers.allowed_among(session, node.settings, hosts)
    for_each(node, JOB, sorted(hosts), partial(_probe, node), concurrency=CONCURRENT_PROBES)


def _probe(node: Node, host: str) -> None:
    result = _send_probe(node, host)
    with node.work(by=Principal.job(JOB)) as work:
        if record_result(peers.get_or_create(work.session, host), result):
            on_recovery(work, host)


def _send_probe(node: Node, host: str) -> AttemptResult:
    """Request the NodeInfo links of `host`, which every fediverse server answers."""
    is_plain_http = host in node.settings.private_hosts and not node.settings.is_https
    scheme = "http" if is_plain_http else "https"
    accept = ", ".join(JSON_TYPES)
    try:
        response = node.outbound.get(
            f"{scheme}://{host}{NODEINFO_PATH}",
            accept=accept,
            content_types=JSON_TYPES,
            is_host_allowed=lambda authority: authority == host,
        )
    except OutboundError as error:
        # Even an invalid response shows that the host responds.
        return AttemptResult(200 if error.permanent else None, error.safe_text)
    return AttemptResult(response.status, "", response.elapsed_seconds)


def _jitter() -> float:
    return random.random()  # noqa: S311 -- spreads retries, keeps no secret
