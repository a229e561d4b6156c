"""A run to read, to print and to take along; and beside those before it."""

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from node import api
from plugins.checklists import access, comparison, report, runs
from plugins.checklists.access import ANSWER, PLUGIN


@api.permission(api.PUBLIC)
def show(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        subject = access.get_run(work, token)
        found = report.build_report(work, subject, is_whole=api.has_permission(ANSWER))
        return render_template(
            "checklists/report.html", run=subject.run, subject=subject, report=found
        )


@api.permission(api.PUBLIC)
def pdf(token: str) -> ResponseReturnValue:
    from plugins.checklists.pdf import render_pdf  # noqa: PLC0415 -- it is large, and seldom wanted

    with api.work(PLUGIN) as work:
        subject = access.get_run(work, token)
        found = report.build_report(work, subject, is_whole=api.has_permission(ANSWER))
    name = f"{found.checklist.id}-{token}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(render_pdf(found, api.language()), headers=headers, mimetype="application/pdf")


@api.permission(api.PUBLIC)
def over_time(token: str) -> ResponseReturnValue:
    """What changed from run to run; those who may not answer see the finished ones."""
    with api.work(PLUGIN) as work:
        subject = access.get_run(work, token)
        series = [
            (run, runs.get_progress(work.session, run))
            for run in runs.list_series(work.session, subject.run)
            if access.get_visible(work, run)
        ][-comparison.MAX_RUNS :]
        newest = series[-1][1].checklist
        return render_template(
            "checklists/over_time.html",
            run=subject.run,
            subject=subject,
            checklist=newest,
            series=series,
            bars=comparison.build_bars(series),
            width=comparison.BAR_WIDTH,
        )
