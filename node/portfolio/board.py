"""The board: a column for each phase, and in it what changed last."""

from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.portfolio.scope import PortfolioScope
from node.projects import service as projects
from node.projects.models import Phase, Project

# So many cards a column has; the list behind it has all.
MAX_CARDS = 8


@dataclass(frozen=True)
class BoardColumn:
    """One phase: how many projects are in it, and the cards that are shown."""

    phase: Phase
    projects: list[Project]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.projects)


def count_by_phase(session: Session, scope: PortfolioScope) -> dict[Phase, int]:
    """How many projects are in each phase; after ours, those that only later versions know."""
    query = (
        select(Project.phase, func.count()).where(scope.condition(session)).group_by(Project.phase)
    )
    found = dict(session.execute(query).all())
    return dict.fromkeys(Phase, 0) | found


def build_columns(session: Session, scope: PortfolioScope) -> list[BoardColumn]:
    """The board, from concept to retired."""
    totals = count_by_phase(session, scope)
    return [
        BoardColumn(
            phase, _list_newest(session, _scope_of_phase(scope, phase)) if total else [], total
        )
        for phase, total in totals.items()
    ]


def _scope_of_phase(scope: PortfolioScope, phase: Phase) -> PortfolioScope:
    return replace(scope, search_params=replace(scope.search_params, phase=(phase.value,)))


def _list_newest(session: Session, scope: PortfolioScope) -> list[Project]:
    query = projects.load_councils(select(Project).where(scope.condition(session)))
    return list(
        session.scalars(query.order_by(Project.changed_at.desc(), Project.id).limit(MAX_CARDS))
    )
