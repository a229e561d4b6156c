"""A run as a report, as a PDF, and compared with the earlier runs about the same subject."""

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from node import api
from plugins.checklists import access, assessments, comparison, report
from plugins.checklists.access import ANSWER, PLUGIN


@api.permission(api.PUBLIC)
def show(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        subject = access.get_assessment(work, token)
        run_report = report.build_report(work, subject, includes_private=api.has_permission(ANSWER))
        return render_template(
            "checklists/report.html", run=subject.assessment, subject=subject, report=run_report
        )


@api.permission(api.PUBLIC)
def pdf(token: str) -> ResponseReturnValue:
    from plugins.checklists.pdf import render_pdf  # noqa: PLC0415 -- it is large and seldom used

    with api.work(PLUGIN) as work:
        subject = access.get_assessment(work, token)
        run_report = report.build_report(work, subject, includes_private=api.has_permission(ANSWER))
    name = f"{run_report.checklist.id}-{token}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(
        render_pdf(run_report, api.language()), headers=headers, mimetype="application/pdf"
    )


@api.permission(api.PUBLIC)
def over_time(token: str) -> ResponseReturnValue:
    """The runs of a series that the viewer can see, side by side."""
    with api.work(PLUGIN) as work:
        subject = access.get_assessment(work, token)
        series = [
            (run, assessments.get_progress(work.session, run))
            for run in assessments.list_series(work.session, subject.assessment)
            if access.get_visible(work, run)
        ][-comparison.MAX_BARS :]
        newest = series[-1][1].checklist
        return render_template(
            "checklists/over_time.html",
            run=subject.assessment,
            subject=subject,
            checklist=newest,
            series=series,
            bars=comparison.build_bars(series),
            width=comparison.BAR_WIDTH,
        )
