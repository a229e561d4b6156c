"""The pages for editing the sections of a project."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from node.access.permissions import EDIT
from node.errors import ConflictError, InvalidInputError
from node.forms import CONTINUE_FIELD
from node.messages import msg
from node.projects import rendering, sections, service
from node.projects.list_forms import ListSectionForm
from node.projects.models import Project, ProjectState
from node.projects.section_forms import (
    MAX_SERVICES_IN_ERROR,
    PeopleForm,
    ProjectSectionForm,
    SubjectForm,
)
from node.projects.sections import SECTIONS, ProjectSection
from node.projects.validation import ProjectInput, to_input, validate
from node.projects.views import render_conflict
from node.request import current_work, keeps_input, permission
from node.services import service as services
from node.services.views import render_choice
from node.unsaved.service import select_input_fields

blueprint = Blueprint("sections", __name__, template_folder="templates")

SECTION_ROUTE = f"/projects/<token>/edit/<any({', '.join(SECTIONS)}):name>"


@blueprint.get(SECTION_ROUTE)
@permission(EDIT)
def edit(token: str, name: str) -> ResponseReturnValue:
    """Show the form of a section."""
    section, project = _load_section(token, name)
    form = _build_filled_form(section, project)
    if isinstance(form, PeopleForm):
        form.suggest_contact(project.owner)
    return _render_section(section, project, form)


@blueprint.post(SECTION_ROUTE)
@permission(EDIT)
@keeps_input
def update(token: str, name: str) -> ResponseReturnValue:
    """Save a section; or add or remove an entry, or look up a service, without saving."""
    section, project = _load_section(token, name)
    form = section.form()
    if "lgsl" in form and request.form.get("then") == "look-up":
        return render_choice("lgsl", select_input_fields(request.form.items(multi=True)))
    if isinstance(form, ListSectionForm) and ("add" in request.form or "remove" in request.form):
        if form.validate_on_submit() or not form.errors.get("csrf_token"):
            form.resize("add" in request.form, request.form.get("remove", type=int))
        return _render_section(section, project, form)
    if not form.validate_on_submit():
        if CONTINUE_FIELD not in request.form and "csrf_token" not in form.errors:
            _show_all_errors(form, project)
        return _render_section(section, project, form), 400
    if isinstance(form, PeopleForm):
        form.use_own_contact(current_user)
    try:
        text = _read_form(form, project)
        if text != to_input(project):
            current_work().pause()
            rendering.prerender(text)
            project = service.get_for_update(current_work().session, token)
            service.update(current_work(), project, text, form.base_version())
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_section(section, project, form), 400
    except ConflictError:
        return render_conflict(project, form, _build_filled_form(section, project))
    return _redirect_after_save(section, project)


def _read_form(form: ProjectSectionForm, project: Project) -> ProjectInput:
    """The project with the values entered. Raises `InvalidInputError`."""
    errors = form.resolve_service(_match_services) if isinstance(form, SubjectForm) else {}
    text = form.to_input(to_input(project))
    if not errors:
        return text
    try:
        validate(text)
    except InvalidInputError as error:
        errors = error.fields | errors
    raise InvalidInputError(msg("The project could not be saved."), errors)


def _match_services(text: str) -> Sequence[tuple[int, str]]:
    return services.find_matching(current_work().session, text, MAX_SERVICES_IN_ERROR + 1)


def _show_all_errors(form: ProjectSectionForm, project: Project) -> None:
    """Show every error at once, also beside a date that the form itself rejected."""
    try:
        validate(_read_form(form, project))
    except InvalidInputError as error:
        form.add_errors(error)


def _redirect_after_save(section: ProjectSection, project: Project) -> ResponseReturnValue:
    next_name = sections.next_section(section.name)
    if request.form.get("then") == "next" and next_name:
        return redirect(url_for("sections.edit", token=project.token, name=next_name), 303)
    is_draft = project.state is ProjectState.draft
    flash(
        _("The draft has been saved.") if is_draft else _("Your changes have been published."),
        "success",
    )
    return redirect(url_for("projects.show", token=project.token), 303)


def _load_section(token: str, name: str) -> tuple[ProjectSection, Project]:
    return SECTIONS[name], service.get_for_update(current_work().session, token)


def _build_filled_form(section: ProjectSection, project: Project) -> ProjectSectionForm:
    form = section.form(formdata=None)
    form.fill(to_input(project))
    form.version.data = str(project.version)
    return form


def _render_section(section: ProjectSection, project: Project, form: ProjectSectionForm) -> str:
    return render_template(
        "projects/section.html",
        section=section,
        project=project,
        form=form,
        next_name=sections.next_section(section.name),
    )
