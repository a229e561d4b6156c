"""The evidence pack and the highlight report."""

from datetime import date, timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.councils import service as councils
from node.evidence import highlights as reports
from node.evidence import service
from node.evidence.highlights import Period
from node.federating.views.asking import current_reader
from node.portfolio.asking import asked, asked_month, today
from node.request import PUBLIC, current_work, permission

blueprint = Blueprint("evidence", __name__, template_folder="templates")


@blueprint.get("/evidence")
@permission(PUBLIC)
def pack() -> ResponseReturnValue:
    """One page for members and managers: what our council leads, gives and reuses."""
    reader, session = current_reader(), current_work().session
    found = service.pack(session, councils.require_own(session), reader)
    return render_template("evidence/pack.html", pack=found, today=today(), most=service)


@blueprint.get("/highlights")
@permission(PUBLIC)
def highlights() -> ResponseReturnValue:
    """What was written of projects in a period."""
    chosen = asked()
    period, wrong = _period()
    tokens = frozenset(request.args.getlist("project")[: reports.MOST_CHOSEN])
    session = current_work().session
    found = reports.report(session, chosen.scope, period, tokens)
    every = reports.report(session, chosen.scope, period) if tokens else found
    page = render_template(
        "evidence/highlights.html",
        asked=chosen,
        report=found,
        every=every,
        tokens=tokens,
        presets=_presets(),
        wrong=wrong,
        typed={name: request.args.get(name, "") for name in ("from", "to")},
        most=reports.MOST,
    )
    return page, 400 if wrong else 200


def _presets() -> list[tuple[str, Period]]:
    """Periods that are asked for most, by name."""
    this_month, this_quarter = reports.month(today()), reports.quarter(today())
    return [
        (_("This month"), this_month),
        (_("Last month"), reports.month(this_month.first - timedelta(days=1))),
        (_("This quarter"), this_quarter),
        (_("Last quarter"), reports.quarter(this_quarter.first - timedelta(days=1))),
    ]


def _period() -> tuple[Period, dict[str, str]]:
    """The period in the query string, else this month; and what is wrong with it, by field."""
    month = asked_month("month")
    default = reports.month(month or today())
    typed = {name: request.args.get(name, "").strip() for name in ("from", "to")}
    if not any(typed.values()):
        return default, {}
    days = {name: _day(text) for name, text in typed.items()}
    wrong = {name: _("Enter a day, such as 2026-11-30") for name, on in days.items() if on is None}
    first, last = days["from"], days["to"]
    if first is None or last is None:
        return default, wrong
    if last < first:
        return default, {"to": _("The last day cannot be before the first")}
    if last - first > reports.LONGEST:
        return default, {"to": _("A report covers at most a year")}
    return Period(first, last), {}


def _day(text: str) -> date | None:
    if len(text) != len("2026-01-01"):
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year <= 2998 else None
