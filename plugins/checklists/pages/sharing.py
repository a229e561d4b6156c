"""Sharing a run with other councils, and comparing the shared answers."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import api
from node.api import InvalidInputError
from plugins.checklists import access, assessments, comparison, library, sharing
from plugins.checklists.access import ANSWER, PLUGIN, SHARE
from plugins.checklists.assessments import SCOPES


@api.permission(SHARE)
def ask(token: str) -> ResponseReturnValue:
    """Everything that would be shared, to check beforehand."""
    with api.work(PLUGIN) as work:
        subject = access.get_assessment(work, token)
        shared_answers, evidence = sharing.build_shared_content(work, subject.assessment)
        return render_template(
            "checklists/share.html",
            run=subject.assessment,
            subject=subject,
            progress=assessments.get_progress(work.session, subject.assessment),
            obstacle=sharing.find_problem(subject),
            answers=shared_answers,
            evidence=evidence,
        )


@api.permission(SHARE)
def share(token: str) -> ResponseReturnValue:
    try:
        with api.work(PLUGIN) as work:
            sharing.share(work, access.get_assessment(work, token))
    except InvalidInputError as error:
        flash(api.translate(error.safe_text), "error")
        return redirect(url_for("checklists.ask_share", token=token), 303)
    flash(_("The answers are now shared with the councils you work with."), "success")
    return redirect(url_for("checklists.run", token=token), 303)


@api.permission(SHARE)
def withdraw(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        sharing.withdraw(work, access.get_assessment(work, token).assessment)
    flash(_("The answers are no longer shared."), "success")
    return redirect(url_for("checklists.run", token=token), 303)


@api.permission(ANSWER)
def councils(checklist_id: str) -> ResponseReturnValue:
    """The shared answers of all councils, question by question, about one kind of subject."""
    with api.work(PLUGIN) as work:
        checklist = library.get_newest(work.session, checklist_id)
        all_shared = sharing.list_shared(work, checklist_id)
        scopes = [scope for scope in SCOPES if any(run.scope == scope for run in all_shared)]
        scope = request.args.get("about")
        scope = scope if scope in scopes else (scopes or [""])[0]
        shared_runs = [run for run in all_shared if run.scope == scope]
        projects = {
            uri: api.project_by_uri(work, uri)
            for run in shared_runs
            if (uri := run.document.project_uri)
        }
        return render_template(
            "checklists/councils.html",
            checklist=checklist,
            scopes=scopes,
            scope=scope,
            shared_runs=shared_runs,
            projects=projects,
            rows=comparison.compare_councils(checklist, shared_runs),
        )
