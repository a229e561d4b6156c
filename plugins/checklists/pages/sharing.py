"""Sharing a run with other councils, and seeing how councils compare."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import api
from node.api import InvalidInputError
from plugins.checklists import access, comparison, library, runs, sharing
from plugins.checklists.access import ANSWER, PLUGIN, SHARE
from plugins.checklists.runs import SCOPES


@api.permission(SHARE)
def ask(token: str) -> ResponseReturnValue:
    """All that would be shared, to be checked before it is."""
    with api.work(PLUGIN) as work:
        subject = access.get_run(work, token)
        given, evidence = sharing.shared_content(work, subject.run)
        return render_template(
            "checklists/share.html",
            run=subject.run,
            subject=subject,
            progress=runs.get_progress(work.session, subject.run),
            reason=sharing.find_obstacle(subject),
            given=given,
            evidence=evidence,
        )


@api.permission(SHARE)
def share(token: str) -> ResponseReturnValue:
    try:
        with api.work(PLUGIN) as work:
            sharing.share(work, access.get_run(work, token))
    except InvalidInputError as error:
        flash(api.translate(error.safe_text), "error")
        return redirect(url_for("checklists.ask_share", token=token), 303)
    flash(_("The answers are now shared with the councils you work with."), "success")
    return redirect(url_for("checklists.run", token=token), 303)


@api.permission(SHARE)
def withdraw(token: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        sharing.withdraw(work, access.get_run(work, token).run)
    flash(_("The answers are no longer shared."), "success")
    return redirect(url_for("checklists.run", token=token), 303)


@api.permission(ANSWER)
def councils(checklist_id: str) -> ResponseReturnValue:
    """Question by question, who answered what. Only what is shared is in it."""
    with api.work(PLUGIN) as work:
        checklist = library.get_newest(work.session, checklist_id)
        every = sharing.list_shared(work, checklist_id)
        there = [scope for scope in SCOPES if any(each.scope == scope for each in every)]
        scope = request.args.get("about")
        scope = scope if scope in there else (there or [""])[0]
        shared = [each for each in every if each.scope == scope]
        projects = {
            uri: api.project_by_uri(work, uri)
            for each in shared
            if (uri := each.document.project_uri)
        }
        return render_template(
            "checklists/councils.html",
            checklist=checklist,
            scopes=there,
            scope=scope,
            shared=shared,
            projects=projects,
            rows=comparison.compare_councils(checklist, shared),
        )
