"""Which deliveries are sent next: a way round all hosts, so that none waits for another.

Hosts are found by skipping from one to the next in the index, and of each only the first rows are
looked at: however much waits for one host, that costs the same. All is read outside the write lock,
which is taken for a short statement.
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

from node.db import UtcDateTime, now
from node.federating import delivery_loading, queues
from node.federating.models import Delivery, Peer
from node.federating.outgoing_requests import OutgoingRequest
from node.runtime import Node

# So many deliveries to one host are under way at once.
MAX_PER_HOST = 4
# So many hosts are looked at in one go.
MIN_HOSTS, MAX_HOSTS = 16, 128
# The session holds no rows that a statement would have to change too.
UNSYNCHRONISED = {"synchronize_session": False}


@dataclass(frozen=True)
class Capacity:
    """How many more deliveries may be under way, and how many of these to hosts that failed lately
    or are slow.
    """

    total: int
    degraded: int


@dataclass(frozen=True)
class DeliveryCandidate:
    """A delivery at the front of its host's queue: `turn` 0 is the first there.

    `comes_later`: another of the same object has to be sent before. `is_careful`: the host failed
    lately, or is slow.
    """

    id: int
    host: str
    position: int
    is_leased: bool
    has_predecessor: bool
    is_degraded: bool


@dataclass
class HostCursor:
    """One worker's way round the hosts: it goes on after the host `after`."""

    node: Node
    after_host: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether all hosts have been looked at, and the next is the first again."""
        return not self.after_host

    def lease(self, room: Capacity, pace: Mapping[str, bool]) -> tuple[list[OutgoingRequest], bool]:
        """Lease deliveries to the next hosts: of each the first, then of each the second.

        `pace` says which hosts are known to be quick (True), and which to be slow (False). One that
        is not known to be quick, or that failed lately, gets one delivery at a time. Also returns
        whether any stepped back that must wait for another of the same object.
        """
        moment = now()
        most_hosts = min(max(room.total, MIN_HOSTS), MAX_HOSTS)
        with self.node.reading() as session:
            since = queues.in_flight_since(self.node, moment)
            hosts, front = _load_candidates(
                session, self.after_host, most_hosts, moment, since, pace
            )
        chosen = _choose(front, room, pace)
        last = max((row.host for row in chosen), default="")
        if len(chosen) == room.total and last < hosts[-1]:
            self.after_host = last
        else:
            self.after_host = hosts[-1] if len(hosts) == most_hosts else ""
        late = [row for row in front if row.has_predecessor and not row.is_leased]
        leased = _lease(self.node, chosen, late, moment)
        careful = {row.id: row.is_degraded for row in chosen if row.id in leased}
        return delivery_loading.load_deliveries(self.node, careful), bool(late)


def _load_candidates(
    session: Session,
    after: str,
    most: int,
    moment: datetime,
    since: datetime,
    pace: Mapping[str, bool],
) -> tuple[list[str], list[DeliveryCandidate]]:
    """The next hosts for which anything waits, and what is due of each that is not left alone, or
    is under way there `since`.
    """
    given = {"after": after, "most": most, "moment": moment, "since": since}
    rows = session.execute(_select_hosts_and_due(), given).all()
    due: dict[int, tuple[int, bool]] = {}
    for host, failures, try_after, *ids in rows:
        if try_after is None or try_after <= moment:
            careful = bool(failures) or pace.get(host) is False
            due |= {found: (turn, careful) for turn, found in enumerate(ids) if found}
    front = [
        DeliveryCandidate(
            row.id,
            row.host,
            due[row.id][0],
            row.leased_until is not None and row.leased_until >= moment,
            row.first != row.id,
            due[row.id][1],
        )
        for row in session.execute(_select_with_first_of_object(), {"ids": list(due)})
    ]
    return [row.host for row in rows], front


@cache
def _select_hosts_and_due() -> Select[tuple[Any, ...]]:
    """After the host `after`, at most `most`: how each is doing, and what is due at `moment`."""
    hosts = _select_hosts_after(bindparam("after", type_=String), bindparam("most", type_=Integer))
    moment, since = (bindparam(name, type_=UtcDateTime) for name in ("moment", "since"))
    counts = queues.is_free_or_in_flight(Delivery, moment, since)
    return (
        select(hosts.c.host, Peer.failures, Peer.try_after)
        .add_columns(
            *(_select_due(hosts.c.host, turn, moment, counts) for turn in range(MAX_PER_HOST))
        )
        .select_from(hosts.outerjoin(Peer, Peer.host == hosts.c.host))
        .where(hosts.c.host.is_not(None))
        .order_by(hosts.c.host)
    )


def _select_hosts_after(after: ColumnElement[str], most: ColumnElement[int]) -> CTE:
    """The next hosts, in order, for which anything waits at all; and None after the last."""

    def following(host: ColumnElement[str]) -> ScalarSelect[str]:
        of = Delivery.state == Delivery.WAITING, Delivery.host > host
        return select(Delivery.host).where(*of).order_by(Delivery.host).limit(1).scalar_subquery()

    first = select(following(after).label("host"), literal(1).label("number"))
    hosts = first.cte("hosts", recursive=True)
    others = select(following(hosts.c.host), hosts.c.number + 1)
    return hosts.union_all(others.where(hosts.c.host.is_not(None), hosts.c.number < most))


def _select_due(
    host: ColumnElement[str],
    turn: int,
    moment: ColumnElement[datetime],
    counts: ColumnElement[bool],
) -> ScalarSelect[int]:
    """What is due to `host` as the first, the second and so on; free or under way."""
    of = Delivery.state == Delivery.WAITING, Delivery.host == host, Delivery.due_at <= moment
    query = select(Delivery.id).where(*of, counts).order_by(Delivery.due_at, Delivery.id)
    return query.limit(1).offset(turn).scalar_subquery()


@cache
def _select_with_first_of_object() -> Select[tuple[Any, ...]]:
    """The deliveries `ids`, and the earliest that waits of the same object to the same inbox."""
    other = aliased(Delivery)
    first = select(func.min(other.id)).where(
        other.inbox == Delivery.inbox,
        other.object_uri == Delivery.object_uri,
        other.state == Delivery.WAITING,
    )
    columns = Delivery.id, Delivery.host, Delivery.leased_until
    listed = Delivery.id.in_(bindparam("ids", expanding=True))
    return select(*columns, first.scalar_subquery().label("first")).where(listed)


def _choose(
    front: Sequence[DeliveryCandidate], room: Capacity, pace: Mapping[str, bool]
) -> list[DeliveryCandidate]:
    """As many as there is room for, by turns of the hosts."""
    eligible: list[tuple[int, DeliveryCandidate]] = []
    by_host = sorted(front, key=lambda row: (row.host, row.position))
    for host, of_host in groupby(by_host, key=lambda row: row.host):
        rows = list(of_host)
        at_once = MAX_PER_HOST if pace.get(host) and not rows[0].is_degraded else 1
        at_once -= sum(row.is_leased for row in rows)
        ready = [row for row in rows if not row.is_leased and not row.has_predecessor]
        eligible += enumerate(ready[: max(at_once, 0)])
    chosen: list[DeliveryCandidate] = []
    careful = room.degraded
    for _turn, row in sorted(eligible, key=lambda one: (one[0], one[1].host)):
        if row.is_degraded:
            if careful <= 0:
                continue
            careful -= 1
        chosen.append(row)
        if len(chosen) == room.total:
            break
    return chosen


def _lease(
    node: Node,
    chosen: Sequence[DeliveryCandidate],
    late: Sequence[DeliveryCandidate],
    moment: datetime,
) -> set[int]:
    """Those of `chosen` that no other worker took meanwhile. The `late` step back, so that what
    comes behind them is seen; the one they wait for calls them.
    """
    if not chosen and not late:
        return set()
    later = moment + timedelta(seconds=node.settings.lease_seconds)
    is_free = or_(Delivery.leased_until.is_(None), Delivery.leased_until < moment)
    # Asked for the state, SQLite would go through all that wait, and not to these few.
    waits = Delivery.finished_at.is_(None), is_free
    free = select(Delivery.id).where(Delivery.id.in_([row.id for row in chosen]), *waits)
    free = free.with_for_update(skip_locked=True)
    taken = update(Delivery).where(Delivery.id.in_(free)).values(leased_until=later)
    with node.work(by=Delivery.JOB) as work:
        if late:
            # Unless its turn came since.
            behind = Delivery.id.in_([row.id for row in late]), Delivery.due_at <= moment
            step_back = update(Delivery).where(*behind, *waits)
            work.session.execute(step_back.values(due_at=later), execution_options=UNSYNCHRONISED)
        leased = taken.returning(Delivery.id)
        return set(work.session.scalars(leased, execution_options=UNSYNCHRONISED))
