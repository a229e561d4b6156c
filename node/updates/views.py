"""The pages of updates, and their ActivityPub documents at the same addresses."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from markupsafe import Markup

from node.access.permissions import EDIT
from node.errors import ConflictError, GoneError, InvalidInputError
from node.federating.views.current_viewer import current_viewer
from node.messages import msg
from node.projects import service as projects
from node.projects.document_access import disclose
from node.projects.licensing import licence_url
from node.projects.models import Project
from node.request import (
    PUBLIC,
    activity_response,
    current_work,
    keeps_input,
    page_number,
    permission,
    wants_activity,
)
from node.updates import service
from node.updates.federate import localise_headings, to_note, to_tombstone
from node.updates.forms import UpdateForm
from node.updates.models import Update, UpdateState

blueprint = Blueprint("updates", __name__, template_folder="templates")
blueprint.add_app_template_filter(localise_headings)


def render_section(project: Project) -> Markup:
    """The newest updates of a project, as a section of its page."""
    page = service.list_page(current_work().session, project)
    return Markup(render_template("updates/_section.html", project=project, page=page))  # noqa: S704 -- our own template


@blueprint.get("/projects/<token>/updates")
@permission(PUBLIC)
def index(token: str) -> ResponseReturnValue:
    """All updates of a project, newest first."""
    session = current_work().session
    project = projects.by_token(session, token, current_viewer())
    page = service.list_page(session, project, page_number())
    return render_template("updates/index.html", project=project, page=page)


@blueprint.get("/updates/<token>")
@permission(PUBLIC)
def show(token: str) -> ResponseReturnValue:
    """One update: its page, or its document for another server."""
    reader = current_viewer()
    update = service.by_token(current_work().session, token)
    is_document = wants_activity()
    try:
        project = projects.by_token(current_work().session, update.project.token, reader)
    except GoneError:
        return _deleted_response(update, is_document=is_document)
    if update.state is UpdateState.deleted:
        return _deleted_response(update, is_document=is_document)
    if not is_document:
        return render_template("updates/update.html", update=update, project=project)
    if not project.is_local:
        return redirect(update.uri)
    disclose([(update.uri, project)], reader)
    return activity_response(to_note(update, licence_url(current_work().settings, project)).dump())


def _deleted_response(update: Update, *, is_document: bool) -> ResponseReturnValue:
    if is_document and update.author.is_local:
        return activity_response(to_tombstone(update).dump(), 410)
    raise GoneError(msg("This update has been deleted."))


@blueprint.get("/projects/<token>/updates/new")
@permission(EDIT)
def new(token: str) -> ResponseReturnValue:
    project = projects.get_for_update(current_work().session, token)
    return render_template("updates/edit.html", form=UpdateForm(), project=project, update=None)


@blueprint.post("/projects/<token>/updates/new")
@permission(EDIT)
@keeps_input
def create(token: str) -> ResponseReturnValue:
    form, work = UpdateForm(), current_work()
    project = projects.get_for_update(work.session, token)
    if not form.validate_on_submit():
        return render_template("updates/edit.html", form=form, project=project, update=None), 400
    try:
        work.pause()
        service.prerender(form.to_input())
        project = projects.get_for_update(work.session, token)
        update = service.find_duplicate(work.session, project, form.to_input())
        update = update or service.create(work, project, form.to_input())
    except InvalidInputError as error:
        form.add_errors(error)
        return render_template("updates/edit.html", form=form, project=project, update=None), 400
    flash(
        _("The update has been published. We’re notifying everyone who follows the project."),
        "success",
    )
    return _redirect_to(update)


@blueprint.get("/updates/<token>/edit")
@permission(EDIT)
def edit(token: str) -> ResponseReturnValue:
    update = service.get_for_update(current_work().session, token)
    form = UpdateForm()
    form.fill(update)
    return render_template("updates/edit.html", form=form, project=update.project, update=update)


@blueprint.post("/updates/<token>/edit")
@permission(EDIT)
@keeps_input
def change(token: str) -> ResponseReturnValue:
    """Save a change. An edit that conflicts with another person's is not saved: both texts are
    shown.
    """
    form, work = UpdateForm(), current_work()
    update = service.get_for_update(work.session, token)
    context = {"form": form, "project": update.project, "update": update}
    if not form.validate_on_submit():
        return render_template("updates/edit.html", **context), 400
    try:
        work.pause()
        service.prerender(form.to_input())
        update = service.get_for_update(work.session, token)
        service.change(work, update, form.to_input(), form.base_version())
    except InvalidInputError as error:
        form.add_errors(error)
        return render_template("updates/edit.html", **context), 400
    except ConflictError:
        form.version.data = str(update.version)
        return render_template("updates/edit.html", **context, current=update), 409
    flash(_("Your changes have been published."), "success")
    return _redirect_to(update)


@blueprint.get("/updates/<token>/delete")
@permission(EDIT)
def confirm_delete(token: str) -> ResponseReturnValue:
    update = service.get_for_update(current_work().session, token)
    return render_template("updates/delete.html", form=FlaskForm(), update=update)


@blueprint.post("/updates/<token>/delete")
@permission(EDIT)
def delete(token: str) -> ResponseReturnValue:
    update = service.get_for_update(current_work().session, token)
    service.delete(current_work(), update)
    flash(
        _("The update has been deleted. We’re asking everyone who has a copy to remove it."),
        "success",
    )
    return redirect(url_for("projects.show", token=update.project.token), 303)


def _redirect_to(update: Update) -> ResponseReturnValue:
    address = url_for("projects.show", token=update.project.token, _anchor=f"update-{update.token}")
    return redirect(address, 303)
