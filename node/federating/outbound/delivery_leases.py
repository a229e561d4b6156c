"""Chooses and leases the next deliveries, going round all hosts so that no host delays another.

Hosts are found by a skip scan of the index, and only the first few due rows of each are read, so
the cost does not depend on how many deliveries wait for one host. Candidates are read outside the
write lock, which is held for one short statement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    String,
    bindparam,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from node.database.tables import UtcDateTime, now
from node.federating.models import Delivery, Peer
from node.federating.outbound import leased_deliveries
from node.federating.outbound.outgoing_requests import OutgoingRequest
from node.principal import Principal
from node.queue import leases
from node.runtime import Node

# Most deliveries to one host that are in flight.
MAX_PER_HOST = 4
# How many hosts one query looks at.
MIN_HOSTS, MAX_HOSTS = 16, 128
# The session holds no loaded rows that a bulk statement would have to update.
NO_SESSION_SYNC = {"synchronize_session": False}


@dataclass(frozen=True)
class Capacity:
    """How many more deliveries may be leased in total, and how many of them to degraded hosts
    (slow, or failed recently).
    """

    total: int
    degraded: int


@dataclass(frozen=True)
class DeliveryCandidate:
    """A delivery near the front of its host's queue, at `position` (0 is the first).

    `has_predecessor`: an earlier delivery about the same object to the same inbox is still waiting.
    `is_degraded`: the host failed recently, or is slow.
    """

    id: int
    host: str
    position: int
    is_leased: bool
    has_predecessor: bool
    is_degraded: bool


@dataclass
class HostCursor:
    """One worker's position in the round of hosts: the next query starts after `after_host`."""

    node: Node
    after_host: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether a round is complete, so that the next one starts at the first host."""
        return not self.after_host

    def lease(
        self, capacity: Capacity, is_quick: Mapping[str, bool]
    ) -> tuple[list[OutgoingRequest], bool]:
        """Lease deliveries to the next hosts: the first of each host, then the second, and so on.

        `is_quick` holds the hosts known to be quick (True) or slow (False). A host that is not
        known to be quick, or failed recently, gets one delivery at a time. Also returns whether any
        delivery was postponed because it must wait for another about the same object.
        """
        current_time = now()
        host_limit = min(max(capacity.total, MIN_HOSTS), MAX_HOSTS)
        with self.node.reading() as session:
            in_flight_since = leases.in_flight_since(self.node, current_time)
            hosts, candidates = _load_candidates(
                session, self.after_host, host_limit, current_time, in_flight_since, is_quick
            )
        chosen = _choose_candidates(candidates, capacity, is_quick)
        last = max((row.host for row in chosen), default="")
        if len(chosen) == capacity.total and last < hosts[-1]:
            self.after_host = last
        else:
            self.after_host = hosts[-1] if len(hosts) == host_limit else ""
        blocked = [row for row in candidates if row.has_predecessor and not row.is_leased]
        leased = _lease(self.node, chosen, blocked, current_time)
        is_degraded = {row.id: row.is_degraded for row in chosen if row.id in leased}
        return leased_deliveries.load_deliveries(self.node, is_degraded), bool(blocked)


def _load_candidates(
    session: Session,
    after_host: str,
    limit: int,
    current_time: datetime,
    in_flight_since: datetime,
    is_quick: Mapping[str, bool],
) -> tuple[list[str], list[DeliveryCandidate]]:
    """The next hosts that have waiting deliveries, and the first due or in-flight deliveries of
    those that are not cooling down.
    """
    parameters = {
        "after": after_host,
        "limit": limit,
        "current_time": current_time,
        "since": in_flight_since,
    }
    rows = session.execute(_select_hosts_and_due(), parameters).all()
    due: dict[int, tuple[int, bool]] = {}
    for host, failures, try_after, *ids in rows:
        if try_after is None or try_after <= current_time:
            is_degraded = bool(failures) or is_quick.get(host) is False
            due |= {
                delivery_id: (position, is_degraded)
                for position, delivery_id in enumerate(ids)
                if delivery_id
            }
    candidates = [
        DeliveryCandidate(
            row.id,
            row.host,
            due[row.id][0],
            row.leased_until is not None and row.leased_until >= current_time,
            row.first != row.id,
            due[row.id][1],
        )
        for row in session.execute(_select_with_first_waiting_id(), {"ids": list(due)})
    ]
    return [row.host for row in rows], candidates


@cache
def _select_hosts_and_due() -> Select[tuple[Any, ...]]:
    """Parameters `after`, `limit`, `current_time`, `since`: up to `limit` hosts after `after`, with
    their failures, end of cool-down, and ids of the first due deliveries.
    """
    hosts = _select_hosts_after(bindparam("after", type_=String), bindparam("limit", type_=Integer))
    current_time, since = (bindparam(name, type_=UtcDateTime) for name in ("current_time", "since"))
    is_candidate = leases.is_free_or_in_flight(Delivery, current_time, since)
    return (
        select(hosts.c.host, Peer.failures, Peer.try_after)
        .add_columns(
            *(
                _select_due(hosts.c.host, position, current_time, is_candidate)
                for position in range(MAX_PER_HOST)
            )
        )
        .select_from(hosts.outerjoin(Peer, Peer.host == hosts.c.host))
        .where(hosts.c.host.is_not(None))
        .order_by(hosts.c.host)
    )


def _select_hosts_after(after: ColumnElement[str], limit: ColumnElement[int]) -> CTE:
    """The next hosts, in order, that have waiting deliveries; NULL after the last one."""

    def next_host(host: ColumnElement[str]) -> ScalarSelect[str]:
        is_waiting = Delivery.state == Delivery.WAITING_STATE, Delivery.host > host
        return (
            select(Delivery.host)
            .where(*is_waiting)
            .order_by(Delivery.host)
            .limit(1)
            .scalar_subquery()
        )

    first = select(next_host(after).label("host"), literal(1).label("number"))
    hosts = first.cte("hosts", recursive=True)
    rest = select(next_host(hosts.c.host), hosts.c.number + 1)
    return hosts.union_all(rest.where(hosts.c.host.is_not(None), hosts.c.number < limit))


def _select_due(
    host: ColumnElement[str],
    position: int,
    current_time: ColumnElement[datetime],
    is_candidate: ColumnElement[bool],
) -> ScalarSelect[int]:
    """The id of the host's due delivery at this position, free or in flight."""
    is_due = (
        Delivery.state == Delivery.WAITING_STATE,
        Delivery.host == host,
        Delivery.due_at <= current_time,
    )
    query = select(Delivery.id).where(*is_due, is_candidate).order_by(Delivery.due_at, Delivery.id)
    return query.limit(1).offset(position).scalar_subquery()


@cache
def _select_with_first_waiting_id() -> Select[tuple[Any, ...]]:
    """The deliveries `ids`, each with the first waiting id of its inbox and object."""
    other = aliased(Delivery)
    first = select(func.min(other.id)).where(
        other.inbox == Delivery.inbox,
        other.object_uri == Delivery.object_uri,
        other.state == Delivery.WAITING_STATE,
    )
    columns = Delivery.id, Delivery.host, Delivery.leased_until
    listed = Delivery.id.in_(bindparam("ids", expanding=True))
    return select(*columns, first.scalar_subquery().label("first")).where(listed)


def _choose_candidates(
    candidates: Sequence[DeliveryCandidate], capacity: Capacity, is_quick: Mapping[str, bool]
) -> list[DeliveryCandidate]:
    """As many candidates as there is capacity for, one per host and round."""
    eligible: list[tuple[int, DeliveryCandidate]] = []
    by_host = sorted(candidates, key=lambda row: (row.host, row.position))
    for host, of_host in groupby(by_host, key=lambda row: row.host):
        rows = list(of_host)
        slots = MAX_PER_HOST if is_quick.get(host) and not rows[0].is_degraded else 1
        slots -= sum(row.is_leased for row in rows)
        ready = [row for row in rows if not row.is_leased and not row.has_predecessor]
        eligible += enumerate(ready[: max(slots, 0)])
    chosen: list[DeliveryCandidate] = []
    degraded_left = capacity.degraded
    for _round, row in sorted(eligible, key=lambda pair: (pair[0], pair[1].host)):
        if row.is_degraded:
            if degraded_left <= 0:
                continue
            degraded_left -= 1
        chosen.append(row)
        if len(chosen) == capacity.total:
            break
    return chosen


def _lease(
    node: Node,
    chosen: Sequence[DeliveryCandidate],
    blocked: Sequence[DeliveryCandidate],
    current_time: datetime,
) -> set[int]:
    """Lease those of `chosen` that no other worker has leased meanwhile; returns their ids.
    Postpones the `blocked` ones, so that those behind them are seen; they become due when their
    predecessor is finished.
    """
    if not chosen and not blocked:
        return set()
    lease_end = current_time + timedelta(seconds=node.settings.lease_seconds)
    is_free = or_(Delivery.leased_until.is_(None), Delivery.leased_until < current_time)
    # Not by state: SQLite would then scan all waiting rows instead of these few.
    is_available = Delivery.finished_at.is_(None), is_free
    lockable = select(Delivery.id).where(Delivery.id.in_([row.id for row in chosen]), *is_available)
    lockable = lockable.with_for_update(skip_locked=True)
    lease = update(Delivery).where(Delivery.id.in_(lockable)).values(leased_until=lease_end)
    with node.work(by=Principal.job(Delivery.JOB)) as work:
        if blocked:
            # Unless it has been made due since.
            is_blocked = (
                Delivery.id.in_([row.id for row in blocked]),
                Delivery.due_at <= current_time,
            )
            postpone = update(Delivery).where(*is_blocked, *is_available)
            work.session.execute(
                postpone.values(due_at=lease_end), execution_options=NO_SESSION_SYNC
            )
        leased = lease.returning(Delivery.id)
        return set(work.session.scalars(leased, execution_options=NO_SESSION_SYNC))
