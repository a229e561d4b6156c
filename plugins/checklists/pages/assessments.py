"""A run as a list of sections, one section, and finishing, deleting or updating the run."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from node import api
from node.api import InvalidInputError, NotFoundError, msg
from plugins.checklists import access, actions, answers, assessments, library, sharing
from plugins.checklists.access import ANSWER, PLUGIN
from plugins.checklists.definitions.changes import list_changes
from plugins.checklists.models import OPEN
from plugins.checklists.sharing import SHARE_SETTING


@api.permission(api.PUBLIC)
def show(token: str) -> ResponseReturnValue:
    """The list of sections for those who can answer; the report for everyone else."""
    with api.work(PLUGIN) as work:
        subject = access.get_assessment(work, token)
        if not api.has_permission(ANSWER):
            return redirect(url_for("checklists.report", token=token))
        run = subject.assessment
        progress = assessments.get_progress(work.session, run)
        newest = library.get_newest(work.session, run.checklist)
        return render_template(
            "checklists/run.html",
            run=run,
            subject=subject,
            progress=progress,
            checklist=progress.checklist,
            actions=actions.list_of_assessment(work.session, run),
            series=assessments.list_series(work.session, run),
            newer=newest if run.state == OPEN and newest.version > run.version else None,
        )


@api.permission(ANSWER)
def section(token: str, section_id: str) -> ResponseReturnValue:
    """The answers of one section, to check and change."""
    with api.work(PLUGIN) as work:
        subject = access.get_assessment(work, token)
        progress = assessments.get_progress(work.session, subject.assessment)
        part = next((item for item in progress.sections() if item.section.id == section_id), None)
        if part is None:
            raise NotFoundError(msg("Section not found."))
        return render_template(
            "checklists/section.html",
            run=subject.assessment,
            subject=subject,
            progress=progress,
            checklist=progress.checklist,
            part=part,
            answers=answers.get_by_question(work.session, subject.assessment),
        )


@api.permission(ANSWER)
def finish(token: str) -> ResponseReturnValue:
    try:
        with api.work(PLUGIN) as work:
            subject = access.get_assessment(work, token)
            assessments.finish_assessment(work, subject.assessment)
            if api.setting(work, SHARE_SETTING) and not sharing.find_problem(subject):
                sharing.share(work, subject)
    except InvalidInputError as error:
        flash(api.translate(error.safe_text), "error")
        return redirect(url_for("checklists.run", token=token), 303)
    flash(_("You have finished the assessment. You can no longer change the answers."), "success")
    return redirect(url_for("checklists.run", token=token), 303)


@api.permission(ANSWER)
def ask_discard(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        subject = access.get_assessment(work, token)
        checklist = assessments.get_definition(work.session, subject.assessment)
        return render_template(
            "checklists/discard.html", run=subject.assessment, subject=subject, checklist=checklist
        )


@api.permission(ANSWER)
def discard(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        run = access.get_assessment(work, token).assessment
        checklist_id = run.checklist
        assessments.discard_assessment(work, run)
    flash(_("The assessment has been deleted."), "success")
    return redirect(url_for("checklists.about", checklist_id=checklist_id), 303)


@api.permission(ANSWER)
def newer(token: str) -> ResponseReturnValue:
    """The changes of the newest version, before a run is switched to it."""
    with api.work(PLUGIN) as work:
        subject = access.get_assessment(work, token)
        before = assessments.get_definition(work.session, subject.assessment)
        after = library.get_newest(work.session, subject.assessment.checklist)
        return render_template(
            "checklists/newer.html",
            run=subject.assessment,
            subject=subject,
            checklist=after,
            changes=list_changes(before, after),
        )


@api.permission(ANSWER)
def go_over(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        run = access.get_assessment(work, token).assessment
        dropped = assessments.switch_version(
            work, run, library.get_newest(work.session, run.checklist)
        )
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
