"""A run as a list of tasks, its sections, and what is done with it as a whole."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from node import api
from node.api import InvalidInputError, NotFoundError, say
from plugins.checklists import access, actions, answers, library, runs, sharing
from plugins.checklists.access import ANSWER, PLUGIN
from plugins.checklists.definitions.changes import changes
from plugins.checklists.models import OPEN
from plugins.checklists.sharing import SHARES


@api.permission(api.PUBLIC)
def show(token: str) -> ResponseReturnValue:
    """The tasks, for those who may answer; the report for everybody else."""
    with api.work(PLUGIN) as work:
        subject = access.run(work, token)
        if not api.may(ANSWER):
            return redirect(url_for("checklists.report", token=token))
        run = subject.run
        progress = runs.progress(work.session, run)
        newest = library.checklist(work.session, run.checklist)
        return render_template(
            "checklists/run.html",
            run=run,
            subject=subject,
            progress=progress,
            checklist=progress.checklist,
            actions=actions.of_run(work.session, run),
            series=runs.series(work.session, run),
            newer=newest if run.state == OPEN and newest.version > run.version else None,
        )


@api.permission(ANSWER)
def section(token: str, section_id: str) -> ResponseReturnValue:
    """The answers of one section, to check and change."""
    with api.work(PLUGIN) as work:
        subject = access.run(work, token)
        progress = runs.progress(work.session, subject.run)
        part = next((one for one in progress.parts() if one.section.id == section_id), None)
        if part is None:
            raise NotFoundError(say("There is no such section."))
        return render_template(
            "checklists/section.html",
            run=subject.run,
            subject=subject,
            progress=progress,
            checklist=progress.checklist,
            part=part,
            rows=answers.of_run(work.session, subject.run),
        )


@api.permission(ANSWER)
def finish(token: str) -> ResponseReturnValue:
    try:
        with api.work(PLUGIN) as work:
            subject = access.run(work, token)
            runs.finish(work, subject.run)
            if api.setting(work, SHARES) and not sharing.reason_not_to(subject):
                sharing.share(work, subject)
    except InvalidInputError as error:
        flash(api.said(error.safe_text), "error")
        return redirect(url_for("checklists.run", token=token), 303)
    flash(_("The assessment is finished. You can no longer change the answers."), "success")
    return redirect(url_for("checklists.run", token=token), 303)


@api.permission(ANSWER)
def ask_discard(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        subject = access.run(work, token)
        checklist = runs.definition(work.session, subject.run)
        return render_template(
            "checklists/discard.html", run=subject.run, subject=subject, checklist=checklist
        )


@api.permission(ANSWER)
def discard(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        run = access.run(work, token).run
        checklist_id = run.checklist
        runs.discard(work, run)
    flash(_("The assessment has been deleted."), "success")
    return redirect(url_for("checklists.about", checklist_id=checklist_id), 303)


@api.permission(ANSWER)
def newer(token: str) -> ResponseReturnValue:
    """What the newest version changes, before a run goes over to it."""
    with api.work(PLUGIN) as work:
        subject = access.run(work, token)
        before = runs.definition(work.session, subject.run)
        after = library.checklist(work.session, subject.run.checklist)
        return render_template(
            "checklists/newer.html",
            run=subject.run,
            subject=subject,
            checklist=after,
            changes=changes(before, after),
        )


@api.permission(ANSWER)
def go_over(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        run = access.run(work, token).run
        dropped = runs.go_over(work, run, library.checklist(work.session, run.checklist))
    text = _("The assessment now uses the latest version of the checklist.")
    if dropped:
        text = ngettext(
            "The assessment now uses the latest version of the checklist. %(num)s "
            "answer no longer fits.",
            "The assessment now uses the latest version of the checklist. %(num)s "
            "answers no longer fit.",
            dropped,
        )
    flash(text, "success")
    return redirect(url_for("checklists.run", token=token), 303)
