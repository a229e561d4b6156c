"""The dates of projects: start, end, end of contract, assessment and review."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from node.portfolio.scope import PortfolioScope
from node.projects import service as projects
from node.projects.models import Project


class DateKind(StrEnum):
    """What happens to the project on a date."""

    start = "start"
    end = "end"
    contract_end = "contract-end"
    assessment = "assessment"
    review = "review"


DATE_KIND_LABELS: Mapping[DateKind, LazyString] = {
    DateKind.start: _l("Starts"),
    DateKind.end: _l("Ends"),
    DateKind.contract_end: _l("Contract ends"),
    DateKind.assessment: _l("Service assessment"),
    DateKind.review: _l("Review due"),
}
DATE_COLUMNS: Mapping[DateKind, "InstrumentedAttribute[date | None]"] = {
    DateKind.start: Project.starts_on,
    DateKind.end: Project.ends_on,
    DateKind.contract_end: Project.contract_ends_on,
    DateKind.assessment: Project.assessment_on,
    DateKind.review: Project.review_on,
}
# The order of several dates on the same day.
KIND_ORDER = {kind: number for number, kind in enumerate(DateKind)}


@dataclass(frozen=True)
class ProjectDate:
    """One date of a project."""

    on: date
    kind: DateKind
    project: Project

    @property
    def is_estimated(self) -> bool:
        details = self.project.details
        return (self.kind is DateKind.start and details.start_is_estimated) or (
            self.kind is DateKind.end and details.end_is_estimated
        )


def list_between(
    session: Session, scope: PortfolioScope, first: date, last: date, limit: int
) -> list[ProjectDate]:
    """The dates from `first` to `last` (inclusive), the earliest `limit` of them, in order."""
    dates: list[ProjectDate] = []
    for kind, column in DATE_COLUMNS.items():
        in_range = select(Project).where(scope.condition(session), column.between(first, last))
        query = projects.eager_load_councils(in_range)
        rows = session.scalars(query.order_by(column, Project.id).limit(limit))
        dates += [ProjectDate(on, kind, row) for row in rows if (on := getattr(row, column.key))]
    dates.sort(key=lambda day: (day.on, KIND_ORDER[day.kind], day.project.id))
    return dates[:limit]


def list_of_project(project: Project) -> list[ProjectDate]:
    """The dates of one project, in order."""
    dates = [
        ProjectDate(on, kind, project)
        for kind, column in DATE_COLUMNS.items()
        if (on := getattr(project, column.key))
    ]
    return sorted(dates, key=lambda day: (day.on, KIND_ORDER[day.kind]))
