"""Gathers the node's health for the operator's first page: problems, queues and sync."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.councils.gss_code_claims import GssCodeDispute, find_disputes
from node.councils.models import Council
from node.database.tables import now
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
from node.federating.outbound.clock import ClockCheck, check_clock
from node.mail.models import Mail
from node.projects.models import Project
from node.queue import error_isolation
from node.queue.error_isolation import JobFailure

# Failed job items shown, the latest.
MAX_FAILURES = 20


@dataclass(frozen=True)
class CouncilSyncStatus:
    """Sync of one council that ours follows. `held`: its published projects that we have."""

    council: Council
    backfill: Backfill | None
    comparison: Comparison | None
    received_count: int


@dataclass(frozen=True)
class NodeOverview:
    """Numbers of rows, unless the type says otherwise. `oldest_waiting` is when the delivery that
    has waited longest was first tried.
    """

    waiting: int
    given_up: int
    oldest_waiting: datetime | None
    unreachable: tuple[Peer, ...]
    failed_jobs: tuple[JobFailure, ...]
    received_waiting: int
    received_failed: int
    refused: int
    failed_emails: int
    followers: int
    disputes: Sequence[GssCodeDispute]
    clock: ClockCheck


def build_overview(session: Session) -> NodeOverview:
    """The numbers on the operator's first page."""

    def count(*conditions: object, model: object = Delivery) -> int:
        return session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0  # type: ignore[arg-type]

    oldest_waiting = select(func.min(Delivery.trying_since)).where(
        Delivery.state == Delivery.WAITING_STATE
    )
    unreachable_peers = (
        select(Peer).where(Peer.try_after > now()).order_by(Peer.unreachable_since, Peer.host)
    )
    return NodeOverview(
        waiting=count(Delivery.state == "pending"),
        given_up=count(Delivery.state == "failed"),
        oldest_waiting=session.scalar(oldest_waiting),
        unreachable=tuple(session.scalars(unreachable_peers.limit(20))),
        failed_jobs=tuple(error_isolation.list_failures(session, MAX_FAILURES)),
        received_waiting=count(InboxItem.state == "new", model=InboxItem),
        received_failed=count(InboxItem.state == "failed", model=InboxItem),
        failed_emails=count(Mail.state == "failed", model=Mail),
        refused=session.scalar(select(func.sum(RefusalCount.count))) or 0,
        followers=count(
            Follow.state == "accepted", Follow.followed.has(Actor.is_local), model=Follow
        ),
        disputes=find_disputes(session),
        clock=check_clock(session),
    )


def list_sync_statuses(session: Session) -> list[CouncilSyncStatus]:
    """The councils that ours follows, by name, with the state of their sync."""
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
