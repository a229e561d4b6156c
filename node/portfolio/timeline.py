"""The timeline: which projects are under way between two days, and where each is drawn."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from node.portfolio.scope import PortfolioScope
from node.projects import service as projects
from node.projects.models import Project

PAGE_SIZE = 20
# How many months may be looked at at once.
MONTH_LENGTHS = (12, 24, 60)
WIDTH, ROW_HEIGHT, HEADER_HEIGHT = 940, 52, 36
BAR_TOP, BAR_HEIGHT = 24, 16
# Beyond this, a label stands to the left of where its bar ends.
MAX_LABEL_X = 560
MAX_LEN_LABEL = 60


@dataclass(frozen=True)
class TimelineWindow:
    """Some months, from the first day of one."""

    first: date
    months: int

    @property
    def last(self) -> date:
        return add_months(self.first, self.months) - timedelta(days=1)

    def x(self, on: date) -> float:
        """Where a day is drawn, from the left edge; at an edge where it is beyond it."""
        share = (on - self.first).days / ((self.last - self.first).days + 1)
        return round(min(max(share, 0.0), 1.0) * WIDTH, 1)

    def is_open(self, on: date | None, *, is_estimated: bool) -> bool:
        """Whether an end that is seen in this window is not sure."""
        return on is None or (is_estimated and self.first <= on <= self.last)

    def ticks(self) -> list[tuple[date, float]]:
        """The months that are named above the picture, with their places."""
        step = {12: 1, 24: 3}.get(self.months, 12)
        days = [add_months(self.first, number) for number in range(0, self.months, step)]
        return [(on, self.x(on)) for on in days]


def add_months(first: date, months: int) -> date:
    """The first day of the month so many months after that of `first`, or before."""
    number = min(max(first.year * 12 + first.month - 1 + months, 1970 * 12), 2999 * 12)
    return date(number // 12, number % 12 + 1, 1)


@dataclass(frozen=True)
class TimelinePage:
    """One page of a timeline. `number` counts from 1."""

    projects: list[Project]
    number: int
    pages: int
    total: int


def list_under_way(
    session: Session, scope: PortfolioScope, window: TimelineWindow, number: int = 1
) -> TimelinePage:
    """Projects of which something is within the window, the earliest start first."""
    condition = and_(scope.condition(session), _overlaps(window))
    total = session.scalar(select(func.count()).select_from(Project).where(condition)) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    number = min(max(1, number), pages)
    begins = func.coalesce(
        Project.starts_on, Project.ends_on, Project.contract_ends_on, Project.assessment_on
    )
    query = projects.load_councils(select(Project).where(condition)).order_by(begins, Project.id)
    found = session.scalars(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return TimelinePage(list(found), number, pages, total)


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
    """A project as it is drawn.

    `left` and `right` are the ends of its bar, the same where it has none; `open_left` and
    `open_right` where an end is estimated, or not known. `contract` and `assessment` are the places
    of their marks.
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
    window: TimelineWindow, projects: list[Project], labels: list[str]
) -> list[TimelineBar]:
    """Where everything stands; each project with its label, cut to what fits."""
    return [
        _draw_bar(window, project, label, HEADER_HEIGHT + number * ROW_HEIGHT)
        for number, (project, label) in enumerate(zip(projects, labels, strict=True))
    ]


def total_height(bars: list[TimelineBar]) -> int:
    return HEADER_HEIGHT + len(bars) * ROW_HEIGHT


def _overlaps_span(window: TimelineWindow, project: Project) -> bool:
    """Whether it goes on within the window; one that has ended may still have a mark there."""
    first, last = project.details.starts_on, project.details.ends_on
    if first is None and last is None:
        return False
    return (first is None or first <= window.last) and (last is None or last >= window.first)


def _draw_bar(window: TimelineWindow, project: Project, label: str, y: int) -> TimelineBar:
    said = project.details
    has_span = _overlaps_span(window, project)
    left = window.x(said.starts_on or window.first) if has_span else 0.0
    right = window.x(said.ends_on + timedelta(days=1)) if said.ends_on else float(WIDTH)
    marks = {
        name: window.x(on) if on and window.first <= on <= window.last else None
        for name, on in (("contract", said.contract_ends_on), ("assessment", said.assessment_on))
    }
    if not has_span:
        left = right = next((at for at in marks.values() if at is not None), 0.0)
    # A project of a day can be seen too.
    right = max(right, left + 4) if has_span else right
    open_width = round((right - left) * 0.3, 1)
    is_open_left = has_span and window.is_open(said.starts_on, is_estimated=said.start_is_estimated)
    is_open_right = has_span and window.is_open(said.ends_on, is_estimated=said.end_is_estimated)
    cut = label if len(label) <= MAX_LEN_LABEL else label[: MAX_LEN_LABEL - 1].rstrip() + "…"
    return TimelineBar(
        project,
        cut,
        y,
        left,
        right,
        open_width if is_open_left else 0.0,
        open_width if is_open_right else 0.0,
        **marks,
    )
