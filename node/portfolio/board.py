"""The board: a column for each phase, and in it what changed last."""

from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.portfolio.scope import Scope
from node.projects import service as projects
from node.projects.models import Phase, Project

# So many cards a column has; the list behind it has all.
CARDS = 8


@dataclass(frozen=True)
class Column:
    """One phase: how many projects are in it, and the cards that are shown."""

    phase: Phase
    projects: list[Project]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.projects)


def counts(session: Session, scope: Scope) -> dict[Phase, int]:
    """How many projects are in each phase; after ours, those that only later versions know."""
    query = (
        select(Project.phase, func.count()).where(scope.condition(session)).group_by(Project.phase)
    )
    found = dict(session.execute(query).all())
    return dict.fromkeys(Phase, 0) | found


def columns(session: Session, scope: Scope) -> list[Column]:
    """The board, from concept to retired."""
    totals = counts(session, scope)
    return [
        Column(phase, _newest(session, _of_phase(scope, phase)) if total else [], total)
        for phase, total in totals.items()
    ]


def _of_phase(scope: Scope, phase: Phase) -> Scope:
    return replace(scope, wanted=replace(scope.wanted, phase=(phase.value,)))


def _newest(session: Session, scope: Scope) -> list[Project]:
    query = projects.with_councils(select(Project).where(scope.condition(session)))
    return list(session.scalars(query.order_by(Project.changed_at.desc(), Project.id).limit(CARDS)))
