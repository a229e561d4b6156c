"""The pages on which a draft is sent for review, published or sent back."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from markupsafe import Markup

from node.drafts import service
from node.drafts.forms import AskForm, ReturnForm
from node.errors import InvalidInputError
from node.federating.views.asking import current_reader
from node.forms import VersionedForm
from node.history import service as history
from node.history import written
from node.people.permissions import may
from node.projects import service as projects
from node.projects import versions
from node.projects.models import Project, State
from node.projects.writing import text_of
from node.request import current_work, keeps_text, permission

blueprint = Blueprint("drafts", __name__, template_folder="templates")

EDIT = "projects.edit"


def section(project: Project) -> Markup:
    """What is to be done with a draft, for its page."""
    if project.state not in {State.draft, State.review} or not may(EDIT):
        return Markup("")
    session = current_work().session
    review = service.open_review(session, project)
    return Markup(  # noqa: S704 -- our own template
        render_template(
            "drafts/_section.html",
            project=project,
            review=review,
            returned=service.last_returned(session, project),
            decides=review is not None and service.may_decide(session, review, current_user),
            at_once=at_once(),
        )
    )


def at_once() -> bool:
    """Whether whoever writes a draft may publish it."""
    return projects.publishes_at_once(current_work().settings)


@blueprint.get("/projects/<token>/review")
@permission(EDIT)
def edit(token: str) -> ResponseReturnValue:
    """Ask somebody to read a draft; or, whoever was asked, answer."""
    project = projects.for_change(current_work().session, token)
    return _page(project, AskForm(formdata=None), ReturnForm(formdata=None))


@blueprint.post("/projects/<token>/review")
@permission(EDIT)
@keeps_text
def ask(token: str) -> ResponseReturnValue:
    form, work = AskForm(), current_work()
    project = projects.for_change(work.session, token)
    if not form.validate_on_submit():
        return _page(project, form, ReturnForm(formdata=None)), 400
    try:
        made = service.ask(work, project, current_user, form.chosen(), form.note.data or "")
    except InvalidInputError as error:
        form.show(error)
        return _page(project, form, ReturnForm(formdata=None)), 400
    if made.to_user is not None:
        flash(_("The draft has been sent to %(who)s for review.", who=made.to_user.name), "success")
    else:
        flash(_("The draft has been sent to the coordinators for review."), "success")
    return _back(token)


@blueprint.post("/projects/<token>/review/publish")
@permission(EDIT)
def publish(token: str) -> ResponseReturnValue:
    """Publish the version that was read. Of any other, say what changed since."""
    form, work = VersionedForm(), current_work()
    project = projects.for_change(work.session, token)
    try:
        service.publish(work, project, current_user, form.began_from())
    except service.ChangedError:
        page = _page(project, AskForm(formdata=None), ReturnForm(formdata=None), form.began_from())
        return page, 409
    flash(_("The project has been published."), "success")
    return _back(token)


@blueprint.post("/projects/<token>/review/return")
@permission(EDIT)
@keeps_text
def send_back(token: str) -> ResponseReturnValue:
    form, work = ReturnForm(), current_work()
    project = projects.for_change(work.session, token)
    if not form.validate_on_submit():
        return _page(project, AskForm(formdata=None), form), 400
    try:
        service.send_back(work, project, current_user, form.answer.data or "")
    except InvalidInputError as error:
        form.show(error)
        return _page(project, AskForm(formdata=None), form), 400
    flash(_("The draft has been sent back with your note."), "success")
    return _back(token)


@blueprint.post("/projects/<token>/review/withdraw")
@permission(EDIT)
def withdraw(token: str) -> ResponseReturnValue:
    work = current_work()
    service.withdraw(work, projects.for_change(work.session, token))
    flash(_("The project is a draft again."), "success")
    return _back(token)


def _page(project: Project, asking: AskForm, returning: ReturnForm, read: int | None = None) -> str:
    """`read` is the version that the reader wanted to publish, where it is not the newest."""
    session, reader = current_work().session, current_reader()
    asking.offer_to(service.readers(session, project, current_user))
    review, newest = service.open_review(session, project), versions.newest(session, project)
    decides = review is not None and service.may_decide(session, review, current_user)
    changes = None
    if read is not None and newest is not None:
        before = history.one(session, project, reader, read) if read else newest
        changes = written.changes(history.text_of(before), history.text_of(newest))
    return render_template(
        "drafts/review.html",
        project=project,
        review=review,
        decides=decides,
        wrote=current_user.id in service.writers(session, project),
        version=newest.number if newest else 0,
        parts=[each for each in written.parts(text_of(project)).values() if each.value],
        changes=changes,
        form=returning if decides else asking,
    )


def _back(token: str) -> ResponseReturnValue:
    return redirect(url_for("projects.show", token=token), 303)
