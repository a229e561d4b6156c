"""The board: a column for each phase with the projects changed last."""

from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.portfolio.scope import PortfolioScope
from node.projects import service as projects
from node.projects.models import Phase, Project

# Cards per column; the column links to the full list.
MAX_CARDS_PER_PHASE = 8


@dataclass(frozen=True)
class BoardColumn:
    """One phase: the projects shown as cards, and the total number of projects in it."""

    phase: Phase
    projects: list[Project]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.projects)


def count_by_phase(session: Session, scope: PortfolioScope) -> dict[Phase, int]:
    """The number of projects in each phase. Phases of newer versions come after the known ones."""
    query = (
        select(Project.phase, func.count()).where(scope.condition(session)).group_by(Project.phase)
    )
    counts = dict(session.execute(query).all())
    return dict.fromkeys(Phase, 0) | counts


def build_columns(session: Session, scope: PortfolioScope) -> list[BoardColumn]:
    """The columns of the board, from concept to retired."""
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
    query = projects.eager_load_councils(select(Project).where(scope.condition(session)))
    return list(
        session.scalars(
            query.order_by(Project.changed_at.desc(), Project.id).limit(MAX_CARDS_PER_PHASE)
        )
    )
