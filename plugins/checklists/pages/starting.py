"""Starting a run of a checklist, and starting another one after it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import api
from node.api import InvalidInputError, Work, msg
from plugins.checklists import access, assessments, library
from plugins.checklists.access import ANSWER, PLUGIN
from plugins.checklists.answer_types import clean_text
from plugins.checklists.definitions.checklist import Checklist
from plugins.checklists.models import COUNCIL, PROJECT, SERVICE
from plugins.checklists.pages.forms import StartAssessmentForm

# Characters.
MAX_LEN_SERVICE = 200


@api.permission(ANSWER)
def show(checklist_id: str) -> ResponseReturnValue:
    """The form that asks what to assess. A link from a project's page selects the project."""
    form = StartAssessmentForm()
    form.scope.data = PROJECT if "project" in request.args else None
    return _render_form(checklist_id, form, request.args.get("project", ""))


@api.permission(ANSWER)
def begin(checklist_id: str) -> ResponseReturnValue:
    """Start a run, or continue the one that is open."""
    form = StartAssessmentForm()
    if form.validate_on_submit():
        try:
            with api.work(PLUGIN) as work:
                checklist = library.get_newest(work.session, checklist_id)
                run = assessments.start_assessment(work, checklist, _parse_subject(work, form))
                return redirect(url_for("checklists.run", token=run.token), 303)
        except InvalidInputError as error:
            form.add_errors(error)
    return _render_form(checklist_id, form, form.project.data or ""), 400


@api.permission(ANSWER)
def again(token: str) -> ResponseReturnValue:
    """Start a new run with the answers of this one."""
    with api.work(PLUGIN) as work:
        run = access.get_assessment(work, token).assessment
        checklist = library.get_newest(work.session, run.checklist)
        new_run = assessments.start_assessment(
            work, checklist, assessments.AssessmentSubject(run.scope, run.about, run.title)
        )
        flash(_("A new assessment has been started with your previous answers."), "success")
        return redirect(url_for("checklists.run", token=new_run.token), 303)


def _render_form(checklist_id: str, form: StartAssessmentForm, token: str) -> str:
    with api.work(PLUGIN) as work:
        checklist: Checklist = library.get_newest(work.session, checklist_id)
        selected = api.project(token) if token else None
        projects = [(project.token, project.title) for project in api.projects(work)]
        if selected is not None and selected.token not in dict(projects):
            projects.append((selected.token, selected.title))
        form.set_choices(projects)
        form.project.data = token
        return render_template(
            "checklists/begin.html", form=form, checklist=checklist, selected=selected
        )


def _parse_subject(work: Work, form: StartAssessmentForm) -> assessments.AssessmentSubject:
    """The subject that was entered. Raises `InvalidInputError` about the field."""
    summary = msg("The assessment could not be started.")
    scope = form.scope.data
    if scope == COUNCIL:
        return assessments.AssessmentSubject(COUNCIL, "", api.council(work).name)
    if scope == PROJECT:
        if not form.project.data:
            raise InvalidInputError(summary, {"project": msg("Select a project")})
        project = api.project(form.project.data)
        return assessments.AssessmentSubject(PROJECT, project.uri, project.title)
    if scope == SERVICE:
        name = " ".join(clean_text(form.service.data or "", MAX_LEN_SERVICE, "service").split())
        if not name:
            raise InvalidInputError(summary, {"service": msg("Enter a service")})
        return assessments.AssessmentSubject(SERVICE, name.casefold(), name)
    raise InvalidInputError(summary, {"scope": msg("Select what you want to assess")})
