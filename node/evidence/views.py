"""Pages of the evidence pack and the highlight report."""

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
    """The evidence pack, for councillors and managers."""
    viewer, session = current_viewer(), current_work().session
    evidence = service.build_pack(session, councils.require_own(session), viewer)
    return render_template("evidence/pack.html", pack=evidence, today=today(), limits=service)


@blueprint.get("/highlights")
@permission(PUBLIC)
def highlights() -> ResponseReturnValue:
    """The highlight report of a period, by default the current month."""
    params = parse_params()
    form = PeriodForm.from_request()
    chosen_period = form.to_period() if form else _period_from_query()
    period = chosen_period or reports.month_of(parse_month("month") or today())
    tokens = frozenset(request.args.getlist("project")[: reports.MAX_PROJECTS])
    session = current_work().session
    report = reports.build_report(session, params.scope, period, tokens)
    full_report = reports.build_report(session, params.scope, period) if tokens else report
    page = render_template(
        "evidence/highlights.html",
        params=params,
        report=report,
        full_report=full_report,
        tokens=tokens,
        presets=_presets(),
        form=form or PeriodForm(formdata=None, first=period.first, last=period.last),
    )
    return page, 200 if form is None or chosen_period else 400


def _presets() -> list[tuple[str, ReportPeriod]]:
    """Periods offered as links, with their names."""
    this_month, this_quarter = reports.month_of(today()), reports.quarter_of(today())
    return [
        (_("This month"), this_month),
        (_("Last month"), reports.month_of(this_month.first - timedelta(days=1))),
        (_("This quarter"), this_quarter),
        (_("Last quarter"), reports.quarter_of(this_quarter.first - timedelta(days=1))),
    ]


def _period_from_query() -> ReportPeriod | None:
    """The period in the query string, as ISO dates; None if there is no valid one."""
    try:
        days = [date.fromisoformat(request.args.get(name, "")) for name in ("from", "to")]
    except ValueError:
        return None
    first, last = days
    if first <= last <= first + reports.MAX_PERIOD and {first.year, last.year} <= {*VALID_YEARS}:
        return ReportPeriod(first, last)
    return None
