"""The highlight report: what was written of projects in a period, and nothing written twice."""

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
# A report is to be read; so many updates it has, the newest.
MAX_UPDATES, MAX_PROJECTS = 100, 30
MAX_PERIOD = timedelta(days=366)


@dataclass(frozen=True)
class ReportPeriod:
    """Some days, the last of which belongs to it."""

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
    """One project, with what was written of it in the period, the newest first."""

    project: Project
    updates: list[Update]


@dataclass(frozen=True)
class HighlightReport:
    """`total` counts the updates of the period. `started` are projects first published in it, of
    which there are `started_total`.
    """

    period: ReportPeriod
    chapters: list[ProjectHighlights]
    total: int
    started: list[Project]
    started_total: int

    @property
    def shown(self) -> int:
        return sum(len(chapter.updates) for chapter in self.chapters)


def month_of(on: date) -> ReportPeriod:
    """The whole month of a day."""
    first = on.replace(day=1)
    return ReportPeriod(first, add_months(first, 1) - timedelta(days=1))


def quarter_of(on: date) -> ReportPeriod:
    """The whole quarter of a day, by the financial year's quarters, which are the calendar's."""
    first = date(on.year, (on.month - 1) // 3 * 3 + 1, 1)
    return ReportPeriod(first, add_months(first, 3) - timedelta(days=1))


def build_report(
    session: Session,
    scope: PortfolioScope,
    period: ReportPeriod,
    tokens: frozenset[str] = frozenset(),
) -> HighlightReport:
    """The report; only on projects with these tokens, if any are given."""
    condition = [scope.condition(session)]
    if tokens:
        condition.append(Project.token.in_(sorted(tokens)[:MAX_PROJECTS]))
    query = (
        select(Update)
        .join(Update.project)
        .where(
            Update.state == UpdateState.published,
            Update.published_at >= period.begins_at,
            Update.published_at < period.ends_at,
            *condition,
        )
    )
    total = session.scalar(query.with_only_columns(func.count())) or 0
    newest = query.order_by(Update.published_at.desc(), Update.id.desc()).limit(MAX_UPDATES)
    written = session.scalars(newest.options(contains_eager(Update.project))).all()
    by_project: dict[int, ProjectHighlights] = {}
    for update in written:
        chapter = by_project.setdefault(update.project_id, ProjectHighlights(update.project, []))
        chapter.updates.append(update)
    began = (
        Project.published_at >= period.begins_at,
        Project.published_at < period.ends_at,
        *condition,
    )
    started = select(Project).where(*began).order_by(Project.published_at.desc(), Project.id)
    return HighlightReport(
        period,
        sorted(by_project.values(), key=_order),
        total,
        list(session.scalars(started.limit(MAX_PROJECTS))),
        session.scalar(select(func.count()).select_from(Project).where(*began)) or 0,
    )


def _order(chapter: ProjectHighlights) -> tuple[bool, str, str]:
    """Ours first, then by council and title."""
    project = chapter.project
    return not project.is_local, project.council.name.casefold(), project.title.casefold()
