"""What can be done with comments: written, answered, deleted, and shown or hidden by moderators."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import bindparam, select
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session, joinedload

from federation.properties import JsonObject
from federation.vocabulary import create as create_activity
from federation.vocabulary import delete as delete_activity
from node import markup
from node.conversations import notifications
from node.conversations.comment_subjects import CommentSubject
from node.conversations.federate import to_note, to_tombstone
from node.conversations.models import STATE_TRANSITIONS, Comment, CommentState
from node.db import now
from node.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from node.federating import local_uris, outbox
from node.federating.models import Actor, InboxItem, OutboxActivity
from node.messages import msg
from node.projects import group_actor
from node.projects.federate import address_to
from node.projects.models import Project, ProjectState, Visibility, new_token
from node.runtime import UnitOfWork
from node.text import misfit, trim

MAX_LEN = 5_000
# Whoever says the same again within this time meant to say it once.
DUPLICATE_WINDOW = timedelta(hours=1)
# So many stand on the page of a project: the latest.
MAX_SHOWN = 200
# Of what others wrote, so many announcements of ours are kept.
KEPT_FIRST_ANNOUNCES, KEPT_LATEST_ANNOUNCES = 2, 20

SELECT_BY_URI = select(Comment).where(Comment.uri == bindparam("uri"))


@dataclass
class Thread:
    """A comment and, in the order they were written, all that answers it or its answers."""

    comment: Comment
    answers: list[Comment] = field(default_factory=list)


def validate(source: str) -> str:
    """Markdown trimmed. Raises `InvalidInputError` where it will not do."""
    source = trim(source)
    wrong = misfit(source, MAX_LEN, lines=True) if source else msg("Enter a comment")
    if wrong:
        raise InvalidInputError(msg("The comment could not be saved."), {"source": wrong})
    return source


def prerender(source: str) -> None:
    """Render what a transaction is about to write, before it begins. Raises `InvalidInputError`."""
    markup.render_markdown(validate(source))


def create(work: UnitOfWork, subject: CommentSubject, source: str, author: Actor) -> Comment:
    """`author`, who is ours, comments on a project, an update or a comment. It is sent to whoever
    is answered, and to whom the project belongs; the project's actor announces it.
    """
    source = validate(source)
    project, token, moment = subject.project, new_token(), now()
    uri = local_uris.comment(work.settings, token)
    comment = Comment(
        token=token,
        uri=uri,
        url=uri,
        project=project,
        author=author,
        in_reply_to=subject.uri,
        source=source,
        content=markup.render_markdown(source),
        state=CommentState.shown,
        published_at=moment,
        changed_at=moment,
        received_at=moment,
    )
    work.session.add(comment)
    work.session.flush()
    if project.visibility is not Visibility.private:
        _send_comment(work, comment, subject.author)
    notifications.notify(work, comment)
    work.audit("comment.write", uri, project=project.uri)
    return comment


def find_duplicate(
    session: Session, subject: CommentSubject, source: str, author: Actor
) -> Comment | None:
    """The latest comment of `author` there, where it says the same and was written just now: what
    is sent twice is said once.
    """
    theirs = Comment.in_reply_to == subject.uri, Comment.author_id == author.id
    latest = session.scalar(
        select(Comment)
        .where(
            *theirs,
            Comment.state == CommentState.shown,
            Comment.published_at > now() - DUPLICATE_WINDOW,
        )
        .order_by(Comment.id.desc())
        .limit(1)
    )
    return latest if latest is not None and latest.source == validate(source) else None


def delete(work: UnitOfWork, comment: Comment) -> None:
    """Remove a comment of ours here and, as far as others comply, everywhere."""
    if not comment.author.is_local:
        raise ForbiddenError(msg("You can only delete your own council’s comments."))
    erase(comment)
    project = comment.project
    if project.visibility is not Visibility.private:
        uri, gone = local_uris.new_activity(work.settings), to_tombstone(comment).dump()
        activity = delete_activity(uri, comment.author.uri, gone, **address_to(project))
        outbox.publish_to(work, comment.author, activity, set(), group_actor.audience(project))
    work.audit("comment.delete", comment.uri)


def withdraw(
    work: UnitOfWork,
    project: Project,
    now_for: outbox.Audience | None,
    after: int,
    most: int,
) -> int:
    """Fewer may read a project: what we said about it is deleted where others have it, and what
    others said is no longer passed on. Nobody may read one that was deleted, and all that was said
    about it is forgotten.
    """
    query = select(Comment).where(
        Comment.project_id == project.id, Comment.state != CommentState.deleted
    )
    if after == 0:
        outbox.narrow_audience_of_all(work.session, query.with_only_columns(Comment.uri), now_for)
    following = query.where(Comment.id > after).order_by(Comment.id).limit(most)
    found = work.session.scalars(following).all()
    for comment in found:
        if project.state is ProjectState.deleted:
            erase(comment)
        if comment.author.is_local:
            uri, gone = local_uris.new_activity(work.settings), to_tombstone(comment).dump()
            deletion = delete_activity(uri, comment.author.uri, gone, **address_to(project))
            outbox.withdraw(work, comment.author, deletion, now_for)
    return found[-1].id if len(found) == most else 0


def on_actor_deleted(work: UnitOfWork, author: Actor, most: int) -> bool:
    """The account of `author`, on another server, is deleted: up to `most` of its comments go, here
    and wherever our projects' actors announced them. True if there may be more.
    """
    theirs = Comment.author_id == author.id, Comment.state != CommentState.deleted
    found = work.session.scalars(select(Comment).where(*theirs).limit(most)).all()
    for comment in found:
        if comment.state is CommentState.shown and comment.project.is_local:
            group_actor.undo_announcements(work, comment.project, comment.uri, comment.uri)
        erase(comment)
    return len(found) == most


def erase(comment: Comment) -> None:
    """Forget what was written."""
    _set_state(comment, CommentState.deleted)
    comment.content = comment.source = comment.warning = ""
    comment.changed_at = now()


def show(work: UnitOfWork, comment: Comment) -> None:
    """A moderator lets it be seen; of our own project it is announced now.

    Raises `ConflictError` if it is shown or was deleted.
    """
    _set_state(comment, CommentState.shown)
    if comment.project.is_local:
        forward(work, comment, _find_original_activity(work.session, comment))
    notifications.notify(work, comment)
    work.audit("comment.show", comment.uri, author=comment.author.uri)


def hide(work: UnitOfWork, comment: Comment) -> None:
    """A moderator takes it off our pages, and takes back that it was announced.

    Raises `ConflictError` if it is hidden or was deleted.
    """
    was_shown = comment.state is CommentState.shown
    _set_state(comment, CommentState.hidden)
    if was_shown and comment.project.is_local:
        group_actor.undo_announcements(work, comment.project, comment.uri, comment.uri)
    work.audit("comment.hide", comment.uri, author=comment.author.uri)


def hold(work: UnitOfWork, comment: Comment) -> None:
    """It was changed since a moderator let it be seen, and waits for one again."""
    _set_state(comment, CommentState.held)
    if comment.project.is_local:
        group_actor.undo_announcements(work, comment.project, comment.uri, comment.uri)
    work.audit("comment.hold", comment.uri, author=comment.author.uri)


def forward(work: UnitOfWork, comment: Comment, activity: JsonObject | None) -> None:
    """Our project's actor passes on what somebody said there: the activity as it came, or where
    that is not known any more which comment it was, to be read where it lives.
    """
    author = comment.author
    own = set() if author.is_local else {author.shared_inbox or author.inbox}
    told = activity or {"id": comment.uri, "type": "Note"}
    is_announced = group_actor.forward(work, comment.project, told, excluding=own)
    if is_announced and not author.is_local:
        _prune_announcements(work.session, comment)


def _prune_announcements(session: Session, comment: Comment) -> None:
    """Whoever changes what they wrote over and over has us keep no more announcements of it: the
    first, by which it is known, and the latest.
    """
    about = OutboxActivity.object_uri == comment.uri, OutboxActivity.type == "Announce"
    ids = session.scalars(select(OutboxActivity.id).where(*about).order_by(OutboxActivity.id)).all()
    surplus = ids[KEPT_FIRST_ANNOUNCES : len(ids) - KEPT_LATEST_ANNOUNCES]
    if surplus:
        session.execute(delete_rows(OutboxActivity).where(OutboxActivity.id.in_(surplus)))


def by_token(session: Session, token: str) -> Comment:
    """A comment in any state. Raises `NotFoundError` for none."""
    comment = session.scalar(select(Comment).where(Comment.token == token))
    if comment is None:
        raise NotFoundError(msg("There is no such comment."))
    return comment


def by_uri(session: Session, uri: str) -> Comment | None:
    return session.scalar(SELECT_BY_URI, {"uri": uri})


def for_change(session: Session, token: str) -> Comment:
    """A comment, locked until the end of the unit of work. Raises `NotFoundError` for none."""
    query = select(Comment).where(Comment.token == token).with_for_update(of=Comment)
    comment = session.scalar(query)
    if comment is None:
        raise NotFoundError(msg("There is no such comment."))
    return comment


def list_threads(
    session: Session, project: Project, states: Iterable[CommentState]
) -> list[Thread]:
    """The latest comments on a project that are in one of `states`, oldest first, in two levels."""
    query = (
        select(Comment)
        .join(Comment.author)
        .where(Comment.project_id == project.id, Comment.state.in_(states), ~Actor.is_blocked)
        .order_by(Comment.published_at.desc(), Comment.id.desc())
        .options(joinedload(Comment.author))
        .limit(MAX_SHOWN)
    )
    comments = list(session.scalars(query))[::-1]
    known = {comment.uri: comment for comment in comments}
    found = {}
    for comment in comments:
        root = _find_root(comment, known)
        if root is comment:
            found[comment.uri] = Thread(comment)
        elif root.uri in found:
            found[root.uri].answers.append(comment)
        else:  # it claims to be older than what it answers
            found[comment.uri] = Thread(comment)
    return list(found.values())


def _find_root(comment: Comment, known: dict[str, Comment]) -> Comment:
    """The first of those that lead to `comment`."""
    seen = {comment.uri}
    while comment.in_reply_to in known and comment.in_reply_to not in seen:
        comment = known[comment.in_reply_to]
        seen.add(comment.uri)
    return comment


def _set_state(comment: Comment, state: CommentState) -> None:
    if state not in STATE_TRANSITIONS[comment.state]:
        raise ConflictError(msg("A moderator has already made a decision on this comment."))
    comment.state = state


def _send_comment(work: UnitOfWork, comment: Comment, answered: Actor) -> None:
    """Send a new comment of ours to whoever it answers and to the council of the project."""
    project, author = comment.project, comment.author
    note = to_note(comment, answered).dump()
    uri = local_uris.new_activity(work.settings)
    activity = create_activity(uri, author.uri, note, to=note["to"], cc=note.get("cc", ()))
    hearing = {actor for actor in (answered, project.council.actor) if not actor.is_local}
    inboxes = {actor.shared_inbox or actor.inbox for actor in hearing}
    sent = outbox.publish_to(work, author, activity, inboxes, group_actor.audience(project))
    if project.is_local:
        forward(work, comment, json.loads(sent.body))


def _find_original_activity(session: Session, comment: Comment) -> JsonObject | None:
    """The Create by which a comment came, if it is still there and what it says still holds."""
    came = InboxItem.type.in_(("Create", "Update")), InboxItem.object_uri == comment.uri
    by_author = InboxItem.actor_uri == comment.author.uri, InboxItem.state == "done"
    newest_first = select(InboxItem).where(*came, *by_author).order_by(InboxItem.id.desc())
    item = session.scalars(newest_first).first()
    return item.body if item and item.type == "Create" else None
