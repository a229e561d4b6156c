"""Statistics of the portfolio: by council, freshness and month, and followers."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from node.councils.models import Council
from node.federating.models import Actor, Follow
from node.portfolio import council_map
from node.portfolio.scope import PortfolioScope
from node.portfolio.timeline import add_months
from node.projects.details import Freshness
from node.projects.models import Project
from node.updates.models import Update, UpdateState

# Councils and months in the charts.
MAX_COUNCILS, MONTHS_SHOWN = 20, 12


@dataclass(frozen=True)
class FollowerCounts:
    """Followers of our council: councils by name, further councils and people as numbers."""

    councils: list[Actor]
    more_councils: int
    people: int

    @property
    def total(self) -> int:
        return len(self.councils) + self.more_councils + self.people


def count_by_council(session: Session, scope: PortfolioScope) -> list[tuple[Council, int]]:
    """The councils with the most projects, and their numbers of projects."""
    by_count = sorted(
        council_map.count_by_council(session, scope).items(), key=lambda item: (-item[1], item[0])
    )
    counts = dict(by_count[:MAX_COUNCILS])
    rows = session.scalars(select(Council).where(Council.id.in_(counts))).all()
    ordered = sorted(rows, key=lambda row: (-counts[row.id], row.name))
    return [(row, counts[row.id]) for row in ordered]


def count_by_freshness(session: Session, scope: PortfolioScope) -> dict[Freshness, int]:
    """The number of projects by freshness, without archived ones."""
    query = select(Project.freshness, func.count()).where(scope.condition(session))
    counts = dict(session.execute(query.group_by(Project.freshness)).all())
    return {state: counts.get(state, 0) for state in Freshness if state is not Freshness.archived}


def count_updates_by_month(
    session: Session, scope: PortfolioScope, today: date
) -> list[tuple[date, int]]:
    """The number of updates published in each of the last `MONTHS_SHOWN` months, newest last."""
    this_month = today.replace(day=1)
    months = [add_months(this_month, number) for number in range(1 - MONTHS_SHOWN, 1)]
    counts = [
        func.count().filter(
            and_(Update.published_at >= _midnight(on), Update.published_at < _midnight(after))
        )
        for on, after in zip(months, [*months[1:], add_months(this_month, 1)], strict=True)
    ]
    query = (
        select(*counts)
        .select_from(Update)
        .join(Update.project)
        .where(
            Update.state == UpdateState.published,
            Update.published_at >= _midnight(months[0]),
            scope.condition(session),
        )
    )
    return list(zip(months, session.execute(query).one(), strict=True))


def _midnight(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, tzinfo=UTC)


def count_followers(session: Session, council: Council, limit: int) -> FollowerCounts:
    """The followers of one of our own councils, with up to `limit` councils by name."""
    is_follower = (
        Follow.followed_id == council.actor_id,
        Follow.state == "accepted",
        ~Actor.is_blocked,
    )
    query = select(Actor).join(Follow, Follow.follower_id == Actor.id).where(*is_follower)
    is_council = Actor.kind == "Organization"
    named = session.scalars(
        query.where(is_council).order_by(func.lower(Actor.name), Actor.id).limit(limit)
    ).all()
    kinds = select(is_council, func.count()).join(Follow, Follow.follower_id == Actor.id)
    counts = dict(session.execute(kinds.where(*is_follower).group_by(is_council)).all())
    total = {bool(kind): number for kind, number in counts.items()}
    return FollowerCounts(list(named), total.get(True, 0) - len(named), total.get(False, 0))
