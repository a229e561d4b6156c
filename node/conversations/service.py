"""Operations on comments: write, forward, delete and withdraw them, and moderate remote ones."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from federation.properties import JsonObject
from federation.vocabulary import create as create_activity
from federation.vocabulary import delete as delete_activity
from federation.vocabulary.activity_types import ANNOUNCE, CREATE, VERSION_TYPES
from node import markup
from node.access import audiences
from node.access.visibility import Visibility
from node.conversations import notifications
from node.conversations.comment_subjects import CommentSubject
from node.conversations.federate import to_note, to_tombstone
from node.conversations.models import STATE_TRANSITIONS, Comment, CommentState
from node.database.tables import now
from node.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from node.federating.identity import local_uris
from node.federating.models import Actor, InboxItem, OutboxActivity
from node.federating.outbound import outbox
from node.federating.peers.actor_deletions import Erasure
from node.messages import msg
from node.projects import group_actor
from node.projects.federate import build_addressing
from node.projects.models import Project, ProjectState, new_token
from node.projects.withdrawals import Withdrawal
from node.queue.pruning import delete_surplus
from node.runtime import UnitOfWork
from node.text import find_text_error, trim

# Characters of Markdown.
MAX_LEN = 5_000
# The same comment submitted again within this time is a repeated submission.
DUPLICATE_WINDOW = timedelta(hours=1)
# The latest comments that a project's page shows.
MAX_SHOWN = 200
# Announcements kept per remote comment that is changed often.
KEPT_FIRST_ANNOUNCES, KEPT_LATEST_ANNOUNCES = 2, 20

SELECT_BY_URI = select(Comment).where(Comment.uri == bindparam("uri"))


@dataclass
class Thread:
    """A comment with all direct and indirect replies, oldest first."""

    comment: Comment
    answers: list[Comment] = field(default_factory=list)


def validate(source: str) -> str:
    """Return the Markdown trimmed. Raises `InvalidInputError` if it is empty or too long."""
    source = trim(source)
    error = find_text_error(source, MAX_LEN, lines=True) if source else msg("Enter a comment")
    if error:
        raise InvalidInputError(msg("The comment could not be saved."), {"source": error})
    return source


def prerender(source: str) -> None:
    """Render Markdown into the cache before the write transaction. Raises `InvalidInputError`."""
    markup.render_markdown(validate(source))


def create(work: UnitOfWork, subject: CommentSubject, source: str, author: Actor) -> Comment:
    """Comment on a project, update or comment as the local actor `author`.

    The comment is sent to the author of `subject` and to the project's council; the actor of a
    local project announces it.
    """
    source = validate(source)
    project, token, created_at = subject.project, new_token(), now()
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
        published_at=created_at,
        changed_at=created_at,
        received_at=created_at,
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
    """The latest reply of `author` to `subject`, if it is recent and has the same text.

    Guards against a form that is submitted twice.
    """
    is_own_reply = Comment.in_reply_to == subject.uri, Comment.author_id == author.id
    latest = session.scalar(
        select(Comment)
        .where(
            *is_own_reply,
            Comment.state == CommentState.shown,
            Comment.published_at > now() - DUPLICATE_WINDOW,
        )
        .order_by(Comment.id.desc())
        .limit(1)
    )
    return latest if latest is not None and latest.source == validate(source) else None


def delete(work: UnitOfWork, comment: Comment) -> None:
    """Delete a local comment, and ask the servers that received it to delete their copies."""
    if not comment.author.is_local:
        raise ForbiddenError(msg("You can only delete your own council’s comments."))
    erase(comment)
    project = comment.project
    if project.visibility is not Visibility.private:
        uri, tombstone = local_uris.new_activity(work.settings), to_tombstone(comment).dump()
        activity = delete_activity(uri, comment.author.uri, tombstone, **build_addressing(project))
        outbox.publish_to(work, comment.author, activity, set(), group_actor.audience_of(project))
    work.audit("comment.delete", comment.uri)


def withdraw(
    work: UnitOfWork,
    project: Project,
    audience: audiences.Audience | None,
    after: int,
    limit: int,
) -> int:
    """Withdraw the comments on a project from everyone outside its new `audience`.

    Local comments are deleted on servers that may no longer see them, and remote ones are no longer
    forwarded. The comments on a deleted project are erased. Handles up to `limit` comments with a
    row id above `after`; returns the last row id, or 0 when done.
    """
    query = select(Comment).where(
        Comment.project_id == project.id, Comment.state != CommentState.deleted
    )
    if after == 0:
        outbox.narrow_audience_of_all(work.session, query.with_only_columns(Comment.uri), audience)
    batch = query.where(Comment.id > after).order_by(Comment.id).limit(limit)
    comments = work.session.scalars(batch).all()
    for comment in comments:
        if project.state is ProjectState.deleted:
            erase(comment)
        if comment.author.is_local:
            uri, tombstone = local_uris.new_activity(work.settings), to_tombstone(comment).dump()
            deletion = delete_activity(
                uri, comment.author.uri, tombstone, **build_addressing(project)
            )
            outbox.withdraw(work, comment.author, deletion, audience)
    return comments[-1].id if len(comments) == limit else 0


WITHDRAW_COMMENTS = Withdrawal("withdraw-comments", withdraw)


def _erase_comments_of(work: UnitOfWork, author: Actor, limit: int) -> bool:
    """Erase up to `limit` comments of a deleted remote account, and undo their announcements.

    Returns True if there may be more.
    """
    is_remaining = Comment.author_id == author.id, Comment.state != CommentState.deleted
    comments = work.session.scalars(select(Comment).where(*is_remaining).limit(limit)).all()
    for comment in comments:
        if comment.state is CommentState.shown and comment.project.is_local:
            group_actor.undo_announcements(work, comment.project, comment.uri, comment.uri)
        erase(comment)
    return len(comments) == limit


ERASE_COMMENTS = Erasure("erase-comments", _erase_comments_of)


def erase(comment: Comment) -> None:
    """Mark a comment as deleted, and remove its text."""
    _set_state(comment, CommentState.deleted)
    comment.content = comment.source = comment.warning = ""
    comment.changed_at = now()


def show(work: UnitOfWork, comment: Comment) -> None:
    """Make a comment visible by a moderator's decision; on a local project, announce it.

    Raises `ConflictError` if the comment is visible or deleted.
    """
    _set_state(comment, CommentState.shown)
    if comment.project.is_local:
        forward(work, comment, _find_original_activity(work.session, comment))
    notifications.notify(work, comment)
    work.audit("comment.show", comment.uri, author=comment.author.uri)


def hide(work: UnitOfWork, comment: Comment) -> None:
    """Hide a comment by a moderator's decision, and undo its announcements.

    Raises `ConflictError` if the comment is hidden or deleted.
    """
    was_shown = comment.state is CommentState.shown
    _set_state(comment, CommentState.hidden)
    if was_shown and comment.project.is_local:
        group_actor.undo_announcements(work, comment.project, comment.uri, comment.uri)
    work.audit("comment.hide", comment.uri, author=comment.author.uri)


def hold(work: UnitOfWork, comment: Comment) -> None:
    """Hold a visible comment for a moderator again, after its author changed it."""
    _set_state(comment, CommentState.held)
    if comment.project.is_local:
        group_actor.undo_announcements(work, comment.project, comment.uri, comment.uri)
    work.audit("comment.hold", comment.uri, author=comment.author.uri)


def forward(work: UnitOfWork, comment: Comment, activity: JsonObject | None) -> None:
    """Announce a comment as the actor of a local project, to everyone except its author.

    `activity` is the received or sent activity. If it is None, the id of the comment is announced,
    so that receivers fetch it.
    """
    author = comment.author
    author_inbox = set() if author.is_local else {author.shared_inbox or author.inbox}
    announced = activity or {"id": comment.uri, "type": "Note"}
    is_announced = group_actor.forward(work, comment.project, announced, excluding=author_inbox)
    if is_announced and not author.is_local:
        _limit_announcements(work.session, comment)


def _limit_announcements(session: Session, comment: Comment) -> None:
    """Delete all but the first and the latest announcements of a comment.

    Limits what an author who changes a comment again and again makes us store.
    """
    is_announce = OutboxActivity.object_uri == comment.uri, OutboxActivity.type == ANNOUNCE
    oldest_first = select(OutboxActivity.id).where(*is_announce).order_by(OutboxActivity.id)
    is_later = OutboxActivity.id.not_in(oldest_first.limit(KEPT_FIRST_ANNOUNCES))
    delete_surplus(session, OutboxActivity, *is_announce, is_later, max_rows=KEPT_LATEST_ANNOUNCES)


def by_token(session: Session, token: str) -> Comment:
    """A comment in any state. Raises `NotFoundError`."""
    comment = session.scalar(select(Comment).where(Comment.token == token))
    if comment is None:
        raise NotFoundError(msg("Comment not found."))
    return comment


def by_uri(session: Session, uri: str) -> Comment | None:
    return session.scalar(SELECT_BY_URI, {"uri": uri})


def get_for_update(session: Session, token: str) -> Comment:
    """A comment in any state, locked until the end of the transaction. Raises `NotFoundError`."""
    query = select(Comment).where(Comment.token == token).with_for_update(of=Comment)
    comment = session.scalar(query)
    if comment is None:
        raise NotFoundError(msg("Comment not found."))
    return comment


def list_threads(
    session: Session, project: Project, states: Iterable[CommentState]
) -> list[Thread]:
    """The latest comments on a project in one of `states`, as threads, oldest first."""
    query = (
        select(Comment)
        .join(Comment.author)
        .where(Comment.project_id == project.id, Comment.state.in_(states), ~Actor.is_blocked)
        .order_by(Comment.published_at.desc(), Comment.id.desc())
        .options(joinedload(Comment.author))
        .limit(MAX_SHOWN)
    )
    comments = list(session.scalars(query))[::-1]
    comments_by_uri = {comment.uri: comment for comment in comments}
    threads: dict[str, Thread] = {}
    for comment in comments:
        root = _find_root(comment, comments_by_uri)
        if root is not comment and root.uri in threads:
            threads[root.uri].answers.append(comment)
        else:  # a root, or a reply that claims to be older than its parent
            threads[comment.uri] = Thread(comment)
    return list(threads.values())


def _find_root(comment: Comment, comments_by_uri: dict[str, Comment]) -> Comment:
    """The comment at the top of the chain of replies that ends in `comment`."""
    seen = {comment.uri}
    while comment.in_reply_to in comments_by_uri and comment.in_reply_to not in seen:
        comment = comments_by_uri[comment.in_reply_to]
        seen.add(comment.uri)
    return comment


def _set_state(comment: Comment, state: CommentState) -> None:
    if state not in STATE_TRANSITIONS[comment.state]:
        raise ConflictError(msg("A moderator has already made a decision on this comment."))
    comment.state = state


def _send_comment(work: UnitOfWork, comment: Comment, subject_author: Actor) -> None:
    """Send a new local comment to the author of its subject and to the project's council."""
    project, author = comment.project, comment.author
    note = to_note(comment, subject_author).dump()
    uri = local_uris.new_activity(work.settings)
    activity = create_activity(uri, author.uri, note, to=note["to"], cc=note.get("cc", ()))
    remote_actors = {
        actor for actor in (subject_author, project.council.actor) if not actor.is_local
    }
    inboxes = {actor.shared_inbox or actor.inbox for actor in remote_actors}
    sent = outbox.publish_to(work, author, activity, inboxes, group_actor.audience_of(project))
    if project.is_local:
        forward(work, comment, json.loads(sent.body))


def _find_original_activity(session: Session, comment: Comment) -> JsonObject | None:
    """The Create that delivered a comment, if it is stored and no Update followed."""
    is_version = InboxItem.type.in_(VERSION_TYPES), InboxItem.object_uri == comment.uri
    is_by_author = InboxItem.actor_uri == comment.author.uri, InboxItem.state == "done"
    newest_first = select(InboxItem).where(*is_version, *is_by_author).order_by(InboxItem.id.desc())
    item = session.scalars(newest_first).first()
    return item.body if item and item.type == CREATE else None
