"""Views for comments and reactions, their ActivityPub documents, and the contexts of projects."""

from collections.abc import Callable
from contextlib import suppress

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from markupsafe import Markup

from federation.vocabulary import Collection, CollectionPage
from federation.vocabulary.activity_types import ANNOUNCE, LIKE
from node.access.permissions import EDIT, MODERATE, has_permission
from node.access.visibility import can_fetch, is_for
from node.conversations import comment_subjects, context_collections, reaction_service, service
from node.conversations.comment_subjects import CommentSubject
from node.conversations.federate import to_note, to_tombstone
from node.conversations.forms import CommentForm
from node.conversations.models import Comment, CommentState
from node.councils import service as councils
from node.errors import GoneError, InvalidInputError, NotFoundError
from node.federating import reactions
from node.federating.identity import local_uris
from node.federating.views.current_viewer import current_viewer, verified_viewer
from node.messages import msg
from node.projects import service as projects
from node.projects.licensing import licence_url
from node.projects.models import Project
from node.request import (
    PUBLIC,
    activity_response,
    current_work,
    keeps_input,
    parse_row_id,
    permission,
    wants_activity,
)

blueprint = Blueprint("conversations", __name__, template_folder="templates")

REACTION_TYPE_BY_NAME = {"like": LIKE, "share": ANNOUNCE}


def render_section(project: Project) -> Markup:
    """The comments section of a project's page."""
    work = current_work()
    states = (
        (CommentState.shown, CommentState.held, CommentState.hidden)
        if has_permission(MODERATE)
        else (CommentState.shown,)
    )
    threads = service.list_threads(work.session, project, states)
    return Markup(  # noqa: S704 -- our own template
        render_template(
            "conversations/_section.html",
            project=project,
            threads=threads,
            form=CommentForm(formdata=None),
        )
    )


def render_reactions(project: Project) -> Markup:
    """The likes and shares of a project, for the side of its page."""
    counts = reactions.count_by_kind(current_work().session, [project.uri]).get(project.uri, {})
    return Markup(  # noqa: S704 -- our own template
        render_template(
            "conversations/_reactions.html",
            project=project,
            counts=counts,
            own_reactions=_find_own_reactions(project),
        )
    )


def _find_own_reactions(project: Project) -> set[str]:
    """The reactions of our council to a remote project: keys of `REACTION_TYPE_BY_NAME`."""
    if project.is_local or not has_permission(EDIT):
        return set()
    session = current_work().session
    actor = councils.require_own(session).actor
    return {
        name
        for name, kind in REACTION_TYPE_BY_NAME.items()
        if reactions.find(session, actor, kind, project.uri)
    }


@blueprint.post("/projects/<token>/comments")
@permission(EDIT)
@keeps_input
def create(token: str) -> ResponseReturnValue:
    """Publish a comment on a project, or a reply to an update or comment on it."""
    form, work = CommentForm(), current_work()
    project = projects.by_token(work.session, token, current_viewer())
    subject = _require_subject(project, form.to.data or "")
    if not form.validate_on_submit():
        return _render_form_again(form, subject)
    try:
        work.pause()
        service.prerender(form.source.data or "")
        author = councils.require_own(work.session).actor
        text = form.source.data or ""
        comment = service.find_duplicate(work.session, subject, text, author)
        comment = comment or service.create(work, subject, text, author)
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_form_again(form, subject)
    flash(_("Your comment has been published."), "success")
    return _redirect_to(comment)


@blueprint.get("/comments/<token>/answer")
@permission(EDIT)
def answer(token: str) -> ResponseReturnValue:
    """The page with the form to reply to a comment."""
    comment = _get_readable_comment(token)
    subject = _require_subject(comment.project, comment.uri)
    form = CommentForm(formdata=None)
    form.to.data = comment.uri
    return render_template("conversations/answer.html", form=form, subject=subject, comment=comment)


@blueprint.get("/comments/<token>")
@permission(PUBLIC)
def show(token: str) -> ResponseReturnValue:
    """Redirect people to a comment on its project's page; return its document to servers."""
    is_document = wants_activity()
    comment = service.by_token(current_work().session, token)
    if is_document and comment.state is CommentState.deleted and comment.author.is_local:
        with suppress(GoneError):
            projects.by_token(current_work().session, comment.project.token, current_viewer())
        return activity_response(to_tombstone(comment).dump(), 410)
    comment = _get_readable_comment(token)
    if not is_document:
        return _redirect_to(comment)
    if not comment.author.is_local:
        return redirect(comment.uri)
    if not is_for(current_viewer().audience, comment.project.resource):
        raise NotFoundError(msg("Comment not found."))
    subject = comment_subjects.find(current_work().session, comment.in_reply_to)
    return activity_response(to_note(comment, subject.author if subject else comment.author).dump())


@blueprint.get("/comments/<token>/delete")
@permission(EDIT)
def confirm_delete(token: str) -> ResponseReturnValue:
    comment = _get_readable_comment(token)
    return render_template("conversations/delete.html", form=FlaskForm(), comment=comment)


@blueprint.post("/comments/<token>/delete")
@permission(EDIT)
def delete(token: str) -> ResponseReturnValue:
    """Delete a comment of our council."""
    work = current_work()
    comment = service.get_for_update(work.session, token)
    projects.by_token(work.session, comment.project.token, current_viewer())
    service.delete(work, comment)
    flash(
        _("The comment has been deleted. Everyone who has a copy is being asked to remove it."),
        "success",
    )
    return redirect(url_for("projects.show", token=comment.project.token), 303)


@blueprint.post("/projects/<token>/reactions/<name>")
@permission(EDIT)
def react(token: str, name: str) -> ResponseReturnValue:
    """Like a remote project, or share it with our council's followers."""
    work = current_work()
    project = projects.by_token(work.session, token, current_viewer())
    reaction_service.react(
        work, councils.require_own(work.session).actor, project, _reaction_type(name)
    )
    confirmations = {
        "like": _("Your council has liked this project."),
        "share": _("Your council has shared this project."),
    }
    flash(confirmations[name], "success")
    return redirect(url_for("projects.show", token=token), 303)


@blueprint.post("/projects/<token>/reactions/<name>/undo")
@permission(EDIT)
def take_back(token: str, name: str) -> ResponseReturnValue:
    work = current_work()
    project = projects.by_token(work.session, token, current_viewer())
    reaction_service.undo_reaction(
        work, councils.require_own(work.session).actor, project, _reaction_type(name)
    )
    confirmations = {
        "like": _("Your council no longer likes this project."),
        "share": _("Your council no longer shares this project."),
    }
    flash(confirmations[name], "success")
    return redirect(url_for("projects.show", token=token), 303)


def _reaction_type(name: str) -> str:
    if name not in REACTION_TYPE_BY_NAME:
        raise NotFoundError(msg("This page does not exist. Check the web address."))
    return REACTION_TYPE_BY_NAME[name]


@blueprint.get("/projects/<token>/likes")
@permission(PUBLIC)
def likes(token: str) -> ResponseReturnValue:
    """The number of likes of a local project, as a collection without items."""
    return _reaction_collection_response(token, LIKE, local_uris.likes)


@blueprint.get("/projects/<token>/shares")
@permission(PUBLIC)
def shares(token: str) -> ResponseReturnValue:
    """The number of shares of a local project, as a collection without items."""
    return _reaction_collection_response(token, ANNOUNCE, local_uris.shares)


def _reaction_collection_response(
    token: str, kind: str, collection_uri: Callable[[str], str]
) -> ResponseReturnValue:
    if not wants_activity():
        return redirect(url_for("projects.show", token=token))
    session = current_work().session
    project = projects.by_token(session, token, current_viewer())
    if not can_fetch(current_viewer(), project.resource):
        raise NotFoundError(msg("Conversation not found."))
    total = reactions.count_by_kind(session, [project.uri]).get(project.uri, {}).get(kind, 0)
    return activity_response(Collection(collection_uri(project.uri), total_items=total).dump())


@blueprint.get("/projects/<token>/context")
@permission(PUBLIC)
def context(token: str) -> ResponseReturnValue:
    """The context of a local project: itself, its updates and its comments (FEP-7888)."""
    if not wants_activity():
        return redirect(url_for("projects.show", token=token))
    session = current_work().session
    project = projects.by_token(session, token, current_viewer())
    if not can_fetch(current_viewer(), project.resource):
        raise NotFoundError(msg("Conversation not found."))
    uri = local_uris.project_context(project.uri)
    if "page" not in request.args:
        collection = Collection(
            id=uri,
            attributed_to=local_uris.project_group(project.uri),
            total_items=context_collections.count_items(session, project),
            first=f"{uri}?page=1",
        )
        return activity_response(collection.dump())
    number = request.args.get("page", 1, type=parse_row_id)
    licence = licence_url(current_work().settings, project)
    page = context_collections.list_page(session, project, number, licence)
    document = CollectionPage(
        id=f"{uri}?page={number}",
        part_of=uri,
        items=tuple(page.rows),
        next=f"{uri}?page={page.next}" if page.next else None,
    )
    return activity_response(document.dump())


@blueprint.get("/councils/<slug>/projects/conversations")
@permission(PUBLIC)
def conversations(slug: str) -> ResponseReturnValue:
    """The council's projects with comments, and the number of items in the context of each.

    A server that stores as many need not fetch the contexts.
    """
    if not wants_activity():
        return redirect(url_for("pages.own_council", slug=slug))
    viewer, session = verified_viewer(), current_work().session
    council = councils.by_slug(session, slug)
    if council is None or not council.actor.projects:
        raise NotFoundError(msg("Council not found."))
    uri = local_uris.conversations(council.actor.projects)
    after = request.args.get("after", type=parse_row_id)
    if after is None:
        total = context_collections.count_discussed_projects(session, council, viewer)
        return activity_response(
            Collection(id=uri, total_items=total, first=f"{uri}?after=0").dump()
        )
    page = context_collections.list_contexts(session, council, viewer, after)
    document = CollectionPage(
        id=f"{uri}?after={after}",
        part_of=uri,
        items=tuple(page.rows),
        next=f"{uri}?after={page.next}" if page.next else None,
    )
    return activity_response(document.dump())


def _require_subject(project: Project, uri: str) -> CommentSubject:
    """The object `uri` in the conversation about `project`; the project if `uri` is empty.

    Raises `NotFoundError`.
    """
    subject = comment_subjects.find(current_work().session, uri or project.uri)
    if subject is None or subject.project is not project:
        raise NotFoundError(msg("The comment or update you are replying to no longer exists."))
    return subject


def _get_readable_comment(token: str) -> Comment:
    """A comment that the viewer may see. Raises `NotFoundError`, or `GoneError` if deleted."""
    session = current_work().session
    comment = service.by_token(session, token)
    projects.by_token(session, comment.project.token, current_viewer())
    if comment.state is CommentState.deleted:
        raise GoneError(msg("This comment has been deleted."))
    if comment.state is not CommentState.shown and not has_permission(MODERATE):
        raise NotFoundError(msg("Comment not found."))
    return comment


def _render_form_again(form: CommentForm, subject: CommentSubject) -> ResponseReturnValue:
    """The page with the form, its input and its errors, as a 400 response."""
    comment = service.by_uri(current_work().session, subject.uri)
    page = render_template("conversations/answer.html", form=form, subject=subject, comment=comment)
    return page, 400


def _redirect_to(comment: Comment) -> ResponseReturnValue:
    address = url_for(
        "projects.show", token=comment.project.token, _anchor=f"comment-{comment.token}"
    )
    return redirect(address, 303)
