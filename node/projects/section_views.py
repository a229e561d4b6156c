"""The pages on which the parts of a project are written."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from node.errors import ConflictError, InvalidInputError
from node.forms import CONTINUE
from node.projects import rendering, sections, service
from node.projects.models import Project, State
from node.projects.section_forms import (
    MOST_NAMED,
    ListForm,
    PeopleForm,
    SectionForm,
    SubjectForm,
)
from node.projects.sections import SECTIONS, Section
from node.projects.views import EDIT, both_texts
from node.projects.writing import Text, check, text_of
from node.request import current_work, keeps_text, permission
from node.services import service as services
from node.services.views import choice
from node.unsaved.service import typed
from node.wording import say

blueprint = Blueprint("sections", __name__, template_folder="templates")

PAGE = f"/projects/<token>/edit/<any({', '.join(SECTIONS)}):name>"


@blueprint.get(PAGE)
@permission(EDIT)
def edit(token: str, name: str) -> ResponseReturnValue:
    """Write a part."""
    section, project = _asked(token, name)
    form = _filled(section, project)
    if isinstance(form, PeopleForm):
        form.suggest(project.owner)
    return _page(section, project, form)


@blueprint.post(PAGE)
@permission(EDIT)
@keeps_text
def update(token: str, name: str) -> ResponseReturnValue:
    """Save a part; or have one more or fewer of its entries, or look up a service for it, without
    saving anything.
    """
    section, project = _asked(token, name)
    form = section.form()
    if "lgsl" in form and request.form.get("then") == "look-up":
        return choice("lgsl", typed(request.form.items(multi=True)))
    if isinstance(form, ListForm) and ("add" in request.form or "remove" in request.form):
        if form.validate_on_submit() or not form.errors.get("csrf_token"):
            form.change("add" in request.form, request.form.get("remove", type=int))
        return _page(section, project, form)
    if not form.validate_on_submit():
        if CONTINUE not in request.form and "csrf_token" not in form.errors:
            _show_the_rest(form, project)
        return _page(section, project, form), 400
    if isinstance(form, PeopleForm):
        form.take_mine(current_user)
    try:
        text = _given(form, project)
        if text != text_of(project):
            current_work().pause()
            rendering.prepare(text)
            project = service.for_change(current_work().session, token)
            service.update(current_work(), project, text, form.began_from())
    except InvalidInputError as error:
        form.show(error)
        return _page(section, project, form), 400
    except ConflictError:
        return both_texts(project, form, _filled(section, project))
    return _saved(section, project)


def _given(form: SectionForm, project: Project) -> Text:
    """The project with what was entered. Raises `InvalidInputError` for a service that is none."""
    wrong = form.look_up(_services) if isinstance(form, SubjectForm) else {}
    text = form.give(text_of(project))
    if not wrong:
        return text
    try:
        check(text)
    except InvalidInputError as error:
        wrong = error.fields | wrong
    raise InvalidInputError(say("The project could not be saved."), wrong)


def _services(words: str) -> Sequence[tuple[int, str]]:
    return services.matching(current_work().session, words, MOST_NAMED + 1)


def _show_the_rest(form: SectionForm, project: Project) -> None:
    """All that is wrong is said at once, also beside a date that is none."""
    try:
        check(_given(form, project))
    except InvalidInputError as error:
        form.show(error)


def _saved(section: Section, project: Project) -> ResponseReturnValue:
    following = sections.after(section.name)
    if request.form.get("then") == "next" and following:
        return redirect(url_for("sections.edit", token=project.token, name=following), 303)
    is_draft = project.state is State.draft
    flash(
        _("The draft has been saved.") if is_draft else _("Your changes have been published."),
        "success",
    )
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
