"""The pages of the portfolio: board, timeline and calendar."""

import calendar
from dataclasses import replace
from datetime import date, timedelta

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.councils import service as councils
from node.federating.views.current_viewer import current_viewer
from node.languages import page_language
from node.portfolio import board as boards
from node.portfolio import project_dates, timeline
from node.portfolio.blueprint import blueprint
from node.portfolio.page_params import (
    PortfolioParams,
    page_number,
    parse_month,
    parse_params,
    public_url,
    today,
)
from node.portfolio.scope import PortfolioScope
from node.projects import service as projects
from node.projects.forms import PHASE_LABELS
from node.projects.models import Project
from node.request import PUBLIC, current_node, current_work, permission
from node.search import api_params

# Dates shown per month of the calendar, and dates in a calendar feed.
MAX_PER_MONTH, MAX_PER_FEED = 300, 1_000
# How far a calendar feed reaches back and ahead.
FEED_PAST_PERIOD, FEED_FUTURE_PERIOD = timedelta(days=366), timedelta(days=3_660)


@blueprint.get("/portfolio")
@permission(PUBLIC)
def board() -> ResponseReturnValue:
    """Projects by phase."""
    params = parse_params()
    columns = boards.build_columns(current_work().session, params.scope)
    return render_template("portfolio/board.html", params=params, columns=columns)


@blueprint.get("/portfolio/timeline")
@permission(PUBLIC)
def show_timeline() -> ResponseReturnValue:
    """Projects by the time in which they are under way."""
    params, session = parse_params(), current_work().session
    length = request.args.get("months", type=int)
    months = (
        length if length in timeline.WINDOW_LENGTHS_MONTHS else timeline.WINDOW_LENGTHS_MONTHS[0]
    )
    first = parse_month("from") or timeline.add_months(today().replace(day=1), -months // 4)
    window = timeline.TimelineWindow(first, months)
    page = timeline.list_in_window(session, params.scope, window, page_number())
    bars = timeline.draw_bars(window, page.rows, [_label(project) for project in page.rows])
    return render_template(
        "portfolio/timeline.html",
        params=params,
        window=window,
        earlier=timeline.add_months(first, -months),
        later=timeline.add_months(first, months),
        today=today(),
        page=page,
        bars=bars,
        height=timeline.drawing_height(bars),
        without_days=timeline.count_undated(session, params.scope),
    )


def _label(project: Project) -> str:
    return f"{project.localised_text(page_language()).title} ({PHASE_LABELS[project.phase]})"


@blueprint.get("/portfolio/calendar")
@permission(PUBLIC)
def show_calendar() -> ResponseReturnValue:
    """The dates of projects in one month."""
    params = parse_params()
    first = parse_month("month") or today().replace(day=1)
    last = timeline.add_months(first, 1) - timedelta(days=1)
    dates = project_dates.list_between(
        current_work().session, params.scope, first, last, MAX_PER_MONTH + 1
    )
    by_day: dict[date, list[project_dates.ProjectDate]] = {}
    for day in dates[:MAX_PER_MONTH]:
        by_day.setdefault(day.on, []).append(day)
    feed_url = _feed_url(params)
    return render_template(
        "portfolio/calendar.html",
        params=params,
        first=first,
        earlier=timeline.add_months(first, -1),
        later=timeline.add_months(first, 1),
        today=today(),
        weeks=calendar.Calendar().monthdatescalendar(first.year, first.month),
        by_day=by_day,
        is_cut=len(dates) > MAX_PER_MONTH,
        most=MAX_PER_MONTH,
        kinds=project_dates.DATE_KIND_LABELS,
        address=feed_url,
        subscription=f"webcal:{feed_url.partition(':')[2]}",
    )


def _feed_url(params: PortfolioParams) -> str:
    if params.council is not None:
        address = public_url("portfolio.council_feed", council_id=params.council.id)
    else:
        address = public_url("portfolio.feed_of_all")
    query = replace(params.search_params, council=None).query_string
    return f"{address}?{query}" if query else address


@blueprint.get("/calendar.ics")
@permission(PUBLIC)
def feed_of_all() -> ResponseReturnValue:
    """The dates of all visible projects, or those that match the search, as iCalendar."""
    own = councils.require_own(current_work().session)
    name = _("Digital projects: %(council)s and the councils it follows", council=own.name)
    return _feed_response(name, PortfolioScope(current_viewer(), api_params.parse_request_params()))


@blueprint.get("/councils/<int:council_id>/calendar.ics")
@permission(PUBLIC)
def council_feed(council_id: int) -> ResponseReturnValue:
    """The dates of one council's projects, as iCalendar."""
    council = councils.by_id(current_work().session, council_id)
    name = _("Digital projects from %(council)s", council=council.name)
    params = replace(api_params.parse_request_params(), council=council.id)
    return _feed_response(name, PortfolioScope(current_viewer(), params))


@blueprint.get("/projects/<token>/calendar.ics")
@permission(PUBLIC)
def project_feed(token: str) -> ResponseReturnValue:
    """The dates of one project, as iCalendar."""
    project = projects.by_token(current_work().session, token, current_viewer())
    return _calendar_response(project.title, project_dates.list_of_project(project))


def _feed_response(name: str, scope: PortfolioScope) -> Response:
    first, last = today() - FEED_PAST_PERIOD, today() + FEED_FUTURE_PERIOD
    return _calendar_response(
        name, project_dates.list_between(current_work().session, scope, first, last, MAX_PER_FEED)
    )


def _calendar_response(name: str, dates: list[project_dates.ProjectDate]) -> Response:
    from node.portfolio import ical_feed  # noqa: PLC0415 -- large, and seldom needed

    links = {day.project.id: public_url("projects.show", token=day.project.token) for day in dates}
    host = current_node().settings.authority
    response = Response(
        ical_feed.build_calendar(name, dates, host, links),
        content_type="text/calendar; charset=utf-8",
    )
    response.add_etag()
    response.make_conditional(request)
    return response
