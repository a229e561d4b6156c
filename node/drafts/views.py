"""The pages on which a draft is sent for review, published or sent back."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from markupsafe import Markup

from node.drafts import service
from node.drafts.forms import AskReviewForm, ReturnDraftForm
from node.errors import InvalidInputError
from node.federating.views.current_viewer import current_viewer
from node.forms import VersionedForm
from node.history import field_values
from node.history import service as history
from node.people.permissions import has_permission
from node.projects import service as projects
from node.projects import versions
from node.projects.models import Project, ProjectState
from node.projects.validation import to_input
from node.request import current_work, keeps_text, permission

blueprint = Blueprint("drafts", __name__, template_folder="templates")

EDIT = "projects.edit"


def section(project: Project) -> Markup:
    """What is to be done with a draft, for its page."""
    if project.state not in {ProjectState.draft, ProjectState.review} or not has_permission(EDIT):
        return Markup("")
    session = current_work().session
    review = service.get_open_review(session, project)
    return Markup(  # noqa: S704 -- our own template
        render_template(
            "drafts/_section.html",
            project=project,
            review=review,
            returned=service.get_last_returned(session, project),
            decides=review is not None and service.can_decide(session, review, current_user),
            at_once=can_publish_directly(),
        )
    )


def can_publish_directly() -> bool:
    """Whether whoever writes a draft may publish it."""
    return projects.can_publish_without_review(current_work().settings)


@blueprint.get("/projects/<token>/review")
@permission(EDIT)
def edit(token: str) -> ResponseReturnValue:
    """Ask somebody to read a draft; or, whoever was asked, answer."""
    project = projects.get_for_update(current_work().session, token)
    return _render_review(project, AskReviewForm(formdata=None), ReturnDraftForm(formdata=None))


@blueprint.post("/projects/<token>/review")
@permission(EDIT)
@keeps_text
def ask(token: str) -> ResponseReturnValue:
    form, work = AskReviewForm(), current_work()
    project = projects.get_for_update(work.session, token)
    if not form.validate_on_submit():
        return _render_review(project, form, ReturnDraftForm(formdata=None)), 400
    try:
        made = service.request_review(
            work, project, current_user, form.selected_id(), form.note.data or ""
        )
    except InvalidInputError as error:
        form.show(error)
        return _render_review(project, form, ReturnDraftForm(formdata=None)), 400
    if made.to_user is not None:
        flash(_("The draft has been sent to %(who)s for review.", who=made.to_user.name), "success")
    else:
        flash(_("The draft has been sent to the coordinators for review."), "success")
    return _redirect_to_project(token)


@blueprint.post("/projects/<token>/review/publish")
@permission(EDIT)
def publish(token: str) -> ResponseReturnValue:
    """Publish the version that was read. Of any other, say what changed since."""
    form, work = VersionedForm(), current_work()
    project = projects.get_for_update(work.session, token)
    try:
        service.publish(work, project, current_user, form.began_from())
    except service.DraftChangedError:
        page = _render_review(
            project, AskReviewForm(formdata=None), ReturnDraftForm(formdata=None), form.began_from()
        )
        return page, 409
    flash(_("The project has been published."), "success")
    return _redirect_to_project(token)


@blueprint.post("/projects/<token>/review/return")
@permission(EDIT)
@keeps_text
def send_back(token: str) -> ResponseReturnValue:
    form, work = ReturnDraftForm(), current_work()
    project = projects.get_for_update(work.session, token)
    if not form.validate_on_submit():
        return _render_review(project, AskReviewForm(formdata=None), form), 400
    try:
        service.send_back(work, project, current_user, form.answer.data or "")
    except InvalidInputError as error:
        form.show(error)
        return _render_review(project, AskReviewForm(formdata=None), form), 400
    flash(_("The draft has been sent back with your note."), "success")
    return _redirect_to_project(token)


@blueprint.post("/projects/<token>/review/withdraw")
@permission(EDIT)
def withdraw(token: str) -> ResponseReturnValue:
    work = current_work()
    service.withdraw_review(work, projects.get_for_update(work.session, token))
    flash(_("The project is a draft again."), "success")
    return _redirect_to_project(token)


def _render_review(
    project: Project, asking: AskReviewForm, returning: ReturnDraftForm, read: int | None = None
) -> str:
    """`read` is the version that the reader wanted to publish, where it is not the newest."""
    session, reader = current_work().session, current_viewer()
    asking.set_choices(service.list_reviewers(session, project, current_user))
    review, newest = (
        service.get_open_review(session, project),
        versions.get_latest(session, project),
    )
    decides = review is not None and service.can_decide(session, review, current_user)
    changes = None
    if read is not None and newest is not None:
        before = history.get_version(session, project, reader, read) if read else newest
        changes = field_values.list_changes(history.to_input(before), history.to_input(newest))
    return render_template(
        "drafts/review.html",
        project=project,
        review=review,
        decides=decides,
        wrote=current_user.id in service.list_writers(session, project),
        version=newest.number if newest else 0,
        parts=[each for each in field_values.list_values(to_input(project)).values() if each.value],
        changes=changes,
        form=returning if decides else asking,
    )


def _redirect_to_project(token: str) -> ResponseReturnValue:
    return redirect(url_for("projects.show", token=token), 303)
