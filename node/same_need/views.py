"""The section of same-need statements on a project's page, and the pages for making them."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from markupsafe import Markup
from wtforms import RadioField, SelectChoice, StringField

from node.access.permissions import COORDINATE, EDIT
from node.errors import InvalidInputError, NotFoundError
from node.federating.views.current_viewer import current_viewer
from node.forms import BaseForm
from node.messages import msg
from node.projects import service as projects
from node.projects import taxonomy
from node.projects.models import Project
from node.request import PUBLIC, activity_response, current_work, permission, wants_activity
from node.same_need import service
from node.same_need.federate import RELATION_KINDS, to_relationship

blueprint = Blueprint("alike", __name__, template_folder="templates")


class SameNeedForm(BaseForm):
    """The other project, and how the two are related."""

    address = StringField(
        _l("The other project"),
        description=_l(
            "The web address of the project’s page, on this site or on its own council’s site"
        ),
        render_kw={"inputmode": "url"},
    )
    kind = RadioField(
        _l("How the projects are related"),
        choices=[
            SelectChoice(kind.value, taxonomy.RELATION_LABELS[kind]) for kind in RELATION_KINDS
        ],
        validate_choice=False,
    )


def render_section(project: Project) -> Markup:
    """Statements by third councils about a project, as a section of its page."""
    statements = service.list_for_project(current_work().session, project, current_viewer())
    if not statements:
        return Markup("")
    return Markup(  # noqa: S704 -- our own template
        render_template("same_need/_section.html", project=project, statements=statements)
    )


@blueprint.get("/projects/<token>/alike")
@permission(COORDINATE)
def form(token: str) -> ResponseReturnValue:
    return _render_form(_get_readable_project(token), SameNeedForm())


@blueprint.post("/projects/<token>/alike")
@permission(COORDINATE)
def say_alike(token: str) -> ResponseReturnValue:
    """State that two projects of other councils meet the same need."""
    sent, project = SameNeedForm(), _get_readable_project(token)
    kind = next((kind for kind in RELATION_KINDS if kind == sent.kind.data), None)
    try:
        if sent.validate_on_submit():
            address = sent.address.data or ""
            service.create_statement(current_work(), project, address, kind, current_user.name)
            flash(
                _("The related project has been saved. Both councils will be notified."), "success"
            )
            return redirect(url_for("projects.show", token=token), 303)
    except InvalidInputError as error:
        sent.add_errors(error)
    return _render_form(project, sent), 400


@blueprint.get("/alike/<token>")
@permission(PUBLIC)
def show(token: str) -> ResponseReturnValue:
    """The document of a statement of ours. Browsers are redirected to the project's page."""
    session = current_work().session
    statement = service.by_token(session, token)
    first_project = session.query(Project).filter_by(uri=statement.first_uri).one_or_none()
    if not statement.author.is_local or first_project is None:
        raise NotFoundError(msg("Related project not found."))
    project = projects.by_token(session, first_project.token, current_viewer())
    if not wants_activity():
        return redirect(url_for("projects.show", token=project.token))
    return activity_response(to_relationship(statement).dump())


@blueprint.post("/projects/<token>/alike/<statement>/take-back")
@permission(COORDINATE)
def take_back(token: str, statement: str) -> ResponseReturnValue:
    work = current_work()
    service.retract(work, service.by_token(work.session, statement))
    flash(_("The related project has been removed. Both councils will be notified."), "success")
    return redirect(url_for("projects.show", token=token), 303)


@blueprint.post("/projects/<token>/alike/<statement>/hide")
@permission(EDIT)
def hide(token: str, statement: str) -> ResponseReturnValue:
    """Remove another council's statement from the page of our project."""
    work = current_work()
    project = projects.get_for_update(work.session, token)
    row = service.by_token(work.session, statement)
    if project.uri not in {row.first_uri, row.second_uri}:
        raise NotFoundError(msg("Related project not found."))
    service.hide(work, row)
    flash(_("The related project is no longer shown on this page."), "success")
    return redirect(url_for("projects.show", token=token), 303)


def _get_readable_project(token: str) -> Project:
    return projects.by_token(current_work().session, token, current_viewer())


def _render_form(project: Project, form: SameNeedForm) -> str:
    return render_template("same_need/form.html", project=project, form=form)
