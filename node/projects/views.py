"""The pages of projects, and their ActivityPub documents at the same addresses."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from node.access.permissions import EDIT, has_permission
from node.access.viewer import Viewer
from node.access.visibility import Visibility
from node.councils import service as councils
from node.errors import ConflictError, GoneError, InvalidInputError, NotFoundError
from node.federating.views.current_viewer import current_viewer
from node.forms import VersionedForm
from node.messages import msg
from node.projects import adoption_service, idempotency, relations, rendering, service
from node.projects import visibility as project_visibility
from node.projects.document_access import disclose
from node.projects.federate import to_article, to_document, to_tombstone
from node.projects.forms import ProjectForm
from node.projects.licensing import licence_of, licence_url
from node.projects.models import Project, ProjectState
from node.projects.plugin_data import to_project_info
from node.projects.sections import lacks_evidence, section_statuses
from node.projects.validation import to_input
from node.request import (
    PUBLIC,
    activity_response,
    current_node,
    current_work,
    keeps_input,
    page_number,
    permission,
    wants_activity,
)

blueprint = Blueprint("projects", __name__, template_folder="templates")


def can_publish_directly() -> bool:
    """Whether the author of a draft may publish it without review."""
    return service.can_publish_without_review(current_work().settings)


@blueprint.get("/projects/drafts")
@permission(EDIT)
def drafts() -> ResponseReturnValue:
    """Our council's drafts."""
    criteria = service.ProjectFilter(viewer=current_viewer(), drafts_only=True)
    page = service.list_page(current_work().session, criteria, page_number())
    return render_template("projects/drafts.html", page=page)


@blueprint.get("/projects/<token>")
@permission(PUBLIC)
def show(token: str) -> ResponseReturnValue:
    """One project: its page, or its document for another server."""
    reader, work = current_viewer(), current_work()
    if wants_activity():
        return _article_response(token, reader)
    project = service.by_token(work.session, token, reader, include_drafts=True)
    visible = project_visibility.is_visible_to(reader)
    sections = current_node().hooks.project_sections(
        work, to_project_info(project), render_template
    )
    text = to_input(project)
    return render_template(
        "projects/project.html",
        project=project,
        parts=section_statuses(text) if project.is_local and has_permission(EDIT) else [],
        lacks_evidence=project.is_local and lacks_evidence(text),
        stated=relations.list_stated(work.session, project, visible),
        has_moved=relations.is_continued_elsewhere(work.session, project),
        incoming=relations.list_incoming(work.session, project, visible),
        adoption_status=adoption_service.get_status(work.session, project)
        if has_permission(EDIT)
        else None,
        sections=sections,
        licence=licence_of(work.settings, project),
    )


def _article_response(token: str, viewer: Viewer) -> ResponseReturnValue:
    session = current_work().session
    try:
        project = service.by_token(session, token, viewer)
    except GoneError:
        deleted = service.get_deleted(session, token)
        if not deleted.is_local:
            raise
        return activity_response(to_tombstone(deleted).dump(), 410)
    if not project.is_local:
        return redirect(project.uri)
    disclose([(project.uri, project)], viewer)
    return activity_response(to_article(project, _licence_url(project)).dump())


def _licence_url(project: Project) -> str | None:
    return licence_url(current_work().settings, project)


@blueprint.get("/projects/<token>/document")
@permission(PUBLIC)
def document(token: str) -> ResponseReturnValue:
    """The complete project document of a local project, to which its Article links."""
    if not wants_activity():
        return redirect(url_for("projects.show", token=token))
    reader = current_viewer()
    project = service.by_token(current_work().session, token, reader)
    if not project.is_local:
        raise NotFoundError(msg("Project not found."))
    disclose([(project.uri, project)], reader)
    return activity_response(to_document(project, _licence_url(project)).dump())


@blueprint.get("/projects/new")
@permission(EDIT)
def new() -> ResponseReturnValue:
    form = ProjectForm()
    form.once.data = idempotency.issue_key()
    return render_template("projects/edit.html", form=form, project=None)


@blueprint.post("/projects/new")
@permission(EDIT)
@keeps_input
def create() -> ResponseReturnValue:
    """Save a new project as a draft, or publish it at once. Sending the form again creates no
    second one.
    """
    form, work = ProjectForm(), current_work()
    if not form.validate_on_submit():
        return render_template("projects/edit.html", form=form, project=None), 400
    token = idempotency.read_key(form.once.data or "")
    try:
        work.pause()
        rendering.prerender(form.to_input())
        if not idempotency.is_unused(work, token):
            existing, token = idempotency.find_duplicate(work, token, form.to_input()), ""
            if existing is not None:
                flash(_("This project has already been saved."), "success")
                return redirect(url_for("projects.show", token=existing.token), 303)
        project = service.create(work, councils.require_own(work.session), form.to_input(), token)
    except InvalidInputError as error:
        form.add_errors(error)
        return render_template("projects/edit.html", form=form, project=None), 400
    return _redirect_after_save(project)


@blueprint.get("/projects/<token>/edit")
@permission(EDIT)
def edit(token: str) -> ResponseReturnValue:
    project = service.get_for_update(current_work().session, token)
    form = ProjectForm()
    form.fill(project)
    return render_template("projects/edit.html", form=form, project=project)


@blueprint.post("/projects/<token>/edit")
@permission(EDIT)
@keeps_input
def update(token: str) -> ResponseReturnValue:
    """Save a change. An edit that conflicts with another person's is not saved: both texts are
    shown.
    """
    form, work = ProjectForm(), current_work()
    project = service.get_for_update(work.session, token)
    if not form.validate_on_submit():
        return render_template("projects/edit.html", form=form, project=project), 400
    try:
        text = form.to_input(to_input(project))
        work.pause()
        rendering.prerender(text)
        project = service.get_for_update(work.session, token)
        service.update(work, project, text, form.base_version())
    except InvalidInputError as error:
        form.add_errors(error)
        return render_template("projects/edit.html", form=form, project=project), 400
    except ConflictError:
        current = ProjectForm(formdata=None)
        current.fill(project)
        return render_conflict(project, form, current)
    return _redirect_after_save(project)


def render_conflict(
    project: Project, form: VersionedForm, current: VersionedForm
) -> ResponseReturnValue:
    """Show what the user entered beside what someone else saved. Sending the form again is based on
    the latter.
    """
    form.version.data = str(project.version)
    page = render_template(
        "projects/conflict.html", project=project, form=form, current=current, action=request.path
    )
    return page, 409


def _redirect_after_save(project: Project) -> ResponseReturnValue:
    """Publish the project if that button was chosen, then show it."""
    wants_to_publish = request.form.get("then") == "publish" and project.state is ProjectState.draft
    if wants_to_publish and not service.can_publish_without_review(current_work().settings):
        flash(
            _("The draft has been saved. Choose who will review it before it is published."),
            "success",
        )
        return redirect(url_for("drafts.edit", token=project.token), 303)
    if wants_to_publish:
        service.publish(current_work(), project)
        _flash_published(project)
    elif project.state is ProjectState.published:
        flash(_("Your changes have been published."), "success")
    else:
        flash(_("The draft has been saved. Only your council can see it."), "success")
    return redirect(url_for("projects.show", token=project.token), 303)


@blueprint.post("/projects/<token>/publish")
@permission(EDIT)
def publish(token: str) -> ResponseReturnValue:
    project = service.get_for_update(current_work().session, token)
    service.publish(current_work(), project)
    _flash_published(project)
    return redirect(url_for("projects.show", token=token), 303)


def _flash_published(project: Project) -> None:
    messages = {
        Visibility.public: _(
            "The project has been published. We’re sending it to the councils that follow yours."
        ),
        Visibility.peers: _(
            "The project has been published. We’re sending it to the councils you "
            "work with, if they follow yours."
        ),
        Visibility.private: _("The project has been published. Only your council can see it."),
    }
    flash(messages[project.visibility], "success")


@blueprint.get("/projects/<token>/delete")
@permission(EDIT)
def confirm_delete(token: str) -> ResponseReturnValue:
    project = service.get_for_update(current_work().session, token)
    return render_template("projects/delete.html", form=FlaskForm(), project=project)


@blueprint.post("/projects/<token>/delete")
@permission(EDIT)
def delete(token: str) -> ResponseReturnValue:
    project = service.get_for_update(current_work().session, token)
    was_draft = project.is_draft
    service.delete(current_work(), project)
    flash(
        _("The draft has been deleted.")
        if was_draft
        else _(
            "The project has been deleted. We’re asking councils that have a copy to remove it."
        ),
        "success",
    )
    return redirect(url_for("projects.index"), 303)
