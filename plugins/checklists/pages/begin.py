"""Beginning a run of a checklist, and beginning again."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import api
from node.api import InvalidInputError, Work, say
from plugins.checklists import access, library, runs
from plugins.checklists.access import ANSWER, PLUGIN
from plugins.checklists.definitions.model import Checklist
from plugins.checklists.kinds import plain
from plugins.checklists.models import COUNCIL, PROJECT, SERVICE
from plugins.checklists.pages.forms import BeginForm

LONGEST_SERVICE = 200


@api.permission(ANSWER)
def show(checklist_id: str) -> ResponseReturnValue:
    """Ask what it is about; from a project's page that is known already."""
    form = BeginForm()
    form.scope.data = PROJECT if "project" in request.args else None
    return _page(checklist_id, form, request.args.get("project", ""))


@api.permission(ANSWER)
def begin(checklist_id: str) -> ResponseReturnValue:
    """Begin, or go on with what is open."""
    form = BeginForm()
    if form.validate_on_submit():
        try:
            with api.work(PLUGIN) as work:
                checklist = library.checklist(work.session, checklist_id)
                run = runs.begin(work, checklist, _subject(work, form))
                return redirect(url_for("checklists.run", token=run.token), 303)
        except InvalidInputError as error:
            form.show(error)
    return _page(checklist_id, form, form.project.data or ""), 400


@api.permission(ANSWER)
def again(token: str) -> ResponseReturnValue:
    """Begin a new run with the answers of this one."""
    with api.work(PLUGIN) as work:
        run = access.run(work, token).run
        checklist = library.checklist(work.session, run.checklist)
        begun = runs.begin(work, checklist, runs.Subject(run.scope, run.about, run.title))
        flash(_("A new assessment has been started with your previous answers."), "success")
        return redirect(url_for("checklists.run", token=begun.token), 303)


def _page(checklist_id: str, form: BeginForm, token: str) -> str:
    with api.work(PLUGIN) as work:
        checklist: Checklist = library.checklist(work.session, checklist_id)
        chosen = api.project(token) if token else None
        projects = [(each.token, each.title) for each in api.projects(work)]
        if chosen is not None and chosen.token not in dict(projects):
            projects.append((chosen.token, chosen.title))
        form.offer(projects)
        form.project.data = token
        return render_template(
            "checklists/begin.html", form=form, checklist=checklist, chosen=chosen
        )


def _subject(work: Work, form: BeginForm) -> runs.Subject:
    """Raises `InvalidInputError`, about the field."""
    failed = say("The checklist could not be started.")
    scope = form.scope.data
    if scope == COUNCIL:
        return runs.Subject(COUNCIL, "", api.council(work).name)
    if scope == PROJECT:
        if not form.project.data:
            raise InvalidInputError(failed, {"project": say("Select a project")})
        project = api.project(form.project.data)
        return runs.Subject(PROJECT, project.uri, project.title)
    if scope == SERVICE:
        name = " ".join(plain(form.service.data or "", LONGEST_SERVICE, "service").split())
        if not name:
            raise InvalidInputError(failed, {"service": say("Enter a service")})
        return runs.Subject(SERVICE, name.casefold(), name)
    raise InvalidInputError(failed, {"scope": say("Select what you want to assess")})
