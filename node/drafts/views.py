"""The pages for sending a draft for review, publishing it or sending it back."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from markupsafe import Markup

from node.access.permissions import EDIT, has_permission
from node.drafts import service
from node.drafts.forms import RequestReviewForm, ReturnDraftForm
from node.errors import InvalidInputError
from node.federating.views.current_viewer import current_viewer
from node.forms import VersionedForm
from node.history import field_values
from node.history import service as history
from node.projects import service as projects
from node.projects import versions
from node.projects.models import Project, ProjectState
from node.projects.validation import to_input
from node.projects.views import can_publish_directly
from node.request import current_work, keeps_input, permission

blueprint = Blueprint("drafts", __name__, template_folder="templates")


def render_section(project: Project) -> Markup:
    """The state of a draft's review and the next steps, as a section of its page."""
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
            can_decide=review is not None and service.can_decide(session, review, current_user),
            can_publish=can_publish_directly(),
        )
    )


@blueprint.get("/projects/<token>/review")
@permission(EDIT)
def edit(token: str) -> ResponseReturnValue:
    """The form for requesting a review; for the reviewer, the draft and the form for answering."""
    project = projects.get_for_update(current_work().session, token)
    return _render_review(project, RequestReviewForm(formdata=None), ReturnDraftForm(formdata=None))


@blueprint.post("/projects/<token>/review")
@permission(EDIT)
@keeps_input
def ask(token: str) -> ResponseReturnValue:
    form, work = RequestReviewForm(), current_work()
    project = projects.get_for_update(work.session, token)
    if not form.validate_on_submit():
        return _render_review(project, form, ReturnDraftForm(formdata=None)), 400
    try:
        review = service.request_review(
            work, project, current_user, form.selected_id(), form.note.data or ""
        )
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_review(project, form, ReturnDraftForm(formdata=None)), 400
    if review.to_user is not None:
        flash(
            _("The draft has been sent to %(who)s for review.", who=review.to_user.name), "success"
        )
    else:
        flash(_("The draft has been sent to the coordinators for review."), "success")
    return _redirect_to_project(token)


@blueprint.post("/projects/<token>/review/publish")
@permission(EDIT)
def publish(token: str) -> ResponseReturnValue:
    """Publish the version that was reviewed. If the draft has changed since, show the changes."""
    form, work = VersionedForm(), current_work()
    project = projects.get_for_update(work.session, token)
    try:
        service.publish(work, project, current_user, form.base_version())
    except service.DraftChangedError:
        page = _render_review(
            project,
            RequestReviewForm(formdata=None),
            ReturnDraftForm(formdata=None),
            form.base_version(),
        )
        return page, 409
    flash(_("The project has been published."), "success")
    return _redirect_to_project(token)


@blueprint.post("/projects/<token>/review/return")
@permission(EDIT)
@keeps_input
def send_back(token: str) -> ResponseReturnValue:
    form, work = ReturnDraftForm(), current_work()
    project = projects.get_for_update(work.session, token)
    if not form.validate_on_submit():
        return _render_review(project, RequestReviewForm(formdata=None), form), 400
    try:
        service.send_back(work, project, current_user, form.answer.data or "")
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_review(project, RequestReviewForm(formdata=None), form), 400
    flash(_("The draft has been sent back with your note."), "success")
    return _redirect_to_project(token)


@blueprint.post("/projects/<token>/review/withdraw")
@permission(EDIT)
def withdraw(token: str) -> ResponseReturnValue:
    work = current_work()
    service.withdraw_review(work, projects.get_for_update(work.session, token))
    flash(_("The draft has been withdrawn from review."), "success")
    return _redirect_to_project(token)


def _render_review(
    project: Project,
    ask_form: RequestReviewForm,
    return_form: ReturnDraftForm,
    read_version: int | None = None,
) -> str:
    """`read_version`: the version that the reviewer tried to publish, if it is outdated."""
    session, reader = current_work().session, current_viewer()
    ask_form.set_choices(service.list_reviewers(session, project, current_user))
    review = service.get_open_review(session, project)
    latest = versions.get_latest(session, project)
    can_decide = review is not None and service.can_decide(session, review, current_user)
    changes = None
    if read_version is not None and latest is not None:
        opened = (
            history.get_version(session, project, reader, read_version) if read_version else latest
        )
        changes = field_values.list_changes(history.to_input(opened), history.to_input(latest))
    return render_template(
        "drafts/review.html",
        project=project,
        review=review,
        can_decide=can_decide,
        is_writer=current_user.id in service.list_writers(session, project),
        version=latest.number if latest else 0,
        parts=[
            value for value in field_values.list_values(to_input(project)).values() if value.value
        ],
        changes=changes,
        form=return_form if can_decide else ask_form,
    )


def _redirect_to_project(token: str) -> ResponseReturnValue:
    return redirect(url_for("projects.show", token=token), 303)
