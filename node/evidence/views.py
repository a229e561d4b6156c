"""The evidence pack and the highlight report."""

from datetime import date, timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.councils import service as councils
from node.evidence import highlights as reports
from node.evidence import service
from node.evidence.forms import VALID_YEARS, PeriodForm
from node.evidence.highlights import ReportPeriod
from node.federating.views.current_viewer import current_viewer
from node.portfolio.page_params import parse_month, parse_params, today
from node.request import PUBLIC, current_work, permission

blueprint = Blueprint("evidence", __name__, template_folder="templates")


@blueprint.get("/evidence")
@permission(PUBLIC)
def pack() -> ResponseReturnValue:
    """One page for members and managers: what our council leads, gives and reuses."""
    reader, session = current_viewer(), current_work().session
    found = service.build_pack(session, councils.require_own(session), reader)
    return render_template("evidence/pack.html", pack=found, today=today(), most=service)


@blueprint.get("/highlights")
@permission(PUBLIC)
def highlights() -> ResponseReturnValue:
    """What was written of projects in a period."""
    chosen = parse_params()
    form = PeriodForm.from_request()
    typed = form.to_period() if form else _period_from_address()
    period = typed or reports.month_of(parse_month("month") or today())
    tokens = frozenset(request.args.getlist("project")[: reports.MAX_PROJECTS])
    session = current_work().session
    found = reports.build_report(session, chosen.scope, period, tokens)
    every = reports.build_report(session, chosen.scope, period) if tokens else found
    page = render_template(
        "evidence/highlights.html",
        asked=chosen,
        report=found,
        every=every,
        tokens=tokens,
        presets=_presets(),
        form=form or PeriodForm(formdata=None, first=period.first, last=period.last),
        most=reports.MAX_UPDATES,
    )
    return page, 200 if form is None or typed else 400


def _presets() -> list[tuple[str, ReportPeriod]]:
    """Periods that are asked for most, by name."""
    this_month, this_quarter = reports.month_of(today()), reports.quarter_of(today())
    return [
        (_("This month"), this_month),
        (_("Last month"), reports.month_of(this_month.first - timedelta(days=1))),
        (_("This quarter"), this_quarter),
        (_("Last quarter"), reports.quarter_of(this_quarter.first - timedelta(days=1))),
    ]


def _period_from_address() -> ReportPeriod | None:
    """The period that a link names; None where it names none."""
    try:
        days = [date.fromisoformat(request.args.get(name, "")) for name in ("from", "to")]
    except ValueError:
        return None
    first, last = days
    is_one = first <= last <= first + reports.MAX_PERIOD
    return (
        ReportPeriod(first, last) if is_one and {first.year, last.year} <= {*VALID_YEARS} else None
    )
