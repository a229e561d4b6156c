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
    FAILURES_BEFORE_REST,
    GIVE_UP_AFTER,
    is_another_failure,
    read_retry_after,
    rest,
)
from node import portions
from node.db import now
from node.federating import comparisons, peers
from node.federating.models import Delivery, OutboxActivity, Peer
from node.federating.sending import Tried
from node.isolation import each
from node.outbound import OutboundError
from node.runtime import Node, UnitOfWork

JOB = "probe"
LONGEST_ANSWER = 500
ASKS_TO_WAIT = frozenset({429, 503})
PROBES_AT_ONCE = 4
MOST_PROBES = 40
WELL_KNOWN, JSON = "/.well-known/nodeinfo", ("application/json", "application/jrd+json")


def note(peer: Peer, tried: Tried) -> bool:
    """Keep what came of an attempt. True if the host had been left alone, and answers again."""
    was_left_alone = peer.failures >= FAILURES_BEFORE_REST
    peer.last_answer = f"{tried.status or ''} {tried.words}".strip()[:LONGEST_ANSWER]
    if tried.is_answered is None:
        return False
    if tried.is_answered:
        peer.failures, peer.unreachable_since, peer.try_after = 0, None, None
    elif peer.failures == 0 or is_another_failure(peer.failed_at, tried.at):
        peer.failures += 1
        peer.failed_at = tried.at
        peer.unreachable_since = peer.unreachable_since or tried.at
        pause = rest(peer.failures, _jitter())
        peer.try_after = tried.at + pause if pause else None
    if tried.status in ASKS_TO_WAIT:
        asked = read_retry_after(tried.retry_after, tried.at)
        until = tried.at + (asked or timedelta())
        peer.try_after = max(until, peer.try_after or until)
    return tried.is_answered and was_left_alone


def is_lost(peer: Peer) -> bool:
    """Nobody there has answered for so long that what waits for it is given up."""
    since = peer.unreachable_since
    return since is not None and now() - since >= GIVE_UP_AFTER


def is_back(work: UnitOfWork, host: str) -> None:
    """`host` answers again: what was put off is due, and what we missed is looked for."""
    send_what_waits(work, host)
    comparisons.host_is_back(work, host)
    work.audit("peer.back", host)


def heard(work: UnitOfWork, host: str) -> None:
    """`host` sent something that was accepted. If it was left alone because nobody answered there,
    the first of what waits for it is sent, as a probe. Follows that it refused are sent, too.

    A host that asked us to wait is left alone as long as it asked.
    """
    session = work.session
    peers.heard(session, host)
    peer = peers.row(session, host)
    if peer.failures and peer.try_after is not None and peer.try_after > now():
        peer.try_after = now()
        waits = Delivery.state == Delivery.WAITING, Delivery.host == host
        first = select(func.min(Delivery.id)).where(*waits).scalar_subquery()
        session.execute(update(Delivery).where(Delivery.id == first).values(due_at=now()))
        work.wake(Delivery.JOB)
    send_refused_follows(work, host)


def send_refused_follows(work: UnitOfWork, host: str) -> None:
    """Follows of ours that wait for the operator of `host` are sent again."""
    follows = select(OutboxActivity.id).where(OutboxActivity.type == "Follow")
    waits = Delivery.state == Delivery.WAITING, Delivery.host == host, Delivery.due_at > now()
    due = update(Delivery).where(*waits, Delivery.activity_id.in_(follows)).values(due_at=now())
    if work.session.scalars(due.returning(Delivery.id)).all():
        work.wake(Delivery.JOB)


def send_what_waits(work: UnitOfWork, host: str) -> None:
    """What was put off for `host` is due."""
    portions.begin(work, SENDING, host)


def _send_some(work: UnitOfWork, row: portions.LongWrite) -> bool:
    """What is put off again meanwhile may be tried once more; not where the host is left alone."""
    host = row.subject
    fails = Peer.host == host, Peer.failures > 0, Peer.try_after > now()
    if portions.is_any_left(work.session, select(Peer.id).where(*fails)):
        return False
    waits = Delivery.state == Delivery.WAITING, Delivery.host == host, Delivery.due_at > now()
    ids = portions.take(work.session, Delivery, select(Delivery.id).where(*waits))
    due = update(Delivery).where(Delivery.id.in_(ids)).values(due_at=now())
    work.session.execute(due, execution_options=portions.UNSYNCHRONISED)
    work.wake(Delivery.JOB)
    return len(ids) == portions.PORTION


SENDING = portions.Kind("send-what-waits", _send_some)


def try_now(work: UnitOfWork, host: str) -> None:
    """Somebody believes that `host` answers again: what waits for it is tried at once."""
    peer = work.session.scalar(select(Peer).where(Peer.host == host))
    if peer is not None:
        peer.try_after = None
    send_what_waits(work, host)
    work.wake(Delivery.JOB)


def probe(node: Node) -> None:
    """The job: see whether hosts for which nothing waits any more are back.

    Where something waits, sending it is the probe.
    """
    waits = exists().where(Delivery.state == Delivery.WAITING, Delivery.host == Peer.host)
    with node.reading() as session:
        due = Peer.unreachable_since.is_not(None), Peer.try_after <= now(), ~waits
        query = select(Peer.host).where(*due).order_by(Peer.try_after).limit(MOST_PROBES)
        hosts = set(session.scalars(query))
        hosts = peers.allowed_among(session, node.settings, hosts)
    each(node, JOB, sorted(hosts), partial(_probe, node), at_once=PROBES_AT_ONCE)


def _probe(node: Node, host: str) -> None:
    tried = _ask(node, host)
    with node.work(by=JOB) as work:
        if note(peers.row(work.session, host), tried):
            is_back(work, host)


def _ask(node: Node, host: str) -> Tried:
    """Whether `host` answers a small question that every server of the fediverse knows."""
    plain = host in node.settings.private_hosts and not node.settings.is_https
    scheme = "http" if plain else "https"
    accept = ", ".join(JSON)
    try:
        answer = node.outbound.get(
            f"{scheme}://{host}{WELL_KNOWN}",
            accept=accept,
            content_types=JSON,
            may_visit=lambda authority: authority == host,
        )
    except OutboundError as error:
        # An answer that is odd is an answer.
        return Tried(200 if error.permanent else None, error.safe_text)
    return Tried(answer.status, "", answer.elapsed)


def _jitter() -> float:
    return random.random()  # noqa: S311 -- spreads retries, keeps no secret
