"""What somebody is told: read, counted and marked as read. Nobody is shown a notice of what they
may not see, or no longer may.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, update
from sqlalchemy.orm import Session

from node.conversations.models import Comment, CommentState
from node.db import now
from node.errors import NotFoundError
from node.events.models import NotificationEvent
from node.federating.models import Actor
from node.federating.viewer import viewer_with_roles
from node.messages import msg
from node.notifications.models import Notification
from node.people.models import User
from node.projects import service as projects
from node.projects.models import Project, ProjectState
from node.projects.notifications import DELETED
from node.runtime import Node, UnitOfWork
from node.updates.models import Update, UpdateState

PAGE_SIZE = 20
# Whoever has more unread is told that there are more.
MAX_COUNTED = 99

SubjectRow = TypeVar("SubjectRow", Update, Comment)


@dataclass(frozen=True)
class NotificationDetails:
    """A notice, with all that it is shown with. `project` is None where it is about none."""

    notification: Notification
    project: Project | None
    update: Update | None
    comment: Comment | None

    @property
    def path(self) -> str:
        """Where it leads to on this node; nowhere, if what it is about is gone."""
        if self.notification.happening.path:
            return self.notification.happening.path
        if self.project is None or self.project.state is ProjectState.deleted:
            return ""
        if self.update is not None:
            return f"/updates/{self.update.token}"
        page = f"/projects/{self.project.token}"
        return f"{page}#comment-{self.comment.token}" if self.comment else page


@dataclass(frozen=True)
class NotificationPage:
    """One page of somebody's notices, the newest first. `number` counts from 1."""

    notifications: list[NotificationDetails]
    number: int
    pages: int
    total: int
    unread: int


def list_page(node: Node, session: Session, user: User, number: int = 1) -> NotificationPage:
    """All that somebody is told and may see."""
    mine = select_visible(node, user)
    counted = mine.with_only_columns(func.count(), func.count(Notification.read_at)).order_by(None)
    total, read = session.execute(counted).one()
    pages = max(1, -(-total // PAGE_SIZE))
    number = min(max(1, number), pages)
    newest_first = (
        mine.order_by(Notification.id.desc()).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    )
    found = session.scalars(newest_first).all()
    return NotificationPage(load_details(session, found), number, pages, total, total - read)


def count_unread(node: Node, session: Session, user: User) -> int:
    """How many somebody has not read, as far as anybody counts."""
    unread = select_visible(node, user).where(Notification.read_at.is_(None)).limit(MAX_COUNTED + 1)
    few = unread.with_only_columns(Notification.id).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(few)) or 0


def mark_read(work: UnitOfWork, user: User, notice_id: int) -> Notification:
    """Somebody has read one. Raises `NotFoundError` for one of others."""
    notice = work.session.get(Notification, notice_id)
    if notice is None or notice.user_id != user.id:
        raise NotFoundError(msg("There is no such notification."))
    notice.read_at = notice.read_at or now()
    return notice


def mark_all_read(work: UnitOfWork, user: User, newest: int) -> None:
    """Somebody has read all up to the one with this number, which is what they saw."""
    unread = (
        Notification.user_id == user.id,
        Notification.id <= newest,
        Notification.read_at.is_(None),
    )
    work.session.execute(update(Notification).where(*unread).values(read_at=now()))


def select_visible(node: Node, user: User) -> Select[Notification]:
    """The notices of somebody that they may see now."""
    kinds = NotificationEvent.kind.in_(node.notification_kinds)
    return (
        select(Notification)
        .join(Notification.happening)
        .outerjoin(Project, Project.id == NotificationEvent.project_id)
        .where(
            Notification.user_id == user.id, kinds, _is_visible_to(node, user), _subject_exists()
        )
    )


def load_details(session: Session, notices: Sequence[Notification]) -> list[NotificationDetails]:
    """These notices with what they are about."""
    happened = [one.happening for one in notices]
    ids = {one.project_id for one in happened}
    uris = {one.subject_uri for one in happened if one.subject_uri}
    query = projects.load_councils(select(Project).where(Project.id.in_(ids)))
    about = {row.id: row for row in session.scalars(query)}
    updates = _index_by_uri(session, Update, uris)
    comments = _index_by_uri(session, Comment, uris)
    return [
        NotificationDetails(
            one,
            about.get(one.happening.project_id or 0),
            updates.get(one.happening.subject_uri or ""),
            comments.get(one.happening.subject_uri or ""),
        )
        for one in notices
    ]


def _index_by_uri(
    session: Session, model: type[SubjectRow], uris: set[str]
) -> Mapping[str, SubjectRow]:
    rows = session.scalars(select(model).where(model.uri.in_(uris))) if uris else ()
    return {row.uri: row for row in rows}


def _is_visible_to(node: Node, user: User) -> ColumnElement[bool]:
    """What is about a project that somebody may see; and that one was deleted, which says nothing
    else of it.
    """
    reader = viewer_with_roles((role.name for role in user.roles), node.hooks)
    is_deleted = Project.state == ProjectState.deleted, NotificationEvent.kind == DELETED.name
    return or_(
        NotificationEvent.project_id.is_(None),
        projects.is_visible_to(reader),
        projects.is_visible_draft_to(reader),
        and_(*is_deleted, projects.is_readable_by(reader)),
    )


def _subject_exists() -> ColumnElement[bool]:
    """An update that was not deleted, or a comment that is shown; if it is about one."""
    updates = select(literal(1)).where(
        Update.uri == NotificationEvent.subject_uri, Update.state == UpdateState.published
    )
    comments = (
        select(literal(1))
        .join(Comment.author)
        .where(Comment.uri == NotificationEvent.subject_uri, Comment.state == CommentState.shown)
        .where(~Actor.is_blocked)
    )
    return or_(NotificationEvent.subject_uri.is_(None), updates.exists(), comments.exists())
