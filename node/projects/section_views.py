"""The pages on which the parts of a project are written."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.errors import ConflictError, InvalidInputError
from node.projects import sections, service
from node.projects.models import Project, State
from node.projects.section_forms import ListForm, PeopleForm, SectionForm
from node.projects.sections import SECTIONS, Section
from node.projects.views import EDIT, both_texts
from node.projects.writing import text_of
from node.request import current_work, keeps_text, permission

blueprint = Blueprint("sections", __name__, template_folder="templates")

LONGEST_NUMBER = 10
PAGE = f"/projects/<token>/edit/<any({', '.join(SECTIONS)}):name>"


@blueprint.get(PAGE)
@permission(EDIT)
def edit(token: str, name: str) -> ResponseReturnValue:
    """Write a part; a service that was looked up in the list stands in it already."""
    section, project = _asked(token, name)
    form = _filled(section, project)
    if "lgsl" in form and "lgsl" in request.args:
        form.lgsl.data = request.args["lgsl"][:LONGEST_NUMBER]
    if isinstance(form, PeopleForm):
        form.suggest(project.owner)
    return _page(section, project, form)


@blueprint.post(PAGE)
@permission(EDIT)
@keeps_text
def update(token: str, name: str) -> ResponseReturnValue:
    """Save a part, or have one more or fewer of its entries without saving anything."""
    section, project = _asked(token, name)
    form = section.form()
    if isinstance(form, ListForm) and ("add" in request.form or "remove" in request.form):
        if form.validate_on_submit() or not form.errors.get("csrf_token"):
            form.change("add" in request.form, request.form.get("remove", type=int))
        return _page(section, project, form)
    if not form.validate_on_submit():
        return _page(section, project, form), 400
    text = form.give(text_of(project))
    try:
        if text != text_of(project):
            service.update(current_work(), project, text, form.began_from())
    except InvalidInputError as error:
        form.show(error)
        return _page(section, project, form), 400
    except ConflictError:
        return both_texts(project, form, _filled(section, project))
    return _saved(section, project)


def _saved(section: Section, project: Project) -> ResponseReturnValue:
    following = sections.after(section.name)
    if request.form.get("then") == "next" and following:
        return redirect(url_for("sections.edit", token=project.token, name=following), 303)
    is_draft = project.state is State.draft
    flash(_("The draft is saved.") if is_draft else _("Your changes are published."), "success")
    return redirect(url_for("projects.show", token=project.token), 303)


def _asked(token: str, name: str) -> tuple[Section, Project]:
    return SECTIONS[name], service.for_change(current_work().session, token)


def _filled(section: Section, project: Project) -> SectionForm:
    form = section.form(formdata=None)
    form.fill(text_of(project))
    form.version.data = str(project.version)
    return form


def _page(section: Section, project: Project, form: SectionForm) -> str:
    return render_template(
        "projects/section.html",
        section=section,
        project=project,
        form=form,
        following=sections.after(section.name),
    )
