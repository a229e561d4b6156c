"""All that is said about a project of ours, in the order it was said (FEP-7888, FEP-f228); and of
which of our projects anything was said.
"""

from sqlalchemy import Integer, Select, Subquery, func, literal, select, union_all
from sqlalchemy.orm import Session

from federation.properties import JsonObject
from federation.vocabulary import Collection
from node.conversations.comment_subjects import find
from node.conversations.federate import to_note as comment_note
from node.conversations.models import Comment, CommentState
from node.councils.models import Council
from node.federating import local_uris
from node.federating.models import Actor
from node.federating.viewer import Viewer
from node.projects import service as projects
from node.projects.federate import to_article
from node.projects.models import Project
from node.updates.federate import to_note as update_note
from node.updates.models import Update, UpdateState

PAGE_SIZE = 50
# Of a council's conversations, so many are listed on a page.
MAX_LISTED = 500
UPDATE_KIND, COMMENT_KIND = 1, 2


def count_items(session: Session, project: Project) -> int:
    """How much was said: the project itself, updates, and comments that are shown."""
    said = select(func.count()).select_from(_select_items(project))
    return 1 + (session.scalar(said) or 0)


def list_page(
    session: Session, project: Project, number: int, licence: str | None
) -> list[str | JsonObject]:
    """One page, counted from 1, oldest first: our own documents embedded, others' by their ids.
    `licence` is the address of that of the project's texts.
    """
    first = max(0, (number - 1) * PAGE_SIZE)
    said = _select_items(project)
    ordered = select(said.c.kind, said.c.id).order_by(said.c.at, said.c.kind, said.c.id)
    # The project itself is the first.
    rows = session.execute(ordered.offset(max(0, first - 1)).limit(PAGE_SIZE - (first == 0)))
    own: list[str | JsonObject] = []
    if first == 0:
        own = [to_article(project, licence).dump(context=False)]
    return own + [_item_document(session, row.kind, row.id, licence) for row in rows]


def count_discussed_projects(session: Session, council: Council, reader: Viewer) -> int:
    """About how many of our projects `reader` may read what others say."""
    return session.scalar(_select_discussed(council, reader).with_only_columns(func.count())) or 0


def list_contexts(
    session: Session, council: Council, reader: Viewer, after: int
) -> tuple[list[JsonObject], int | None]:
    """The next of our projects about which anybody said something, as far as `reader` may read it:
    the head of each context, with how much is in it. And where to go on, if anywhere.
    """
    updates = select(func.count()).where(
        Update.project_id == Project.id, Update.state == UpdateState.published
    )
    comments = _count_shown_comments().where(Comment.project_id == Project.id)
    there = 1 + updates.scalar_subquery() + comments.scalar_subquery()
    query = _select_discussed(council, reader).with_only_columns(Project.id, Project.uri, there)
    rows = session.execute(
        query.where(Project.id > after).order_by(Project.id).limit(MAX_LISTED)
    ).all()
    heads = [
        Collection(local_uris.project_context(uri), total_items=total).dump(context=False)
        for _id, uri, total in rows
    ]
    return heads, rows[-1][0] if len(rows) == MAX_LISTED else None


def _select_discussed(council: Council, reader: Viewer) -> Select[Project]:
    is_spoken_of = _count_shown_comments().where(Comment.project_id == Project.id).exists()
    return projects.select_documented(council, reader).where(is_spoken_of)


def _count_shown_comments() -> Select[int]:
    """How many comments are shown."""
    shown = Comment.state == CommentState.shown, ~Actor.is_blocked
    return select(func.count(Comment.id)).join(Comment.author).where(*shown)


def _select_items(project: Project) -> Subquery:
    updates = select(
        literal(UPDATE_KIND, Integer).label("kind"),
        Update.id.label("id"),
        Update.published_at.label("at"),
    ).where(Update.project_id == project.id, Update.state == UpdateState.published)
    comments = (
        select(literal(COMMENT_KIND, Integer), Comment.id, Comment.published_at)
        .join(Comment.author)
        .where(Comment.project_id == project.id, Comment.state == CommentState.shown)
        .where(~Actor.is_blocked)
    )
    return union_all(updates, comments).subquery()


def _item_document(
    session: Session, kind: int, row_id: int, licence: str | None
) -> str | JsonObject:
    if kind == COMMENT_KIND:
        return _comment_item(session, row_id)
    return update_note(session.get_one(Update, row_id), licence).dump(context=False)


def _comment_item(session: Session, row_id: int) -> str | JsonObject:
    comment = session.get_one(Comment, row_id)
    if not comment.author.is_local:
        return comment.uri
    answered = find(session, comment.in_reply_to)
    author = answered.author if answered else comment.author
    return comment_note(comment, author).dump(context=False)
