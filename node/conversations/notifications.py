"""What people here are told of comments: who looks after the project, and whoever is answered."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.conversations.models import Comment
from node.events import service as news
from node.events.kinds import NotificationKind, Topic
from node.federating.models import Actor
from node.runtime import UnitOfWork

COMMENT_WRITTEN = NotificationKind(
    "comment.written", Topic.own, _l("%(who)s commented on %(project)s"), for_owner=True
)
KINDS = (COMMENT_WRITTEN,)


def notify(work: UnitOfWork, comment: Comment) -> None:
    """A comment is shown from now on."""
    news.record_event(
        work,
        COMMENT_WRITTEN,
        project_id=comment.project_id,
        subject_uri=comment.uri,
        to=_find_answered_user(work.session, comment),
    )


def _find_answered_user(session: Session, comment: Comment) -> list[int]:
    """The id of the person here whose comment it answers, if it answers one."""
    if comment.in_reply_to == comment.project.uri:
        return []
    author = select(Actor.user_id).join(Comment, Comment.author_id == Actor.id)
    answered = author.where(Comment.uri == comment.in_reply_to, Actor.user_id.is_not(None))
    return [user_id for user_id in session.scalars(answered) if user_id is not None]
