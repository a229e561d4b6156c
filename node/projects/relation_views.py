"""Pages for relating projects, agreeing to continue one, and reusing an output."""

from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice, SelectField

from node.access.permissions import EDIT
from node.errors import InvalidInputError
from node.federating.views.current_viewer import current_viewer
from node.forms import BaseForm
from node.projects import adoption_service, service, taxonomy
from node.projects.details import RelatedProject, RelationKind
from node.projects.models import Project
from node.projects.validation import to_input
from node.request import current_work, permission

blueprint = Blueprint("relations", __name__, template_folder="templates")


class RelateForm(BaseForm):
    """Which of our projects is related, and how."""

    ours = SelectField(_l("Your council’s project"), validate_choice=False)
    kind = RadioField(
        _l("How the projects are related"),
        choices=[
            SelectChoice(kind.value, label) for kind, label in taxonomy.RELATION_LABELS.items()
        ],
        validate_choice=False,
    )


@blueprint.get("/projects/<token>/relate")
@permission(EDIT)
def relate(token: str) -> ResponseReturnValue:
    return _render_form(_get_readable_project(token), RelateForm())


@blueprint.post("/projects/<token>/relate")
@permission(EDIT)
def say_related(token: str) -> ResponseReturnValue:
    """State that one of our projects is related to this one."""
    other, form = _get_readable_project(token), RelateForm()
    kind = next((kind for kind in RelationKind if kind == form.kind.data), None)
    if not form.validate_on_submit() or kind is None:
        form.kind.errors = [_("Select how the projects are related")]
        return _render_form(other, form), 400
    own_project = service.get_for_update(current_work().session, form.ours.data or "")
    try:
        _add_relation(own_project, other, kind)
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_form(other, form), 400
    flash(_("The related project has been added to your project."), "success")
    return redirect(url_for("projects.show", token=own_project.token), 303)


@blueprint.post("/projects/<token>/agree/<other>")
@permission(EDIT)
def agree(token: str, other: str) -> ResponseReturnValue:
    """Agree that our project continues another one."""
    own_project = service.get_for_update(current_work().session, token)
    _add_relation(own_project, _get_readable_project(other), RelationKind.supersedes)
    flash(
        _(
            "This project now continues the other one. We’re asking followers of "
            "the other project to follow this one."
        ),
        "success",
    )
    return redirect(url_for("projects.show", token=token), 303)


@blueprint.post("/projects/<token>/outputs/<output>/adopt")
@permission(EDIT)
def adopt(token: str, output: str) -> ResponseReturnValue:
    adoption_service.adopt(current_work(), _get_readable_project(token), output)
    flash(_("Your change has been saved. We’ll notify the project’s council."), "success")
    return redirect(url_for("projects.show", token=token), 303)


@blueprint.post("/projects/<token>/outputs/<output>/drop")
@permission(EDIT)
def drop(token: str, output: str) -> ResponseReturnValue:
    adoption_service.withdraw(current_work(), _get_readable_project(token), output)
    flash(_("Your change has been saved. We’ll notify the project’s council."), "success")
    return redirect(url_for("projects.show", token=token), 303)


def _get_readable_project(token: str) -> Project:
    return service.by_token(current_work().session, token, current_viewer())


def _add_relation(own_project: Project, other: Project, kind: RelationKind) -> None:
    text = to_input(own_project)
    relation = RelatedProject(kind, other.uri)
    details = replace(text.details, related=(*text.details.related, relation))
    service.update(current_work(), own_project, replace(text, details=details), own_project.version)


def _render_form(other: Project, form: RelateForm) -> str:
    own_titles = service.list_own_titles(current_work().session)
    form.ours.choices = [
        SelectChoice(token, title) for token, title in own_titles if token != other.token
    ]
    return render_template("projects/relate.html", project=other, form=form)
