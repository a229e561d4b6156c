"""Builds the highlight report: the updates and new projects of a period."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager

from node.portfolio.scope import PortfolioScope
from node.portfolio.timeline import add_months
from node.projects.models import Project
from node.updates.models import Update, UpdateState

LONDON = ZoneInfo("Europe/London")
# Limits of one report, the newest first, so that it stays readable.
MAX_UPDATES, MAX_PROJECTS = 100, 30
MAX_PERIOD = timedelta(days=366)


@dataclass(frozen=True)
class ReportPeriod:
    """A range of days, both inclusive; days begin at midnight in London."""

    first: date
    last: date

    @property
    def begins_at(self) -> datetime:
        return datetime.combine(self.first, time(), LONDON)

    @property
    def ends_at(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(), LONDON)


@dataclass(frozen=True)
class ProjectHighlights:
    """A project with its updates in the period, the newest first."""

    project: Project
    updates: list[Update]


@dataclass(frozen=True)
class HighlightReport:
    """A report. `total` counts all updates of the period. `started` are projects first published
    in it, the newest `MAX_PROJECTS` of `started_total`.
    """

    period: ReportPeriod
    project_highlights: list[ProjectHighlights]
    total: int
    started: list[Project]
    started_total: int

    @property
    def shown(self) -> int:
        return sum(len(chapter.updates) for chapter in self.project_highlights)


def month_of(day: date) -> ReportPeriod:
    """The month that `day` is in."""
    first = day.replace(day=1)
    return ReportPeriod(first, add_months(first, 1) - timedelta(days=1))


def quarter_of(day: date) -> ReportPeriod:
    """The quarter that `day` is in; quarters of the financial year are those of the calendar."""
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return ReportPeriod(first, add_months(first, 3) - timedelta(days=1))


def build_report(
    session: Session,
    scope: PortfolioScope,
    period: ReportPeriod,
    tokens: frozenset[str] = frozenset(),
) -> HighlightReport:
    """Build the report for a period; with `tokens`, about these projects only."""
    conditions = [scope.condition(session)]
    if tokens:
        conditions.append(Project.token.in_(sorted(tokens)[:MAX_PROJECTS]))
    query = (
        select(Update)
        .join(Update.project)
        .where(
            Update.state == UpdateState.published,
            Update.published_at >= period.begins_at,
            Update.published_at < period.ends_at,
            *conditions,
        )
    )
    total = session.scalar(query.with_only_columns(func.count())) or 0
    newest = query.order_by(Update.published_at.desc(), Update.id.desc()).limit(MAX_UPDATES)
    updates = session.scalars(newest.options(contains_eager(Update.project))).all()
    by_project: dict[int, ProjectHighlights] = {}
    for update in updates:
        chapter = by_project.setdefault(update.project_id, ProjectHighlights(update.project, []))
        chapter.updates.append(update)
    is_new = (
        Project.published_at >= period.begins_at,
        Project.published_at < period.ends_at,
        *conditions,
    )
    started = select(Project).where(*is_new).order_by(Project.published_at.desc(), Project.id)
    return HighlightReport(
        period,
        sorted(by_project.values(), key=_sort_key),
        total,
        list(session.scalars(started.limit(MAX_PROJECTS))),
        session.scalar(select(func.count()).select_from(Project).where(*is_new)) or 0,
    )


def _sort_key(chapter: ProjectHighlights) -> tuple[bool, str, str]:
    """Sort key: local projects first, then by council and title."""
    project = chapter.project
    return not project.is_local, project.council.name.casefold(), project.title.casefold()
