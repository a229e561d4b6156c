"""Notifications of comments, for the owner of the project and the author of the parent comment."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.conversations.models import Comment
from node.federating.models import Actor
from node.notification_events import service as events
from node.notification_kinds import NotificationKind, Topic
from node.runtime import UnitOfWork

COMMENT_WRITTEN = NotificationKind(
    "comment.written", Topic.own, _l("%(who)s commented on %(project)s"), notifies_owner=True
)
KINDS = (COMMENT_WRITTEN,)


def notify(work: UnitOfWork, comment: Comment) -> None:
    """Record the event of a comment that has become visible."""
    events.record_event(
        work,
        COMMENT_WRITTEN,
        project_id=comment.project_id,
        subject_uri=comment.uri,
        to=_find_parent_author(work.session, comment),
    )


def _find_parent_author(session: Session, comment: Comment) -> list[int]:
    """The user id of the local author of the parent comment, if there is one."""
    if comment.in_reply_to == comment.project.uri:
        return []
    authors = select(Actor.user_id).join(Comment, Comment.author_id == Actor.id)
    parent_author = authors.where(Comment.uri == comment.in_reply_to, Actor.user_id.is_not(None))
    return [user_id for user_id in session.scalars(parent_author) if user_id is not None]
