"""A run as a list of sections, one section, and finishing, deleting or updating the run."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from node import api
from node.api import InvalidInputError, NotFoundError, msg
from plugins.checklists import access, actions, answers, library, runs, sharing
from plugins.checklists.access import ANSWER, PLUGIN
from plugins.checklists.definitions.changes import list_changes
from plugins.checklists.models import OPEN
from plugins.checklists.sharing import SHARE_SETTING


@api.permission(api.PUBLIC)
def show(token: str) -> ResponseReturnValue:
    """The list of sections for those who can answer; the report for everyone else."""
    with api.work(PLUGIN) as work:
        subject = access.get_run(work, token)
        if not api.has_permission(ANSWER):
            return redirect(url_for("checklists.report", token=token))
        run = subject.run
        progress = runs.get_progress(work.session, run)
        newest = library.get_newest(work.session, run.checklist)
        return render_template(
            "checklists/run.html",
            run=run,
            subject=subject,
            progress=progress,
            checklist=progress.checklist,
            actions=actions.list_of_run(work.session, run),
            series=runs.list_series(work.session, run),
            newer=newest if run.state == OPEN and newest.version > run.version else None,
        )


@api.permission(ANSWER)
def section(token: str, section_id: str) -> ResponseReturnValue:
    """The answers of one section, to check and change."""
    with api.work(PLUGIN) as work:
        subject = access.get_run(work, token)
        progress = runs.get_progress(work.session, subject.run)
        part = next((item for item in progress.parts() if item.section.id == section_id), None)
        if part is None:
            raise NotFoundError(msg("Section not found."))
        return render_template(
            "checklists/section.html",
            run=subject.run,
            subject=subject,
            progress=progress,
            checklist=progress.checklist,
            part=part,
            answers=answers.get_by_question(work.session, subject.run),
        )


@api.permission(ANSWER)
def finish(token: str) -> ResponseReturnValue:
    try:
        with api.work(PLUGIN) as work:
            subject = access.get_run(work, token)
            runs.finish_run(work, subject.run)
            if api.setting(work, SHARE_SETTING) and not sharing.find_obstacle(subject):
                sharing.share(work, subject)
    except InvalidInputError as error:
        flash(api.translate(error.safe_text), "error")
        return redirect(url_for("checklists.run", token=token), 303)
    flash(_("You have finished the assessment. You can no longer change the answers."), "success")
    return redirect(url_for("checklists.run", token=token), 303)


@api.permission(ANSWER)
def ask_discard(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        subject = access.get_run(work, token)
        checklist = runs.get_definition(work.session, subject.run)
        return render_template(
            "checklists/discard.html", run=subject.run, subject=subject, checklist=checklist
        )


@api.permission(ANSWER)
def discard(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        run = access.get_run(work, token).run
        checklist_id = run.checklist
        runs.discard_run(work, run)
    flash(_("The assessment has been deleted."), "success")
    return redirect(url_for("checklists.about", checklist_id=checklist_id), 303)


@api.permission(ANSWER)
def newer(token: str) -> ResponseReturnValue:
    """The changes of the newest version, before a run is switched to it."""
    with api.work(PLUGIN) as work:
        subject = access.get_run(work, token)
        before = runs.get_definition(work.session, subject.run)
        after = library.get_newest(work.session, subject.run.checklist)
        return render_template(
            "checklists/newer.html",
            run=subject.run,
            subject=subject,
            checklist=after,
            changes=list_changes(before, after),
        )


@api.permission(ANSWER)
def go_over(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        run = access.get_run(work, token).run
        dropped = runs.switch_version(work, run, library.get_newest(work.session, run.checklist))
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
