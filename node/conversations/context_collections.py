"""The contents of collections that this node publishes (FEP-7888, FEP-f228).

The context of a local project lists the project, its updates and its comments, oldest first. A
council's list of conversations names its projects that have comments.
"""

from sqlalchemy import Integer, Select, Subquery, func, literal, select, union_all
from sqlalchemy.orm import Session

from federation.properties import JsonObject
from federation.vocabulary import Collection
from node.access.viewer import Viewer
from node.conversations.comment_subjects import find
from node.conversations.federate import to_note as comment_note
from node.conversations.models import Comment, CommentState
from node.councils.models import Council
from node.federating.identity import local_uris
from node.federating.models import Actor
from node.projects import service as projects
from node.projects.federate import to_article
from node.projects.models import Project
from node.updates.federate import to_note as update_note
from node.updates.models import Update, UpdateState

PAGE_SIZE = 50
# Conversations per page of a council's list.
MAX_LISTED = 500
UPDATE_KIND, COMMENT_KIND = 1, 2


def count_items(session: Session, project: Project) -> int:
    """The number of items in a project's context: itself, its updates and its visible comments."""
    query = select(func.count()).select_from(_select_items(project))
    return 1 + (session.scalar(query) or 0)


def list_page(
    session: Session, project: Project, number: int, licence: str | None
) -> list[str | JsonObject]:
    """The page `number` of a project's context, from 1, oldest item first.

    Local documents are embedded, remote ones are given by their ids. `licence` is the address of
    the licence of the project's texts.
    """
    first = max(0, (number - 1) * PAGE_SIZE)
    items = _select_items(project)
    ordered = select(items.c.kind, items.c.id).order_by(items.c.at, items.c.kind, items.c.id)
    # The first item is the project itself, which is not in the query.
    rows = session.execute(ordered.offset(max(0, first - 1)).limit(PAGE_SIZE - (first == 0)))
    head: list[str | JsonObject] = []
    if first == 0:
        head = [to_article(project, licence).dump(context=False)]
    return head + [_build_item(session, row.kind, row.id, licence) for row in rows]


def count_discussed_projects(session: Session, council: Council, viewer: Viewer) -> int:
    """The number of projects with comments that `viewer` may see."""
    return session.scalar(_select_discussed(council, viewer).with_only_columns(func.count())) or 0


def list_contexts(
    session: Session, council: Council, viewer: Viewer, after: int
) -> tuple[list[JsonObject], int | None]:
    """A page of the contexts of projects with comments that `viewer` may see.

    Returns the collections with their `totalItems` only, for projects with a row id above `after`,
    and the last row id if another page may follow, else None.
    """
    updates = select(func.count()).where(
        Update.project_id == Project.id, Update.state == UpdateState.published
    )
    comments = _select_comment_count().where(Comment.project_id == Project.id)
    total_items = 1 + updates.scalar_subquery() + comments.scalar_subquery()
    query = _select_discussed(council, viewer).with_only_columns(
        Project.id, Project.uri, total_items
    )
    rows = session.execute(
        query.where(Project.id > after).order_by(Project.id).limit(MAX_LISTED)
    ).all()
    contexts = [
        Collection(local_uris.project_context(uri), total_items=total).dump(context=False)
        for _id, uri, total in rows
    ]
    return contexts, rows[-1][0] if len(rows) == MAX_LISTED else None


def _select_discussed(council: Council, viewer: Viewer) -> Select[Project]:
    has_comments = _select_comment_count().where(Comment.project_id == Project.id).exists()
    return projects.select_with_readable_document(council, viewer).where(has_comments)


def _select_comment_count() -> Select[int]:
    is_shown = Comment.state == CommentState.shown, ~Actor.is_blocked
    return select(func.count(Comment.id)).join(Comment.author).where(*is_shown)


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


def _build_item(session: Session, kind: int, row_id: int, licence: str | None) -> str | JsonObject:
    if kind == COMMENT_KIND:
        return _build_comment_item(session, row_id)
    return update_note(session.get_one(Update, row_id), licence).dump(context=False)


def _build_comment_item(session: Session, row_id: int) -> str | JsonObject:
    comment = session.get_one(Comment, row_id)
    if not comment.author.is_local:
        return comment.uri
    subject = find(session, comment.in_reply_to)
    subject_author = subject.author if subject else comment.author
    return comment_note(comment, subject_author).dump(context=False)
