"""Records the results of delivery attempts, many in one transaction.

A worker that dies between sending and recording sends again; the receiver's inbox drops duplicates.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from http import HTTPStatus

from sqlalchemy import Select, and_, bindparam, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from federation import retry
from federation.retry import RetryDecision, decide
from federation.vocabulary.activity_types import activity_type
from node.database.tables import now
from node.federating.models import Delivery, DeliveryAttempt, Peer
from node.federating.outbound import clock, disclosures, peer_health
from node.federating.outbound.outgoing_requests import AttemptResult, OutgoingRequest
from node.federating.peers import actor_deletions
from node.federating.peers import service as peers
from node.queue import leases
from node.runtime import UnitOfWork

# Every server that received an object must learn that it is deleted, however long that takes.
MAX_AGE_IF_ALL_MUST_GET_IT = timedelta(days=90)

DeliveryResult = tuple[OutgoingRequest, AttemptResult]


def record_results(work: UnitOfWork, results: Sequence[DeliveryResult]) -> set[str]:
    """Store each attempt and update its delivery, peer and disclosure. Returns the hosts that have
    been unreachable for so long that their deliveries should be failed.
    """
    session = work.session
    # Peers before deliveries, as when a host is blocked: a fixed lock order avoids deadlocks.
    peers_by_host = _lock_peers(session, {request.host for request, _ in results})
    rows = _lock_deliveries(session, [request.id for request, _ in results])
    recorded = [
        (rows[request.id], request, result) for request, result in results if request.id in rows
    ]
    for row, request, result in recorded:
        peer = peers_by_host[request.host]
        if peer_health.record_result(peer, result):
            peer_health.on_recovery(work, peer.host)
        if not result.is_own_failure:
            _update_peer(peer, result)
        outcome = _decide_outcome(row, request, result)
        if row.due_at == request.due_at or outcome.is_delivered:
            _apply_outcome(row, peer, outcome, result)
        else:  # an operator has requested a retry meanwhile
            row.leased_until = None
        if result.status == HTTPStatus.GONE:
            actor_deletions.schedule_checks_of_inbox(work, row.inbox)
    _save_attempts(session, [(row, result) for row, _, result in recorded])
    disclosures.record_deliveries(
        session, [request for row, request, _ in recorded if row.state == "delivered"]
    )
    session.flush()
    _release_next(work, [row.id for row, _, _ in recorded if row.state != Delivery.WAITING_STATE])
    _wake_for_next(work, rows.values())
    return {host for host, peer in peers_by_host.items() if peer_health.is_dead(peer)}


def _lock_peers(session: Session, hosts: set[str]) -> dict[str, Peer]:
    query = select(Peer).where(Peer.host.in_(hosts)).order_by(Peer.host).with_for_update()
    by_host = {peer.host: peer for peer in session.scalars(query)}
    for host in sorted(hosts - set(by_host)):
        by_host[host] = peers.get_or_create(session, host)
    return by_host


def _lock_deliveries(session: Session, ids: Iterable[int]) -> dict[int, Delivery]:
    query = select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id).with_for_update()
    return {row.id: row for row in session.scalars(query)}


def _update_peer(peer: Peer, result: AttemptResult) -> None:
    peer.scheme = result.signature_scheme
    difference = clock.clock_difference(result)
    if difference is not None:
        peer.clock_difference = round(difference.total_seconds())
    if result.is_delivered:
        peer.delivered_at = result.at
    elif result.host_responded:  # otherwise `peer_health` has set it
        peer.failed_at = result.at


def _decide_outcome(
    row: Delivery, request: OutgoingRequest, result: AttemptResult
) -> RetryDecision:
    if result.is_permanent:
        return RetryDecision.give_up()
    kind = activity_type(request.activity_type)
    max_age = MAX_AGE_IF_ALL_MUST_GET_IT if kind.must_reach_all else retry.DELIVERY.max_age
    return decide(
        None if clock.explains_refusal(result) else result.status,
        row.attempts + 1,
        result.at - row.trying_since,
        result.retry_after,
        random.random(),  # noqa: S311 -- spreads retries, keeps no secret
        result.at,
        replace(retry.DELIVERY, max_age=max_age),
        # The other operator may take a while to allow us.
        retry.REQUEST_REFUSAL_RETRY_PERIOD if kind.is_request else timedelta(),
    )


def _apply_outcome(
    row: Delivery, peer: Peer, outcome: RetryDecision, result: AttemptResult
) -> None:
    row.attempts += 1
    row.leased_until = None
    if (
        row.state == "failed" and outcome.is_delivered
    ):  # failed by another transaction while in flight
        row.move_to("pending")
    if row.state != "pending":
        return
    if outcome.retry_in is None:
        row.move_to("delivered" if outcome.is_delivered else "failed")
        row.finished_at = result.at
    else:
        row.due_at = max(result.at + outcome.retry_in, peer.try_after or result.at)


def _save_attempts(session: Session, attempts: Sequence[tuple[Delivery, AttemptResult]]) -> None:
    if not attempts:
        return
    values = [
        {
            "delivery_id": row.id,
            "at": result.at,
            "status": result.status,
            "answer": result.detail,
            "milliseconds": round(result.seconds * 1000),
        }
        for row, result in attempts
    ]
    session.connection().execute(insert(DeliveryAttempt), values)


def _release_next(work: UnitOfWork, finished_ids: Sequence[int]) -> None:
    """Make due the deliveries that waited for these, being about the same object."""
    next_ids = work.session.scalars(_select_next_of_object(), {"finished": finished_ids}).all()
    if next_ids:
        release = update(Delivery).where(Delivery.id.in_(next_ids)).values(due_at=now())
        work.session.execute(release)
        work.wake(Delivery.JOB)


@cache
def _select_next_of_object() -> Select[int]:
    """For each of the deliveries `finished`, the id of the next one of its inbox and object."""
    done, later = aliased(Delivery), aliased(Delivery)
    is_same_queue = and_(later.inbox == done.inbox, later.object_uri == done.object_uri)
    return (
        select(func.min(later.id))
        .join(done, is_same_queue)
        .where(done.id.in_(bindparam("finished", expanding=True)))
        # Not by state: SQLite would then scan all waiting rows instead of these few.
        .where(later.finished_at.is_(None))
        .group_by(done.id)
    )


def _wake_for_next(work: UnitOfWork, rows: Iterable[Delivery]) -> None:
    """Wake the job for deliveries due within the sweep interval."""
    current_time = now()
    delays = [row.due_at - current_time for row in rows if row.state == Delivery.WAITING_STATE]
    soonest = min(delays, default=leases.SWEEP_INTERVAL)
    if soonest < leases.SWEEP_INTERVAL:
        work.wake(Delivery.JOB, max(soonest, timedelta()))
