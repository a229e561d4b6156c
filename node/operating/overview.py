"""How the node is doing, in numbers: what needs somebody, and what is under way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import error_isolation
from node.councils.gss_code_claims import GssCodeDispute, find_disputes
from node.councils.models import Council
from node.db import now
from node.error_isolation import JobFailure
from node.federating.clock import ClockCheck, check_clock
from node.federating.models import (
    Actor,
    Backfill,
    Comparison,
    Delivery,
    Follow,
    InboxItem,
    Peer,
    RefusalCount,
)
from node.mail.models import Mail
from node.projects.models import Project

# Of the items that jobs could not work on, the last ones are shown.
MAX_FAILURES = 20


@dataclass(frozen=True)
class CouncilSyncStatus:
    """What is read and compared of one council that ours follows."""

    council: Council
    backfill: Backfill | None
    comparison: Comparison | None
    held: int


@dataclass(frozen=True)
class NodeOverview:
    """Numbers of rows, but for `oldest_waiting`: when the longest waiting delivery was begun; and
    the GSS codes in dispute.
    """

    waiting: int
    given_up: int
    oldest_waiting: datetime | None
    unreachable: tuple[Peer, ...]
    failed_work: tuple[JobFailure, ...]
    received_waiting: int
    received_failed: int
    refused: int
    mails_failed: int
    followers: int
    disputes: Sequence[GssCodeDispute]
    clock: ClockCheck


def build_overview(session: Session) -> NodeOverview:
    """The numbers on the operator's first page."""

    def count(*where: object, of: object = Delivery) -> int:
        return session.scalar(select(func.count()).select_from(of).where(*where)) or 0  # type: ignore[arg-type]

    oldest = select(func.min(Delivery.trying_since)).where(Delivery.state == Delivery.WAITING)
    down = select(Peer).where(Peer.try_after > now()).order_by(Peer.unreachable_since, Peer.host)
    return NodeOverview(
        waiting=count(Delivery.state == "pending"),
        given_up=count(Delivery.state == "failed"),
        oldest_waiting=session.scalar(oldest),
        unreachable=tuple(session.scalars(down.limit(20))),
        failed_work=tuple(error_isolation.list_failures(session, MAX_FAILURES)),
        received_waiting=count(InboxItem.state == "new", of=InboxItem),
        received_failed=count(InboxItem.state == "failed", of=InboxItem),
        mails_failed=count(Mail.state == "failed", of=Mail),
        refused=session.scalar(select(func.sum(RefusalCount.count))) or 0,
        followers=count(Follow.state == "accepted", Follow.followed.has(Actor.is_local), of=Follow),
        disputes=find_disputes(session),
        clock=check_clock(session),
    )


def list_sync_statuses(session: Session) -> list[CouncilSyncStatus]:
    """Every council that ours follows, by name, with what is read of it."""
    held = (
        select(Project.council_id, func.count().label("held"))
        .where(Project.state == "published")
        .group_by(Project.council_id)
        .subquery()
    )
    query = (
        select(Council, Backfill, Comparison, func.coalesce(held.c.held, 0))
        .join(Follow, Follow.followed_id == Council.actor_id)
        .outerjoin(Backfill, Backfill.actor_id == Council.actor_id)
        .outerjoin(Comparison, Comparison.actor_id == Council.actor_id)
        .outerjoin(held, held.c.council_id == Council.id)
        .where(Council.slug.is_(None), Follow.state == "accepted")
        .order_by(func.lower(Council.name), Council.id)
    )
    return [CouncilSyncStatus(*row) for row in session.execute(query)]
