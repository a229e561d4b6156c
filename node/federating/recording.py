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

from federation.retry import FOLLOW_REFUSED_FOR, GIVE_UP_AFTER, Outcome, decide
from node.db import now
from node.federating import clock, departures, health, peers, queues, sharing
from node.federating.models import Delivery, DeliveryAttempt, Peer
from node.federating.sending import Letter, Tried
from node.runtime import UnitOfWork

# Of the attempts of one delivery so many are kept.
MOST_ATTEMPTS = 20
# Whoever got something hears that it is gone, however long that takes.
PATIENCE = {"Delete": timedelta(days=90)}
# The other council's operator may take a while to allow ours.
REFUSED_FOR = {"Follow": FOLLOW_REFUSED_FOR}

Result = tuple[Letter, Tried]


def record(work: UnitOfWork, results: Sequence[Result]) -> set[str]:
    """Keep each attempt and what follows from it. Returns the hosts that are lost."""
    session = work.session
    # Always in this order, as whoever blocks a host: so nobody waits in a circle.
    hosts = _peers(session, {letter.host for letter, _ in results})
    rows = _rows(session, [letter.id for letter, _ in results])
    known = [(rows[letter.id], letter, tried) for letter, tried in results if letter.id in rows]
    for row, letter, tried in known:
        peer = hosts[letter.host]
        if health.note(peer, tried):
            health.is_back(work, peer.host)
        if not tried.is_ours:
            _note_delivery(peer, tried)
        outcome = _outcome(row, letter, tried)
        if row.due_at == letter.due_at or outcome.delivered:
            _move(row, peer, outcome, tried)
        else:  # an operator wants it tried again, now
            row.leased_until = None
        if tried.status == HTTPStatus.GONE:
            departures.doubt_inbox(work, row.inbox)
    _keep_attempts(session, [(row, tried) for row, _, tried in known])
    sharing.delivered(session, [letter for row, letter, _ in known if row.state == "delivered"])
    session.flush()
    _call_next(work, [row.id for row, _, _ in known if row.state != Delivery.WAITING])
    _wake_for_next(work, rows.values())
    return {host for host, peer in hosts.items() if health.is_lost(peer)}


def _peers(session: Session, hosts: set[str]) -> dict[str, Peer]:
    query = select(Peer).where(Peer.host.in_(hosts)).order_by(Peer.host).with_for_update()
    known = {peer.host: peer for peer in session.scalars(query)}
    for host in sorted(hosts - set(known)):
        known[host] = peers.row(session, host)
    return known


def _rows(session: Session, ids: Iterable[int]) -> dict[int, Delivery]:
    query = select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id).with_for_update()
    return {row.id: row for row in session.scalars(query)}


def _note_delivery(peer: Peer, tried: Tried) -> None:
    peer.scheme = tried.scheme
    found = clock.difference(tried)
    if found is not None:
        peer.clock_difference = round(found.total_seconds())
    if tried.is_delivered:
        peer.delivered_at = tried.at
    elif tried.is_answered:  # else `health` has noted it, if it counts
        peer.failed_at = tried.at


def _outcome(row: Delivery, letter: Letter, tried: Tried) -> Outcome:
    if tried.final:
        return Outcome.permanent()
    return decide(
        None if clock.explains(tried) else tried.status,
        row.attempts + 1,
        tried.at - row.trying_since,
        tried.retry_after,
        random.random(),  # noqa: S311 -- spreads retries, keeps no secret
        tried.at,
        PATIENCE.get(letter.kind, GIVE_UP_AFTER),
        REFUSED_FOR.get(letter.kind, timedelta()),
    )


def _move(row: Delivery, peer: Peer, outcome: Outcome, tried: Tried) -> None:
    row.attempts += 1
    row.leased_until = None
    if row.state == "failed" and outcome.delivered:  # given up while it was on its way
        row.move_to("pending")
    if row.state != "pending":
        return
    if outcome.after is None:
        row.move_to("delivered" if outcome.delivered else "failed")
        row.finished_at = tried.at
    else:
        row.due_at = max(tried.at + outcome.after, peer.try_after or tried.at)


def _keep_attempts(session: Session, tries: Sequence[tuple[Delivery, Tried]]) -> None:
    """Add these, and leave out the oldest where there are many."""
    if not tries:
        return
    values = [
        {
            "delivery_id": row.id,
            "at": tried.at,
            "status": tried.status,
            "answer": tried.words,
            "milliseconds": round(tried.seconds * 1000),
        }
        for row, tried in tries
    ]
    session.connection().execute(insert(DeliveryAttempt), values)
    often = [row.id for row, _ in tries if row.attempts > 1]
    if often:
        _leave_out_old_attempts(session, often)


def _leave_out_old_attempts(session: Session, deliveries: Sequence[int]) -> None:
    newer = aliased(DeliveryAttempt)
    behind = (
        select(func.count())
        .where(newer.delivery_id == DeliveryAttempt.delivery_id, newer.id > DeliveryAttempt.id)
        .scalar_subquery()
    )
    old = DeliveryAttempt.delivery_id.in_(deliveries), behind >= MOST_ATTEMPTS
    session.execute(delete(DeliveryAttempt).where(*old))


def _call_next(work: UnitOfWork, finished: Sequence[int]) -> None:
    """What waited for one of these, being about the same object, is due."""
    following = work.session.scalars(_following(), {"finished": finished}).all()
    if following:
        called = update(Delivery).where(Delivery.id.in_(following)).values(due_at=now())
        work.session.execute(called)
        work.wake(Delivery.JOB)


@cache
def _following() -> Select[int]:
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
    soonest = min(waits, default=queues.SOON)
    if soonest < queues.SOON:
        work.wake(Delivery.JOB, max(soonest, timedelta()))
