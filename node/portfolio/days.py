"""The days of projects: when they start and end, and what falls due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from node.portfolio.scope import Scope
from node.projects import service as projects
from node.projects.models import Project


class Kind(StrEnum):
    """What happens on a day."""

    start = "start"
    end = "end"
    contract_end = "contract-end"
    assessment = "assessment"
    review = "review"


LABELS: Mapping[Kind, LazyString] = {
    Kind.start: _l("Starts"),
    Kind.end: _l("Ends"),
    Kind.contract_end: _l("Contract ends"),
    Kind.assessment: _l("Service assessment"),
    Kind.review: _l("Review due"),
}
COLUMNS: Mapping[Kind, "InstrumentedAttribute[date | None]"] = {
    Kind.start: Project.starts_on,
    Kind.end: Project.ends_on,
    Kind.contract_end: Project.contract_ends_on,
    Kind.assessment: Project.assessment_on,
    Kind.review: Project.review_on,
}
# As they stand below each other on one day.
ORDER = {kind: number for number, kind in enumerate(Kind)}


@dataclass(frozen=True)
class Day:
    """Something of a project that is on a day."""

    on: date
    kind: Kind
    project: Project

    @property
    def is_estimated(self) -> bool:
        said = self.project.details
        return (self.kind is Kind.start and said.start_is_estimated) or (
            self.kind is Kind.end and said.end_is_estimated
        )


def between(session: Session, scope: Scope, first: date, last: date, most: int) -> list[Day]:
    """What is on the days from `first` to `last`, in their order; at most so many, the earliest."""
    found: list[Day] = []
    for kind, column in COLUMNS.items():
        on_these = select(Project).where(scope.condition(session), column.between(first, last))
        query = projects.with_councils(on_these)
        rows = session.scalars(query.order_by(column, Project.id).limit(most))
        found += [Day(on, kind, row) for row in rows if (on := getattr(row, column.key))]
    found.sort(key=lambda day: (day.on, ORDER[day.kind], day.project.id))
    return found[:most]


def of_project(project: Project) -> list[Day]:
    """The days of one project, in their order."""
    found = [
        Day(on, kind, project)
        for kind, column in COLUMNS.items()
        if (on := getattr(project, column.key))
    ]
    return sorted(found, key=lambda day: (day.on, ORDER[day.kind]))
