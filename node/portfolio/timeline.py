"""The timeline: the projects under way in a window of months, and the bars that show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from node.pagination import Page, page_by_number
from node.portfolio.scope import PortfolioScope
from node.projects import service as projects
from node.projects.models import Project

PAGE_SIZE = 20
# Lengths of the window on offer, in months. The sizes below are in pixels.
WINDOW_LENGTHS_MONTHS = (12, 24, 60)
WIDTH, ROW_HEIGHT, HEADER_HEIGHT = 940, 52, 36
BAR_TOP, BAR_HEIGHT = 24, 16
# Labels of bars that start further right than this are aligned right.
MAX_LABEL_X = 560
MAX_LEN_LABEL = 60


@dataclass(frozen=True)
class TimelineWindow:
    """A number of months from the first day of a month."""

    first: date
    months: int

    @property
    def last(self) -> date:
        return add_months(self.first, self.months) - timedelta(days=1)

    def x(self, on: date) -> float:
        """The x position of a day in pixels; days outside the window are put at its edge."""
        share = (on - self.first).days / ((self.last - self.first).days + 1)
        return round(min(max(share, 0.0), 1.0) * WIDTH, 1)

    def is_open(self, on: date | None, *, is_estimated: bool) -> bool:
        """Whether a start or end is unknown, or estimated and within this window."""
        return on is None or (is_estimated and self.first <= on <= self.last)

    def ticks(self) -> list[tuple[date, float]]:
        """The months labelled above the timeline, with their x positions."""
        step = {12: 1, 24: 3}.get(self.months, 12)
        days = [add_months(self.first, number) for number in range(0, self.months, step)]
        return [(on, self.x(on)) for on in days]


def add_months(first: date, months: int) -> date:
    """The first day of the month `months` after (or before) that of `first`; years 1970 to 2999."""
    number = min(max(first.year * 12 + first.month - 1 + months, 1970 * 12), 2999 * 12)
    return date(number // 12, number % 12 + 1, 1)


def list_in_window(
    session: Session, scope: PortfolioScope, window: TimelineWindow, number: int = 1
) -> Page[Project]:
    """Page `number` of the projects with a date or duration in the window, earliest start first."""
    condition = and_(scope.condition(session), _overlaps(window))
    begins = func.coalesce(
        Project.starts_on, Project.ends_on, Project.contract_ends_on, Project.assessment_on
    )
    query = projects.eager_load_councils(select(Project).where(condition)).order_by(
        begins, Project.id
    )
    return page_by_number(session, query, number, PAGE_SIZE)


def count_undated(session: Session, scope: PortfolioScope) -> int:
    """How many projects no timeline can show."""
    nothing = [
        column.is_(None)
        for column in (
            Project.starts_on,
            Project.ends_on,
            Project.contract_ends_on,
            Project.assessment_on,
        )
    ]
    query = select(func.count()).select_from(Project).where(scope.condition(session), *nothing)
    return session.scalar(query) or 0


def _overlaps(window: TimelineWindow) -> ColumnElement[bool]:
    within = [
        column.between(window.first, window.last)
        for column in (Project.contract_ends_on, Project.assessment_on)
    ]
    started = or_(Project.starts_on.is_(None), Project.starts_on <= window.last)
    not_ended = or_(Project.ends_on.is_(None), Project.ends_on >= window.first)
    has_span = or_(Project.starts_on.is_not(None), Project.ends_on.is_not(None))
    return or_(and_(has_span, started, not_ended), *within)


@dataclass(frozen=True)
class TimelineBar:
    """The bar of one project, in pixels.

    `left` and `right` are its ends, equal if there is no bar. `open_left` and `open_right` are the
    widths of ends drawn as uncertain. `contract` and `assessment` are the x positions of marks.
    """

    project: Project
    label: str
    y: int
    left: float
    right: float
    open_left: float
    open_right: float
    contract: float | None
    assessment: float | None

    @property
    def has_bar(self) -> bool:
        return self.right > self.left

    @property
    def is_right_aligned(self) -> bool:
        return self.left > MAX_LABEL_X


def draw_bars(
    window: TimelineWindow, projects: Sequence[Project], labels: list[str]
) -> list[TimelineBar]:
    """The bars of the projects, with their labels shortened to fit."""
    return [
        _draw_bar(window, project, label, HEADER_HEIGHT + number * ROW_HEIGHT)
        for number, (project, label) in enumerate(zip(projects, labels, strict=True))
    ]


def drawing_height(bars: list[TimelineBar]) -> int:
    return HEADER_HEIGHT + len(bars) * ROW_HEIGHT


def _overlaps_span(window: TimelineWindow, project: Project) -> bool:
    """Whether the project's duration overlaps the window; if not, only its marks are drawn."""
    first, last = project.details.starts_on, project.details.ends_on
    if first is None and last is None:
        return False
    return (first is None or first <= window.last) and (last is None or last >= window.first)


def _draw_bar(window: TimelineWindow, project: Project, label: str, y: int) -> TimelineBar:
    details = project.details
    has_span = _overlaps_span(window, project)
    left = window.x(details.starts_on or window.first) if has_span else 0.0
    right = window.x(details.ends_on + timedelta(days=1)) if details.ends_on else float(WIDTH)
    marks = {
        name: window.x(on) if on and window.first <= on <= window.last else None
        for name, on in (
            ("contract", details.contract_ends_on),
            ("assessment", details.assessment_on),
        )
    }
    if not has_span:
        left = right = next((at for at in marks.values() if at is not None), 0.0)
    # Bars of short projects are at least 4 pixels wide.
    right = max(right, left + 4) if has_span else right
    open_width = round((right - left) * 0.3, 1)
    is_open_left = has_span and window.is_open(
        details.starts_on, is_estimated=details.start_is_estimated
    )
    is_open_right = has_span and window.is_open(
        details.ends_on, is_estimated=details.end_is_estimated
    )
    short_label = (
        label if len(label) <= MAX_LEN_LABEL else label[: MAX_LEN_LABEL - 1].rstrip() + "…"
    )
    return TimelineBar(
        project,
        short_label,
        y,
        left,
        right,
        open_width if is_open_left else 0.0,
        open_width if is_open_right else 0.0,
        **marks,
    )
