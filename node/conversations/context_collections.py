"""The contents of collections that this node publishes (FEP-7888, FEP-f228).

The context of a local project lists the project, its updates and its comments, oldest first. A
council's list of conversations names its projects that have comments.
"""

from typing import Any

from sqlalchemy import Integer, Select, Subquery, func, literal, select, union_all
from sqlalchemy.orm import Bundle, Session

from federation.properties import JsonObject
from federation.vocabulary import Collection
from node.access.viewer import Viewer
from node.conversations.comment_subjects import find
from node.conversations.federate import to_note as comment_note
from node.conversations.models import Comment, CommentState
from node.councils.models import Council
from node.federating.identity import local_uris
from node.federating.models import Actor
from node.pagination import Page, page_by_key, uncounted_page
from node.projects import service as projects
from node.projects.federate import to_article
from node.projects.models import Project
from node.request import MAX_ROW_ID
from node.updates.federate import to_note as update_note
from node.updates.models import Update, UpdateState

PAGE_SIZE = 50
# Conversations per page of a council's list.
MAX_LISTED = 500
PROJECT_KIND, UPDATE_KIND, COMMENT_KIND = 0, 1, 2


def count_items(session: Session, project: Project) -> int:
    """The number of items in a project's context: itself, its updates and its visible comments."""
    return session.scalar(select(func.count()).select_from(_select_items(project))) or 0


def list_page(
    session: Session, project: Project, number: int, licence: str | None
) -> Page[str | JsonObject]:
    """The page `number` of a project's context: the project, then the oldest item first.

    Local documents are embedded, remote ones are given by their ids. `licence` is the address of
    the licence of the project's texts.
    """
    items = _select_items(project)
    order = items.c.kind != PROJECT_KIND, items.c.at, items.c.kind, items.c.id
    query: Select[Any] = select(Bundle("item", items.c.kind, items.c.id)).order_by(*order)
    page = uncounted_page(session, query, number, PAGE_SIZE, MAX_ROW_ID // PAGE_SIZE)
    return page.with_rows([_build_item(session, row.kind, row.id, licence) for row in page.rows])


def count_discussed_projects(session: Session, council: Council, viewer: Viewer) -> int:
    """The number of projects with comments that `viewer` may see."""
    return session.scalar(_select_discussed(council, viewer).with_only_columns(func.count())) or 0


def list_contexts(
    session: Session, council: Council, viewer: Viewer, after: int
) -> Page[JsonObject]:
    """The contexts of projects with comments that `viewer` may see, with their `totalItems` only,
    for projects with a row id above `after`.
    """
    updates = select(func.count()).where(
        Update.project_id == Project.id, Update.state == UpdateState.published
    )
    comments = _select_comment_count().where(Comment.project_id == Project.id)
    total_items = 1 + updates.scalar_subquery() + comments.scalar_subquery()
    query: Select[Any] = _select_discussed(council, viewer).with_only_columns(
        Bundle("context", Project.id, Project.uri, total_items.label("total"))
    )
    page = page_by_key(session, query, Project.id, after, MAX_LISTED)
    contexts = [
        Collection(local_uris.project_context(row.uri), total_items=row.total).dump(context=False)
        for row in page.rows
    ]
    return page.with_rows(contexts)


def _select_discussed(council: Council, viewer: Viewer) -> Select[Project]:
    has_comments = _select_comment_count().where(Comment.project_id == Project.id).exists()
    return projects.select_with_readable_document(council, viewer).where(has_comments)


def _select_comment_count() -> Select[int]:
    is_shown = Comment.state == CommentState.shown, ~Actor.is_blocked
    return select(func.count(Comment.id)).join(Comment.author).where(*is_shown)


def _select_items(project: Project) -> Subquery:
    itself = select(
        literal(PROJECT_KIND, Integer).label("kind"),
        Project.id.label("id"),
        Project.published_at.label("at"),
    ).where(Project.id == project.id)
    updates = select(literal(UPDATE_KIND, Integer), Update.id, Update.published_at).where(
        Update.project_id == project.id, Update.state == UpdateState.published
    )
    comments = (
        select(literal(COMMENT_KIND, Integer), Comment.id, Comment.published_at)
        .join(Comment.author)
        .where(Comment.project_id == project.id, Comment.state == CommentState.shown)
        .where(~Actor.is_blocked)
    )
    return union_all(itself, updates, comments).subquery()


def _build_item(session: Session, kind: int, row_id: int, licence: str | None) -> str | JsonObject:
    if kind == PROJECT_KIND:
        return to_article(session.get_one(Project, row_id), licence).dump(context=False)
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
