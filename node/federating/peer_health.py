"""How it goes with each host: what it answered last, and when it is left alone.

A host that fails several times in a row is left alone, longer and longer, but for a single attempt
each time: a probe. Once it answers, all that waits for it is sent. Nobody has to do anything.
Requests that fail at the same moment, such as while it is started anew, are one failure.
"""

import random
from datetime import timedelta
from functools import partial

from sqlalchemy import exists, func, select, update

from federation.retry import (
    FAILURES_BEFORE_COOL_DOWN,
    GIVE_UP_AFTER,
    cool_down,
    is_another_failure,
    parse_retry_after,
)
from node import long_writes
from node.db import now
from node.error_isolation import for_each
from node.federating import comparisons, peers
from node.federating.models import Delivery, OutboxActivity, Peer
from node.federating.outgoing_requests import AttemptResult
from node.outbound import OutboundError
from node.runtime import Node, UnitOfWork

JOB = "probe"
MAX_LEN_ANSWER = 500
THROTTLING_STATUSES = frozenset({429, 503})
CONCURRENT_PROBES = 4
MAX_PROBES = 40
NODEINFO_PATH, JSON_TYPES = "/.well-known/nodeinfo", ("application/json", "application/jrd+json")


def record_result(peer: Peer, tried: AttemptResult) -> bool:
    """Keep what came of an attempt. True if the host had been left alone, and answers again."""
    was_left_alone = peer.failures >= FAILURES_BEFORE_COOL_DOWN
    peer.last_answer = f"{tried.status or ''} {tried.detail}".strip()[:MAX_LEN_ANSWER]
    if tried.host_responded is None:
        return False
    if tried.host_responded:
        peer.failures, peer.unreachable_since, peer.try_after = 0, None, None
    elif peer.failures == 0 or is_another_failure(peer.failed_at, tried.at):
        peer.failures += 1
        peer.failed_at = tried.at
        peer.unreachable_since = peer.unreachable_since or tried.at
        pause = cool_down(peer.failures, _jitter())
        peer.try_after = tried.at + pause if pause else None
    if tried.status in THROTTLING_STATUSES:
        asked = parse_retry_after(tried.retry_after, tried.at)
        until = tried.at + (asked or timedelta())
        peer.try_after = max(until, peer.try_after or until)
    return tried.host_responded and was_left_alone


def is_dead(peer: Peer) -> bool:
    """Nobody there has answered for so long that what waits for it is given up."""
    since = peer.unreachable_since
    return since is not None and now() - since >= GIVE_UP_AFTER


def on_recovery(work: UnitOfWork, host: str) -> None:
    """`host` answers again: what was put off is due, and what we missed is looked for."""
    release_deliveries(work, host)
    comparisons.on_host_recovery(work, host)
    work.audit("peer.back", host)


def on_message_received(work: UnitOfWork, host: str) -> None:
    """`host` sent something that was accepted. If it was left alone because nobody answered there,
    the first of what waits for it is sent, as a probe. Follows that it refused are sent, too.

    A host that asked us to wait is left alone as long as it asked.
    """
    session = work.session
    peers.record_seen(session, host)
    peer = peers.get_or_create(session, host)
    if peer.failures and peer.try_after is not None and peer.try_after > now():
        peer.try_after = now()
        waits = Delivery.state == Delivery.WAITING, Delivery.host == host
        first = select(func.min(Delivery.id)).where(*waits).scalar_subquery()
        session.execute(update(Delivery).where(Delivery.id == first).values(due_at=now()))
        work.wake(Delivery.JOB)
    resend_refused_follows(work, host)


def resend_refused_follows(work: UnitOfWork, host: str) -> None:
    """Follows of ours that wait for the operator of `host` are sent again."""
    follows = select(OutboxActivity.id).where(OutboxActivity.type == "Follow")
    waits = Delivery.state == Delivery.WAITING, Delivery.host == host, Delivery.due_at > now()
    due = update(Delivery).where(*waits, Delivery.activity_id.in_(follows)).values(due_at=now())
    if work.session.scalars(due.returning(Delivery.id)).all():
        work.wake(Delivery.JOB)


def release_deliveries(work: UnitOfWork, host: str) -> None:
    """What was put off for `host` is due."""
    long_writes.begin(work, RELEASE_DELIVERIES, host)


def _release_batch(work: UnitOfWork, row: long_writes.LongWrite) -> bool:
    """What is put off again meanwhile may be tried once more; not where the host is left alone."""
    host = row.subject
    fails = Peer.host == host, Peer.failures > 0, Peer.try_after > now()
    if long_writes.is_any_left(work.session, select(Peer.id).where(*fails)):
        return False
    waits = Delivery.state == Delivery.WAITING, Delivery.host == host, Delivery.due_at > now()
    ids = long_writes.lock_batch(work.session, Delivery, select(Delivery.id).where(*waits))
    due = update(Delivery).where(Delivery.id.in_(ids)).values(due_at=now())
    work.session.execute(due, execution_options=long_writes.UNSYNCHRONISED)
    work.wake(Delivery.JOB)
    return len(ids) == long_writes.BATCH_SIZE


RELEASE_DELIVERIES = long_writes.LongWriteKind("send-what-waits", _release_batch)


def retry_now(work: UnitOfWork, host: str) -> None:
    """Somebody believes that `host` answers again: what waits for it is tried at once."""
    peer = work.session.scalar(select(Peer).where(Peer.host == host))
    if peer is not None:
        peer.try_after = None
    release_deliveries(work, host)
    work.wake(Delivery.JOB)


def run_probe_job(node: Node) -> None:
    """The job: see whether hosts for which nothing waits any more are back.

    Where something waits, sending it is the probe.
    """
    waits = exists().where(Delivery.state == Delivery.WAITING, Delivery.host == Peer.host)
    with node.reading() as session:
        due = Peer.unreachable_since.is_not(None), Peer.try_after <= now(), ~waits
        query = select(Peer.host).where(*due).order_by(Peer.try_after).limit(MAX_PROBES)
        hosts = set(session.scalars(query))
        hosts = peers.allowed_among(session, node.settings, hosts)
    for_each(node, JOB, sorted(hosts), partial(_probe, node), concurrency=CONCURRENT_PROBES)


def _probe(node: Node, host: str) -> None:
    tried = _send_probe(node, host)
    with node.work(by=JOB) as work:
        if record_result(peers.get_or_create(work.session, host), tried):
            on_recovery(work, host)


def _send_probe(node: Node, host: str) -> AttemptResult:
    """Whether `host` answers a small question that every server of the fediverse knows."""
    plain = host in node.settings.private_hosts and not node.settings.is_https
    scheme = "http" if plain else "https"
    accept = ", ".join(JSON_TYPES)
    try:
        answer = node.outbound.get(
            f"{scheme}://{host}{NODEINFO_PATH}",
            accept=accept,
            content_types=JSON_TYPES,
            is_host_allowed=lambda authority: authority == host,
        )
    except OutboundError as error:
        # An answer that is odd is an answer.
        return AttemptResult(200 if error.permanent else None, error.safe_text)
    return AttemptResult(answer.status, "", answer.elapsed)


def _jitter() -> float:
    return random.random()  # noqa: S311 -- spreads retries, keeps no secret
