"""What somebody is told: read, counted and marked as read. Nobody is shown a notice of what they
may not see, or no longer may.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, update
from sqlalchemy.orm import Session

from node.conversations.models import Comment
from node.conversations.models import State as CommentState
from node.db import now
from node.errors import NotFoundError
from node.federating.models import Actor
from node.federating.readers import person
from node.news.models import Happening
from node.notices.models import Notice
from node.people.models import User
from node.projects import service as projects
from node.projects.models import Project, State
from node.projects.news import DELETED
from node.runtime import Node, UnitOfWork
from node.updates.models import State as UpdateState
from node.updates.models import Update
from node.wording import say

PAGE = 20
# Whoever has more unread is told that there are more.
MOST_COUNTED = 99

Row = TypeVar("Row", Update, Comment)


@dataclass(frozen=True)
class Told:
    """A notice, with all that it is shown with. `project` is None where it is about none."""

    notice: Notice
    project: Project | None
    update: Update | None
    comment: Comment | None

    @property
    def path(self) -> str:
        """Where it leads to on this node; nowhere, if what it is about is gone."""
        if self.notice.happening.path:
            return self.notice.happening.path
        if self.project is None or self.project.state is State.deleted:
            return ""
        if self.update is not None:
            return f"/updates/{self.update.token}"
        page = f"/projects/{self.project.token}"
        return f"{page}#comment-{self.comment.token}" if self.comment else page


@dataclass(frozen=True)
class Page:
    """One page of somebody's notices, the newest first. `number` counts from 1."""

    notices: list[Told]
    number: int
    pages: int
    total: int
    unread: int


def listed(node: Node, session: Session, user: User, number: int = 1) -> Page:
    """All that somebody is told and may see."""
    mine = visible(node, user)
    counted = mine.with_only_columns(func.count(), func.count(Notice.read_at)).order_by(None)
    total, read = session.execute(counted).one()
    pages = max(1, -(-total // PAGE))
    number = min(max(1, number), pages)
    newest_first = mine.order_by(Notice.id.desc()).limit(PAGE).offset((number - 1) * PAGE)
    found = session.scalars(newest_first).all()
    return Page(described(session, found), number, pages, total, total - read)


def count_unread(node: Node, session: Session, user: User) -> int:
    """How many somebody has not read, as far as anybody counts."""
    unread = visible(node, user).where(Notice.read_at.is_(None)).limit(MOST_COUNTED + 1)
    few = unread.with_only_columns(Notice.id).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(few)) or 0


def read(work: UnitOfWork, user: User, notice_id: int) -> Notice:
    """Somebody has read one. Raises `NotFoundError` for one of others."""
    notice = work.session.get(Notice, notice_id)
    if notice is None or notice.user_id != user.id:
        raise NotFoundError(say("There is no such notification."))
    notice.read_at = notice.read_at or now()
    return notice


def read_all(work: UnitOfWork, user: User, newest: int) -> None:
    """Somebody has read all up to the one with this number, which is what they saw."""
    unread = Notice.user_id == user.id, Notice.id <= newest, Notice.read_at.is_(None)
    work.session.execute(update(Notice).where(*unread).values(read_at=now()))


def visible(node: Node, user: User) -> Select[Notice]:
    """The notices of somebody that they may see now."""
    kinds = Happening.kind.in_(node.kinds)
    return (
        select(Notice)
        .join(Notice.happening)
        .outerjoin(Project, Project.id == Happening.project_id)
        .where(Notice.user_id == user.id, kinds, _may_see(node, user), _is_there())
    )


def described(session: Session, notices: Sequence[Notice]) -> list[Told]:
    """These notices with what they are about."""
    happened = [one.happening for one in notices]
    ids = {one.project_id for one in happened}
    uris = {one.subject_uri for one in happened if one.subject_uri}
    query = projects.with_councils(select(Project).where(Project.id.in_(ids)))
    about = {row.id: row for row in session.scalars(query)}
    updates = _by_uri(session, Update, uris)
    comments = _by_uri(session, Comment, uris)
    return [
        Told(
            one,
            about.get(one.happening.project_id or 0),
            updates.get(one.happening.subject_uri or ""),
            comments.get(one.happening.subject_uri or ""),
        )
        for one in notices
    ]


def _by_uri(session: Session, model: type[Row], uris: set[str]) -> Mapping[str, Row]:
    rows = session.scalars(select(model).where(model.uri.in_(uris))) if uris else ()
    return {row.uri: row for row in rows}


def _may_see(node: Node, user: User) -> ColumnElement[bool]:
    """What is about a project that somebody may see; and that one was deleted, which says nothing
    else of it.
    """
    reader = person((role.name for role in user.roles), node.hooks)
    is_deleted = Project.state == State.deleted, Happening.kind == DELETED.name
    return or_(
        Happening.project_id.is_(None),
        projects.shown_to(reader),
        projects.drafts_shown_to(reader),
        and_(*is_deleted, projects.shown(reader)),
    )


def _is_there() -> ColumnElement[bool]:
    """An update that was not deleted, or a comment that is shown; if it is about one."""
    updates = select(literal(1)).where(
        Update.uri == Happening.subject_uri, Update.state == UpdateState.published
    )
    comments = (
        select(literal(1))
        .join(Comment.author)
        .where(Comment.uri == Happening.subject_uri, Comment.state == CommentState.shown)
        .where(~Actor.is_blocked)
    )
    return or_(Happening.subject_uri.is_(None), updates.exists(), comments.exists())
