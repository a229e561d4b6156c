"""What is said of projects and others: on their pages, and where a coordinator says it."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from markupsafe import Markup
from wtforms import RadioField, SelectChoice, StringField

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

COORDINATE, EDIT = "projects.coordinate", "projects.edit"


class AlikeForm(BaseForm):
    """Which other project, and how alike they are."""

    address = StringField(
        _l("The other project"),
        description=_l("The web address of its page, on this site or on its own council’s site"),
        render_kw={"inputmode": "url"},
    )
    kind = RadioField(
        _l("How the projects are related"),
        choices=[SelectChoice(kind.value, taxonomy.RELATIONS[kind]) for kind in RELATION_KINDS],
        validate_choice=False,
    )


def section(project: Project) -> Markup:
    """What councils say of a project and others that are not theirs, for its page."""
    said = service.list_about(current_work().session, project, current_viewer())
    if not said:
        return Markup("")
    return Markup(render_template("alike/_section.html", project=project, said=said))  # noqa: S704 -- our own template


@blueprint.get("/projects/<token>/alike")
@permission(COORDINATE)
def form(token: str) -> ResponseReturnValue:
    return _render_form(_readable_project(token), AlikeForm())


@blueprint.post("/projects/<token>/alike")
@permission(COORDINATE)
def say_alike(token: str) -> ResponseReturnValue:
    """Our council says that two projects of others meet the same need."""
    sent, project = AlikeForm(), _readable_project(token)
    kind = next((kind for kind in RELATION_KINDS if kind == sent.kind.data), None)
    try:
        if sent.validate_on_submit():
            address = sent.address.data or ""
            service.create_statement(current_work(), project, address, kind, current_user.name)
            flash(_("Saved. Both councils will be notified."), "success")
            return redirect(url_for("projects.show", token=token), 303)
    except InvalidInputError as error:
        sent.show(error)
    return _render_form(project, sent), 400


@blueprint.get("/alike/<token>")
@permission(PUBLIC)
def show(token: str) -> ResponseReturnValue:
    """What our council says, for another server; people see it with the projects."""
    session = current_work().session
    statement = service.by_token(session, token)
    first = session.query(Project).filter_by(uri=statement.first_uri).one_or_none()
    if not statement.author.is_local or first is None:
        raise NotFoundError(msg("There is no such link between projects."))
    project = projects.by_token(session, first.token, current_viewer())
    if not wants_activity():
        return redirect(url_for("projects.show", token=project.token))
    return activity_response(to_relationship(statement).dump())


@blueprint.post("/projects/<token>/alike/<statement>/take-back")
@permission(COORDINATE)
def take_back(token: str, statement: str) -> ResponseReturnValue:
    work = current_work()
    service.retract(work, service.by_token(work.session, statement))
    flash(_("Withdrawn. Both councils will be notified."), "success")
    return redirect(url_for("projects.show", token=token), 303)


@blueprint.post("/projects/<token>/alike/<statement>/hide")
@permission(EDIT)
def hide(token: str, statement: str) -> ResponseReturnValue:
    """It is our project: what another council says of it need not stand on its page."""
    work = current_work()
    project, said = (
        projects.get_for_update(work.session, token),
        service.by_token(work.session, statement),
    )
    if project.uri not in {said.first_uri, said.second_uri}:
        raise NotFoundError(msg("There is no such link between projects."))
    service.hide(work, said)
    flash(_("The related project is no longer shown on this page."), "success")
    return redirect(url_for("projects.show", token=token), 303)


def _readable_project(token: str) -> Project:
    return projects.by_token(current_work().session, token, current_viewer())


def _render_form(project: Project, form: AlikeForm) -> str:
    return render_template("alike/form.html", project=project, form=form)
