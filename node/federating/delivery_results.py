"""What came of attempts to deliver, recorded many at once in one transaction.

A worker that dies between sending and recording sends again: the receiver's inbox takes what it has
seen only once.
"""

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from http import HTTPStatus

from sqlalchemy import Select, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from federation.retry import FOLLOW_REFUSED_FOR, GIVE_UP_AFTER, RetryDecision, decide
from node.db import now
from node.federating import actor_deletions, clock, disclosures, peer_health, peers, queues
from node.federating.models import Delivery, DeliveryAttempt, Peer
from node.federating.outgoing_requests import AttemptResult, OutgoingRequest
from node.runtime import UnitOfWork

# Of the attempts of one delivery so many are kept.
MAX_ATTEMPTS_KEPT = 20
# Whoever got something hears that it is gone, however long that takes.
GIVE_UP_AFTER_BY_TYPE = {"Delete": timedelta(days=90)}
# The other council's operator may take a while to allow ours.
REFUSED_FOR_BY_TYPE = {"Follow": FOLLOW_REFUSED_FOR}

DeliveryResult = tuple[OutgoingRequest, AttemptResult]


def record_results(work: UnitOfWork, results: Sequence[DeliveryResult]) -> set[str]:
    """Keep each attempt and what follows from it. Returns the hosts that are lost."""
    session = work.session
    # Always in this order, as whoever blocks a host: so nobody waits in a circle.
    hosts = _lock_peers(session, {letter.host for letter, _ in results})
    rows = _lock_deliveries(session, [letter.id for letter, _ in results])
    known = [(rows[letter.id], letter, tried) for letter, tried in results if letter.id in rows]
    for row, letter, tried in known:
        peer = hosts[letter.host]
        if peer_health.record_result(peer, tried):
            peer_health.on_recovery(work, peer.host)
        if not tried.is_own_failure:
            _update_peer(peer, tried)
        outcome = _decide_outcome(row, letter, tried)
        if row.due_at == letter.due_at or outcome.delivered:
            _apply_outcome(row, peer, outcome, tried)
        else:  # an operator wants it tried again, now
            row.leased_until = None
        if tried.status == HTTPStatus.GONE:
            actor_deletions.schedule_checks_of_inbox(work, row.inbox)
    _save_attempts(session, [(row, tried) for row, _, tried in known])
    disclosures.record_deliveries(
        session, [letter for row, letter, _ in known if row.state == "delivered"]
    )
    session.flush()
    _release_next(work, [row.id for row, _, _ in known if row.state != Delivery.WAITING])
    _wake_for_next(work, rows.values())
    return {host for host, peer in hosts.items() if peer_health.is_dead(peer)}


def _lock_peers(session: Session, hosts: set[str]) -> dict[str, Peer]:
    query = select(Peer).where(Peer.host.in_(hosts)).order_by(Peer.host).with_for_update()
    known = {peer.host: peer for peer in session.scalars(query)}
    for host in sorted(hosts - set(known)):
        known[host] = peers.get_or_create(session, host)
    return known


def _lock_deliveries(session: Session, ids: Iterable[int]) -> dict[int, Delivery]:
    query = select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id).with_for_update()
    return {row.id: row for row in session.scalars(query)}


def _update_peer(peer: Peer, tried: AttemptResult) -> None:
    peer.scheme = tried.scheme
    found = clock.clock_difference(tried)
    if found is not None:
        peer.clock_difference = round(found.total_seconds())
    if tried.is_delivered:
        peer.delivered_at = tried.at
    elif tried.host_responded:  # else `health` has noted it, if it counts
        peer.failed_at = tried.at


def _decide_outcome(row: Delivery, letter: OutgoingRequest, tried: AttemptResult) -> RetryDecision:
    if tried.is_permanent:
        return RetryDecision.give_up()
    return decide(
        None if clock.explains_refusal(tried) else tried.status,
        row.attempts + 1,
        tried.at - row.trying_since,
        tried.retry_after,
        random.random(),  # noqa: S311 -- spreads retries, keeps no secret
        tried.at,
        GIVE_UP_AFTER_BY_TYPE.get(letter.activity_type, GIVE_UP_AFTER),
        REFUSED_FOR_BY_TYPE.get(letter.activity_type, timedelta()),
    )


def _apply_outcome(row: Delivery, peer: Peer, outcome: RetryDecision, tried: AttemptResult) -> None:
    row.attempts += 1
    row.leased_until = None
    if row.state == "failed" and outcome.delivered:  # given up while it was on its way
        row.move_to("pending")
    if row.state != "pending":
        return
    if outcome.retry_in is None:
        row.move_to("delivered" if outcome.delivered else "failed")
        row.finished_at = tried.at
    else:
        row.due_at = max(tried.at + outcome.retry_in, peer.try_after or tried.at)


def _save_attempts(session: Session, tries: Sequence[tuple[Delivery, AttemptResult]]) -> None:
    """Add these, and leave out the oldest where there are many."""
    if not tries:
        return
    values = [
        {
            "delivery_id": row.id,
            "at": tried.at,
            "status": tried.status,
            "answer": tried.detail,
            "milliseconds": round(tried.seconds * 1000),
        }
        for row, tried in tries
    ]
    session.connection().execute(insert(DeliveryAttempt), values)
    often = [row.id for row, _ in tries if row.attempts > 1]
    if often:
        _prune_attempts(session, often)


def _prune_attempts(session: Session, deliveries: Sequence[int]) -> None:
    newer = aliased(DeliveryAttempt)
    behind = (
        select(func.count())
        .where(newer.delivery_id == DeliveryAttempt.delivery_id, newer.id > DeliveryAttempt.id)
        .scalar_subquery()
    )
    old = DeliveryAttempt.delivery_id.in_(deliveries), behind >= MAX_ATTEMPTS_KEPT
    session.execute(delete(DeliveryAttempt).where(*old))


def _release_next(work: UnitOfWork, finished: Sequence[int]) -> None:
    """What waited for one of these, being about the same object, is due."""
    following = work.session.scalars(_select_next(), {"finished": finished}).all()
    if following:
        called = update(Delivery).where(Delivery.id.in_(following)).values(due_at=now())
        work.session.execute(called)
        work.wake(Delivery.JOB)


@cache
def _select_next() -> Select[int]:
    """What is next to be sent after each of the deliveries `finished`."""
    done, later = aliased(Delivery), aliased(Delivery)
    same = and_(later.inbox == done.inbox, later.object_uri == done.object_uri)
    return (
        select(func.min(later.id))
        .join(done, same)
        .where(done.id.in_(bindparam("finished", expanding=True)))
        # Asked for the state, SQLite would go through all that wait, and not to these few.
        .where(later.finished_at.is_(None))
        .group_by(done.id)
    )


def _wake_for_next(work: UnitOfWork, rows: Iterable[Delivery]) -> None:
    """What is due within the minute is not left to the sweeper."""
    moment = now()
    waits = [row.due_at - moment for row in rows if row.state == Delivery.WAITING]
    soonest = min(waits, default=queues.SWEEP_INTERVAL)
    if soonest < queues.SWEEP_INTERVAL:
        work.wake(Delivery.JOB, max(soonest, timedelta()))
