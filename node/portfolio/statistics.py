"""The portfolio in numbers."""

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

# How many councils and months are shown.
MAX_COUNCILS, MONTHS_SHOWN = 20, 12


@dataclass(frozen=True)
class FollowerCounts:
    """Who follows our council: other councils by name, and everybody else by number."""

    councils: list[Actor]
    more_councils: int
    people: int

    @property
    def total(self) -> int:
        return len(self.councils) + self.more_councils + self.people


def count_by_council(session: Session, scope: PortfolioScope) -> list[tuple[Council, int]]:
    """The councils with the most projects."""
    having = sorted(
        council_map.count_by_council(session, scope).items(), key=lambda one: (-one[1], one[0])
    )
    chosen = dict(having[:MAX_COUNCILS])
    rows = session.scalars(select(Council).where(Council.id.in_(chosen))).all()
    ordered = sorted(rows, key=lambda row: (-chosen[row.id], row.name))
    return [(row, chosen[row.id]) for row in ordered]


def count_by_freshness(session: Session, scope: PortfolioScope) -> dict[Freshness, int]:
    """How many projects are how far up to date."""
    query = select(Project.freshness, func.count()).where(scope.condition(session))
    found = dict(session.execute(query.group_by(Project.freshness)).all())
    return {word: found.get(word, 0) for word in Freshness if word is not Freshness.archived}


def count_updates_by_month(
    session: Session, scope: PortfolioScope, today: date
) -> list[tuple[date, int]]:
    """How many updates were written in each of the last months, the newest last."""
    this = today.replace(day=1)
    months = [add_months(this, number) for number in range(1 - MONTHS_SHOWN, 1)]
    counted = [
        func.count().filter(
            and_(Update.published_at >= _midnight(on), Update.published_at < _midnight(after))
        )
        for on, after in zip(months, [*months[1:], add_months(this, 1)], strict=True)
    ]
    query = (
        select(*counted)
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


def count_followers(session: Session, council: Council, most: int) -> FollowerCounts:
    """Who follows a council of ours; at most so many councils by name."""
    of_ours = Follow.followed_id == council.actor_id, Follow.state == "accepted", ~Actor.is_blocked
    query = select(Actor).join(Follow, Follow.follower_id == Actor.id).where(*of_ours)
    is_council = Actor.kind == "Organization"
    named = session.scalars(
        query.where(is_council).order_by(func.lower(Actor.name), Actor.id).limit(most)
    ).all()
    kinds = select(is_council, func.count()).join(Follow, Follow.follower_id == Actor.id)
    counted = dict(session.execute(kinds.where(*of_ours).group_by(is_council)).all())
    total = {bool(kind): number for kind, number in counted.items()}
    return FollowerCounts(list(named), total.get(True, 0) - len(named), total.get(False, 0))
