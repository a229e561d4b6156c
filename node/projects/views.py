"""The pages of projects, and their ActivityPub documents at the same addresses."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from node.councils import service as councils
from node.errors import ConflictError, GoneError, InvalidInputError, NotFoundError
from node.federating.readers import Reader
from node.federating.views.asking import current_reader
from node.forms import VersionedForm
from node.people.permissions import may
from node.projects import adopting, once, relating, rendering, service
from node.projects.federate import to_article, to_document, to_tombstone
from node.projects.forms import ProjectForm
from node.projects.giving import give
from node.projects.licensing import licence_of, licence_url
from node.projects.models import Project, State, Visibility
from node.projects.sections import lacks_evidence, parts
from node.projects.viewing import as_view
from node.projects.writing import text_of
from node.request import (
    PUBLIC,
    activity_response,
    current_node,
    current_work,
    keeps_text,
    permission,
    wants_activity,
)
from node.wording import say

blueprint = Blueprint("projects", __name__, template_folder="templates")

EDIT = "projects.edit"


@blueprint.get("/projects/drafts")
@permission(EDIT)
def drafts() -> ResponseReturnValue:
    """What our council has begun and not yet published."""
    wanted = service.Filter(reader=current_reader(), drafts=True)
    page = service.listed(current_work().session, wanted, request.args.get("page", 1, type=int))
    return render_template("projects/drafts.html", page=page)


@blueprint.get("/projects/<token>")
@permission(PUBLIC)
def show(token: str) -> ResponseReturnValue:
    """One project: its page, or its document for another server."""
    reader, work = current_reader(), current_work()
    if wants_activity():
        return _article(token, reader)
    project = service.by_token(work.session, token, reader, drafts=True)
    visible = service.shown_to(reader)
    sections = current_node().hooks.project_sections(work, as_view(project), render_template)
    text = text_of(project)
    return render_template(
        "projects/project.html",
        project=project,
        parts=parts(text) if project.is_local and may(EDIT) else [],
        lacks_evidence=project.is_local and lacks_evidence(text),
        stated=relating.stated(work.session, project, visible),
        has_moved=relating.has_moved(work.session, project),
        said_by_others=relating.said_by_others(work.session, project, visible),
        adopting=adopting.state(work.session, project) if may(EDIT) else None,
        sections=sections,
        licence=licence_of(work.settings, project),
    )


def _article(token: str, reader: Reader) -> ResponseReturnValue:
    session = current_work().session
    try:
        project = service.by_token(session, token, reader)
    except GoneError:
        gone = service.deleted(session, token)
        if not gone.is_local:
            raise
        return activity_response(to_tombstone(gone).dump(), 410)
    if not project.is_local:
        return redirect(project.uri)
    give([(project.uri, project)], reader)
    return activity_response(to_article(project, _licence(project)).dump())


def _licence(project: Project) -> str | None:
    return licence_url(current_work().settings, project)


@blueprint.get("/projects/<token>/document")
@permission(PUBLIC)
def document(token: str) -> ResponseReturnValue:
    """The whole project document of a project of ours, to which its Article links."""
    if not wants_activity():
        return redirect(url_for("projects.show", token=token))
    reader = current_reader()
    project = service.by_token(current_work().session, token, reader)
    if not project.is_local:
        raise NotFoundError(say("There is no such project."))
    give([(project.uri, project)], reader)
    return activity_response(to_document(project, _licence(project)).dump())


@blueprint.get("/projects/new")
@permission(EDIT)
def new() -> ResponseReturnValue:
    form = ProjectForm()
    form.once.data = once.sealed()
    return render_template("projects/edit.html", form=form, project=None)


@blueprint.post("/projects/new")
@permission(EDIT)
@keeps_text
def create() -> ResponseReturnValue:
    """Save a new project as a draft, or publish it at once. The same sent again makes no other."""
    form, work = ProjectForm(), current_work()
    if not form.validate_on_submit():
        return render_template("projects/edit.html", form=form, project=None), 400
    token = once.opened(form.once.data or "")
    try:
        work.pause()
        rendering.prepare(form.give())
        if not once.is_free(work, token):
            before, token = once.made_before(work, token, form.give()), ""
            if before is not None:
                flash(_("This project has already been saved."), "success")
                return redirect(url_for("projects.show", token=before.token), 303)
        project = service.create(work, councils.require_own(work.session), form.give(), token)
    except InvalidInputError as error:
        form.show(error)
        return render_template("projects/edit.html", form=form, project=None), 400
    return _saved(project)


@blueprint.get("/projects/<token>/edit")
@permission(EDIT)
def edit(token: str) -> ResponseReturnValue:
    project = service.for_change(current_work().session, token)
    form = ProjectForm()
    form.fill(project)
    return render_template("projects/edit.html", form=form, project=project)


@blueprint.post("/projects/<token>/edit")
@permission(EDIT)
@keeps_text
def update(token: str) -> ResponseReturnValue:
    """Save a change. One that crosses another person's is not saved: both texts are shown."""
    form, work = ProjectForm(), current_work()
    project = service.for_change(work.session, token)
    if not form.validate_on_submit():
        return render_template("projects/edit.html", form=form, project=project), 400
    try:
        text = form.give(text_of(project))
        work.pause()
        rendering.prepare(text)
        project = service.for_change(work.session, token)
        service.update(work, project, text, form.began_from())
    except InvalidInputError as error:
        form.show(error)
        return render_template("projects/edit.html", form=form, project=project), 400
    except ConflictError:
        theirs = ProjectForm(formdata=None)
        theirs.fill(project)
        return both_texts(project, form, theirs)
    return _saved(project)


def both_texts(project: Project, form: VersionedForm, theirs: VersionedForm) -> ResponseReturnValue:
    """What somebody wrote, and what another saved meanwhile. What is sent next begins from that."""
    form.version.data = str(project.version)
    page = render_template(
        "projects/conflict.html", project=project, form=form, theirs=theirs, action=request.path
    )
    return page, 409


def _saved(project: Project) -> ResponseReturnValue:
    """After saving: publish if that was the button, and show the project."""
    wants_to_publish = request.form.get("then") == "publish" and project.state is State.draft
    if wants_to_publish and not service.publishes_at_once(current_work().settings):
        flash(
            _("The draft has been saved. Choose who will review it before it is published."),
            "success",
        )
        return redirect(url_for("drafts.edit", token=project.token), 303)
    if wants_to_publish:
        service.publish(current_work(), project)
        _say_published(project)
    elif project.state is State.published:
        flash(_("Your changes have been published."), "success")
    else:
        flash(_("The draft has been saved. Only your council can see it."), "success")
    return redirect(url_for("projects.show", token=project.token), 303)


@blueprint.post("/projects/<token>/publish")
@permission(EDIT)
def publish(token: str) -> ResponseReturnValue:
    project = service.for_change(current_work().session, token)
    service.publish(current_work(), project)
    _say_published(project)
    return redirect(url_for("projects.show", token=token), 303)


def _say_published(project: Project) -> None:
    said = {
        Visibility.public: _(
            "The project has been published. We’re sending it to the councils that follow yours."
        ),
        Visibility.peers: _(
            "The project has been published. We’re sending it to the councils you "
            "work with that follow yours."
        ),
        Visibility.private: _("The project has been published. Only your council can see it."),
    }
    flash(said[project.visibility], "success")


@blueprint.get("/projects/<token>/delete")
@permission(EDIT)
def confirm_delete(token: str) -> ResponseReturnValue:
    project = service.for_change(current_work().session, token)
    return render_template("projects/delete.html", form=FlaskForm(), project=project)


@blueprint.post("/projects/<token>/delete")
@permission(EDIT)
def delete(token: str) -> ResponseReturnValue:
    project = service.for_change(current_work().session, token)
    was_draft = project.is_draft
    service.delete(current_work(), project)
    flash(
        _("The draft has been deleted.")
        if was_draft
        else _(
            "The project has been deleted. Councils that have a copy are being asked to remove it."
        ),
        "success",
    )
    return redirect(url_for("projects.index"), 303)
