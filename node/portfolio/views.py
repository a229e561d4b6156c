"""The pages of the portfolio: board, timeline and calendar."""

import calendar
from dataclasses import replace
from datetime import date, timedelta

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from node.councils import service as councils
from node.federating.views.asking import current_reader
from node.languages import page_language
from node.portfolio import board as boards
from node.portfolio import days, timeline
from node.portfolio.asking import Asked, asked, asked_month, page_number, public_address, today
from node.portfolio.blueprint import blueprint
from node.portfolio.scope import Scope
from node.projects import service as projects
from node.projects.forms import PHASES
from node.projects.models import Project
from node.request import PUBLIC, current_node, current_work, permission
from node.search import for_programs

# So many days a month of the calendar shows; a subscription has more.
MOST_OF_MONTH, MOST_OF_FEED = 300, 1_000
# How far back and on a subscription reaches.
BEFORE, AFTER = timedelta(days=366), timedelta(days=3_660)


@blueprint.get("/portfolio")
@permission(PUBLIC)
def board() -> ResponseReturnValue:
    """Projects by phase."""
    chosen = asked()
    columns = boards.columns(current_work().session, chosen.scope)
    return render_template("portfolio/board.html", asked=chosen, columns=columns)


@blueprint.get("/portfolio/timeline")
@permission(PUBLIC)
def show_timeline() -> ResponseReturnValue:
    """Projects by when they are under way."""
    chosen, session = asked(), current_work().session
    length = request.args.get("months", type=int)
    months = length if length in timeline.LENGTHS else timeline.LENGTHS[0]
    first = asked_month("from") or timeline.later(today().replace(day=1), -months // 4)
    window = timeline.Window(first, months)
    page = timeline.under_way(session, chosen.scope, window, page_number())
    bars = timeline.drawn(window, page.projects, [_label(each) for each in page.projects])
    return render_template(
        "portfolio/timeline.html",
        asked=chosen,
        window=window,
        earlier=timeline.later(first, -months),
        later=timeline.later(first, months),
        today=today(),
        page=page,
        bars=bars,
        height=timeline.height(bars),
        without_days=timeline.without_days(session, chosen.scope),
    )


def _label(project: Project) -> str:
    return f"{project.said_in(page_language()).title} ({PHASES[project.phase]})"


@blueprint.get("/portfolio/calendar")
@permission(PUBLIC)
def show_calendar() -> ResponseReturnValue:
    """One month, with what is on its days."""
    chosen = asked()
    first = asked_month("month") or today().replace(day=1)
    last = timeline.later(first, 1) - timedelta(days=1)
    found = days.between(current_work().session, chosen.scope, first, last, MOST_OF_MONTH + 1)
    by_day: dict[date, list[days.Day]] = {}
    for day in found[:MOST_OF_MONTH]:
        by_day.setdefault(day.on, []).append(day)
    address = _feed_address(chosen)
    return render_template(
        "portfolio/calendar.html",
        asked=chosen,
        first=first,
        earlier=timeline.later(first, -1),
        later=timeline.later(first, 1),
        today=today(),
        weeks=calendar.Calendar().monthdatescalendar(first.year, first.month),
        by_day=by_day,
        is_cut=len(found) > MOST_OF_MONTH,
        most=MOST_OF_MONTH,
        kinds=days.LABELS,
        address=address,
        subscription=f"webcal:{address.partition(':')[2]}",
    )


def _feed_address(chosen: Asked) -> str:
    if chosen.council is not None:
        address = public_address("portfolio.council_feed", council_id=chosen.council.id)
    else:
        address = public_address("portfolio.feed_of_all")
    query = replace(chosen.wanted, council=None).query
    return f"{address}?{query}" if query else address


@blueprint.get("/calendar.ics")
@permission(PUBLIC)
def feed_of_all() -> ResponseReturnValue:
    """The days of all projects that may be read, or of those that are asked for as the finder would
    be, for calendars to subscribe to.
    """
    own = councils.require_own(current_work().session)
    name = _("Digital projects: %(council)s and the councils it follows", council=own.name)
    return _feed(name, Scope(current_reader(), for_programs.wanted()))


@blueprint.get("/councils/<int:council_id>/calendar.ics")
@permission(PUBLIC)
def council_feed(council_id: int) -> ResponseReturnValue:
    """The days of one council's projects."""
    council = councils.by_number(current_work().session, council_id)
    name = _("Digital projects from %(council)s", council=council.name)
    wanted = replace(for_programs.wanted(), council=council.id)
    return _feed(name, Scope(current_reader(), wanted))


@blueprint.get("/projects/<token>/calendar.ics")
@permission(PUBLIC)
def project_feed(token: str) -> ResponseReturnValue:
    """The days of one project."""
    project = projects.by_token(current_work().session, token, current_reader())
    return _answer(project.title, days.of_project(project))


def _feed(name: str, scope: Scope) -> Response:
    first, last = today() - BEFORE, today() + AFTER
    return _answer(name, days.between(current_work().session, scope, first, last, MOST_OF_FEED))


def _answer(name: str, found: list[days.Day]) -> Response:
    from node.portfolio import feed  # noqa: PLC0415 -- what it stands on is large, and seldom asked

    links = {
        day.project.id: public_address("projects.show", token=day.project.token) for day in found
    }
    host = current_node().settings.authority
    response = Response(
        feed.calendar(name, found, host, links), content_type="text/calendar; charset=utf-8"
    )
    response.headers["Content-Language"] = str(get_locale())
    response.add_etag()
    response.make_conditional(request)
    return response
