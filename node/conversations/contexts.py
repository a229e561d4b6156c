"""All that is said about a project of ours, in the order it was said (FEP-7888, FEP-f228)."""

from collections.abc import Callable

from sqlalchemy import Integer, Subquery, func, literal, select, union_all
from sqlalchemy.orm import Session

from federation.reading import Document
from node.conversations.federate import to_note as comment_note
from node.conversations.models import Comment
from node.conversations.models import State as CommentState
from node.conversations.subjects import find
from node.federating.models import Actor
from node.projects.federate import to_article
from node.projects.models import Project
from node.updates.federate import to_note as update_note
from node.updates.models import State as UpdateState
from node.updates.models import Update

PAGE = 50
UPDATE, COMMENT = 1, 2


def count(session: Session, project: Project) -> int:
    """How much was said: the project itself, updates, and comments that are shown."""
    said = select(func.count()).select_from(_said(project))
    return 1 + (session.scalar(said) or 0)


def page(session: Session, project: Project, number: int) -> list[str | Document]:
    """One page, counted from 1, oldest first: our own documents embedded, others' by their ids."""
    first = max(0, (number - 1) * PAGE)
    said = _said(project)
    ordered = select(said.c.kind, said.c.id).order_by(said.c.at, said.c.kind, said.c.id)
    # The project itself is the first.
    rows = session.execute(ordered.offset(max(0, first - 1)).limit(PAGE - (first == 0)))
    own: list[str | Document] = [to_article(project).dump(context=False)] if first == 0 else []
    return own + [_READ[row.kind](session, row.id) for row in rows]


def _said(project: Project) -> Subquery:
    updates = select(
        literal(UPDATE, Integer).label("kind"),
        Update.id.label("id"),
        Update.published_at.label("at"),
    ).where(Update.project_id == project.id, Update.state == UpdateState.published)
    comments = (
        select(literal(COMMENT, Integer), Comment.id, Comment.published_at)
        .join(Comment.author)
        .where(Comment.project_id == project.id, Comment.state == CommentState.shown)
        .where(~Actor.is_blocked)
    )
    return union_all(updates, comments).subquery()


def _update(session: Session, row_id: int) -> str | Document:
    return update_note(session.get_one(Update, row_id)).dump(context=False)


def _comment(session: Session, row_id: int) -> str | Document:
    comment = session.get_one(Comment, row_id)
    if not comment.author.is_local:
        return comment.uri
    answered = find(session, comment.in_reply_to)
    author = answered.author if answered else comment.author
    return comment_note(comment, author).dump(context=False)


_READ: dict[int, Callable[[Session, int], str | Document]] = {UPDATE: _update, COMMENT: _comment}
