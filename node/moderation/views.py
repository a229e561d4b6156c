"""The moderators' pages, and the form with which a visitor reports a problem."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import select

from node.access.permissions import MODERATE
from node.conversations import comment_subjects
from node.conversations import service as conversations
from node.conversations.models import Comment, CommentState
from node.councils import service as councils
from node.errors import InvalidInputError, NotFoundError
from node.federating.models import Block
from node.federating.peers import fetching
from node.federating.sync import actor_blocks
from node.federating.views.current_viewer import current_viewer
from node.languages import translate
from node.messages import msg
from node.moderation import service
from node.moderation.forms import BlockForm, DecisionForm, ReportForm
from node.moderation.models import Report
from node.moderation.reported_items import list_items
from node.people.attempt_limits import AttemptLimiter, network_of
from node.projects import adoption_service
from node.projects import service as projects
from node.projects.models import Project
from node.request import PUBLIC, current_node, current_work, page_number, permission

blueprint = Blueprint("moderation", __name__, template_folder="templates")

LIMITER_KEY = "moothall-reports"
# Reports from one network within an hour.
MAX_REPORTS_PER_HOUR, HOUR_SECONDS = 5, 3600.0
PAGE_SIZE = 30


@blueprint.record
def _set_up_rate_limit(state: BlueprintSetupState) -> None:
    state.app.extensions[LIMITER_KEY] = AttemptLimiter(MAX_REPORTS_PER_HOUR, HOUR_SECONDS)


@blueprint.get("/report")
@permission(PUBLIC)
def report_form() -> ResponseReturnValue:
    """The form for reporting the project, update or comment `about` (its id)."""
    form = ReportForm(formdata=None, about=_find_reported_object(request.args.get("about", "")).uri)
    return render_template("moderation/report.html", form=form)


@blueprint.post("/report")
@permission(PUBLIC)
def report() -> ResponseReturnValue:
    form, work = ReportForm(), current_work()
    subject = _find_reported_object(form.about.data or "")
    if not form.validate_on_submit():
        return render_template("moderation/report.html", form=form), 400
    limiter: AttemptLimiter = current_app.extensions[LIMITER_KEY]
    if limiter.hit(network_of(request.remote_addr or "")):
        form.form_errors.append(_("You have sent too many reports. Try again in an hour."))
        return render_template("moderation/report.html", form=form), 429
    try:
        service.create_visitor_report(work, subject.uri, form.words.data or "")
    except InvalidInputError as error:
        limiter.undo(network_of(request.remote_addr or ""))
        form.add_errors(error)
        return render_template("moderation/report.html", form=form), 400
    except service.TooManyReportsError as error:
        form.form_errors.append(translate(error.safe_text))
        return render_template("moderation/report.html", form=form), 429
    flash(_("Thank you. One of this council’s moderators will look at your report."), "success")
    return redirect(url_for("projects.show", token=subject.project.token), 303)


def _find_reported_object(uri: str) -> comment_subjects.CommentSubject:
    """The object with this id. Raises `NotFoundError` unless the viewer can see it."""
    session, viewer = current_work().session, current_viewer()
    subject = comment_subjects.find(session, uri) if "\0" not in uri else None
    if subject is None:
        raise NotFoundError(msg("The content you want to report is not on this site."))
    projects.by_token(session, subject.project.token, viewer)
    return subject


@blueprint.get("/moderation")
@permission(MODERATE)
def index() -> ResponseReturnValue:
    """The open reports, or with `state=decided` the decided ones."""
    session, state = current_work().session, request.args.get("state", "")
    page = service.list_page(session, is_open=state != "decided", number=page_number())
    items_by_report = {row.id: list_items(session, row.about) for row in page.rows}
    return render_template(
        "moderation/index.html", page=page, state=state, items_by_report=items_by_report
    )


@blueprint.get("/moderation/reports/<int:report_id>")
@permission(MODERATE)
def show_report(report_id: int) -> ResponseReturnValue:
    row = service.by_id(current_work().session, report_id)
    return _render_report_page(row, DecisionForm(formdata=None))


@blueprint.post("/moderation/reports/<int:report_id>/decide")
@permission(MODERATE)
def decide(report_id: int) -> ResponseReturnValue:
    """Carry out the decision, and go back to the list of reports."""
    form, work = DecisionForm(), current_work()
    row = service.by_id(work.session, report_id)
    if not form.validate_on_submit():
        return _render_report_page(row, form), 400
    try:
        decision = service.ReportDecision(form.decision.data or "")
    except ValueError:
        form.decision.errors = [_("Select what you want to do")]
        return _render_report_page(row, form), 400
    try:
        service.decide(work, row, decision, forward=bool(form.forward.data))
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_report_page(row, form), 400
    flash(_("Your decision has been saved."), "success")
    return redirect(url_for("moderation.index"), 303)


@blueprint.post("/moderation/reports/<int:report_id>/reopen")
@permission(MODERATE)
def reopen(report_id: int) -> ResponseReturnValue:
    work = current_work()
    service.reopen(work, service.by_id(work.session, report_id))
    flash(_("The report has been reopened."), "success")
    return redirect(url_for("moderation.show_report", report_id=report_id), 303)


def _render_report_page(row: Report, form: DecisionForm) -> str:
    items = list_items(current_work().session, row.about)
    return render_template("moderation/report_page.html", report=row, items=items, form=form)


@blueprint.get("/moderation/comments")
@permission(MODERATE)
def comments() -> ResponseReturnValue:
    """The comments held for approval, oldest first, and the adoptions claimed by other councils."""
    query = (
        select(Comment)
        .where(Comment.state == CommentState.held)
        .order_by(Comment.received_at, Comment.id)
    )
    session = current_work().session
    held_comments = session.scalars(query.limit(PAGE_SIZE)).all()
    return render_template(
        "moderation/comments.html",
        comments=held_comments,
        adoptions=adoption_service.list_for_moderation(session, PAGE_SIZE),
        form=FlaskForm(),
    )


@blueprint.post("/moderation/comments/<token>/<any(show, hide):verb>")
@permission(MODERATE)
def decide_comment(token: str, verb: str) -> ResponseReturnValue:
    work = current_work()
    comment = conversations.get_for_update(work.session, token)
    if verb == "show":
        service.show(work, comment)
        flash(_("The comment is now shown."), "success")
    else:
        service.hide(work, comment)
        flash(_("The comment has been hidden."), "success")
    return redirect(url_for("moderation.comments"), 303)


@blueprint.post("/moderation/adoptions/<int:number>/<any(show, hide):verb>")
@permission(MODERATE)
def decide_adoption(number: int, verb: str) -> ResponseReturnValue:
    """Show or hide another council's statement that it uses one of our projects."""
    adoption_service.decide(current_work(), number, shown=verb == "show")
    if verb == "show":
        flash(_("The council is now shown with the project."), "success")
    else:
        flash(_("The council is no longer shown with the project."), "success")
    return redirect(url_for("moderation.comments"), 303)


@blueprint.post("/moderation/projects/<token>/<any(show, hide):verb>")
@permission(MODERATE)
def decide_project(token: str, verb: str) -> ResponseReturnValue:
    """Hide another council's project on this site, or show it again."""
    work = current_work()
    project = work.session.scalar(select(Project).where(Project.token == token))
    if project is None:
        raise NotFoundError(msg("Project not found."))
    if verb == "show":
        service.show(work, project)
        flash(_("The project is no longer hidden."), "success")
    else:
        service.hide(work, project)
        flash(_("The project has been hidden."), "success")
    return redirect(url_for("moderation.blocks"), 303)


@blueprint.get("/moderation/blocks")
@permission(MODERATE)
def blocks() -> ResponseReturnValue:
    return _render_blocks_page(BlockForm(formdata=None))


@blueprint.post("/moderation/blocks")
@permission(MODERATE)
def block() -> ResponseReturnValue:
    """Look up an address and block the actor with that address."""
    form, work = BlockForm(), current_work()
    if not form.validate_on_submit():
        return _render_blocks_page(form), 400
    work.pause()
    try:
        actor = fetching.fetch_actor_by_address(current_node(), form.address.data or "")
        own_actor = councils.require_own(work.session).actor
        row = actor_blocks.block(work, own_actor, actor)
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_blocks_page(form), 400
    flash(_("%(name)s has been blocked.", name=row.blocked.name), "success")
    return redirect(url_for("moderation.blocks"), 303)


@blueprint.post("/moderation/blocks/<int:block_id>/undo")
@permission(MODERATE)
def unblock(block_id: int) -> ResponseReturnValue:
    work = current_work()
    row = work.session.get(Block, block_id)
    if row is None:
        raise NotFoundError(msg("Block not found."))
    name = row.blocked.name
    actor_blocks.unblock(work, row)
    flash(_("%(name)s has been unblocked.", name=name), "success")
    return redirect(url_for("moderation.blocks"), 303)


def _render_blocks_page(form: BlockForm) -> str:
    session = current_work().session
    return render_template(
        "moderation/blocks.html",
        form=form,
        blocks_by_us=actor_blocks.list_by_us(session),
        blocks_against_us=actor_blocks.list_against_us(session),
        projects=service.list_hidden_projects(session),
    )
