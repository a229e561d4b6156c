"""The days of projects: when they start and end, and what falls due."""

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
    """What happens on a day."""

    start = "start"
    end = "end"
    contract_end = "contract-end"
    assessment = "assessment"
    review = "review"


LABELS: Mapping[DateKind, LazyString] = {
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
# As they stand below each other on one day.
KIND_ORDER = {kind: number for number, kind in enumerate(DateKind)}


@dataclass(frozen=True)
class ProjectDate:
    """Something of a project that is on a day."""

    on: date
    kind: DateKind
    project: Project

    @property
    def is_estimated(self) -> bool:
        said = self.project.details
        return (self.kind is DateKind.start and said.start_is_estimated) or (
            self.kind is DateKind.end and said.end_is_estimated
        )


def list_between(
    session: Session, scope: PortfolioScope, first: date, last: date, most: int
) -> list[ProjectDate]:
    """What is on the days from `first` to `last`, in their order; at most so many, the earliest."""
    found: list[ProjectDate] = []
    for kind, column in DATE_COLUMNS.items():
        on_these = select(Project).where(scope.condition(session), column.between(first, last))
        query = projects.load_councils(on_these)
        rows = session.scalars(query.order_by(column, Project.id).limit(most))
        found += [ProjectDate(on, kind, row) for row in rows if (on := getattr(row, column.key))]
    found.sort(key=lambda day: (day.on, KIND_ORDER[day.kind], day.project.id))
    return found[:most]


def list_of_project(project: Project) -> list[ProjectDate]:
    """The days of one project, in their order."""
    found = [
        ProjectDate(on, kind, project)
        for kind, column in DATE_COLUMNS.items()
        if (on := getattr(project, column.key))
    ]
    return sorted(found, key=lambda day: (day.on, KIND_ORDER[day.kind]))
