"""A run to read, to print and to take along; and beside those before it."""

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from node import api
from plugins.checklists import access, comparing, report, runs
from plugins.checklists.access import ANSWER, PLUGIN


@api.permission(api.PUBLIC)
def show(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        subject = access.run(work, token)
        found = report.of_run(work, subject, is_whole=api.may(ANSWER))
        return render_template(
            "checklists/report.html", run=subject.run, subject=subject, report=found
        )


@api.permission(api.PUBLIC)
def pdf(token: str) -> ResponseReturnValue:
    from plugins.checklists.pdf import pdf_of  # noqa: PLC0415 -- it is large, and seldom wanted

    with api.work(PLUGIN) as work:
        subject = access.run(work, token)
        found = report.of_run(work, subject, is_whole=api.may(ANSWER))
    name = f"{found.checklist.id}-{token}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(pdf_of(found, api.language()), headers=headers, mimetype="application/pdf")


@api.permission(api.PUBLIC)
def over_time(token: str) -> ResponseReturnValue:
    """What changed from run to run; those who may not answer see the finished ones."""
    with api.work(PLUGIN) as work:
        subject = access.run(work, token)
        series = [
            (run, runs.progress(work.session, run))
            for run in runs.series(work.session, subject.run)
            if access.see(work, run)
        ][-comparing.MOST_BESIDE :]
        newest = series[-1][1].checklist
        return render_template(
            "checklists/over_time.html",
            run=subject.run,
            subject=subject,
            checklist=newest,
            series=series,
            bars=comparing.bars(series),
            width=comparing.WIDTH,
        )
