"""Lists and counts a user's notifications and marks them as read. Notifications about items that
the user may not see, or no longer may, are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, update
from sqlalchemy.orm import Session

from node.access.viewer import viewer_with_roles
from node.conversations.models import Comment, CommentState
from node.database.tables import now
from node.errors import NotFoundError
from node.federating.models import Actor
from node.messages import msg
from node.notification_events.models import NotificationEvent
from node.notifications.models import Notification
from node.pagination import Page, page_by_number
from node.people.models import User
from node.projects import service as projects
from node.projects import visibility as project_visibility
from node.projects.models import Project, ProjectState
from node.projects.notifications import DELETED
from node.runtime import Node, UnitOfWork
from node.updates.models import Update, UpdateState

PAGE_SIZE = 20
# Unread notifications are counted up to this number; pages then show that there are more.
MAX_COUNTED = 99

SubjectModel = TypeVar("SubjectModel", Update, Comment)


@dataclass(frozen=True)
class NotificationDetails:
    """A notification with the project, update and comment that it is about, if any."""

    notification: Notification
    project: Project | None
    update: Update | None
    comment: Comment | None

    @property
    def path(self) -> str:
        """The path of its page on this node; empty if the subject no longer exists."""
        if self.notification.happening.path:
            return self.notification.happening.path
        if self.project is None or self.project.state is ProjectState.deleted:
            return ""
        if self.update is not None:
            return f"/updates/{self.update.token}"
        page = f"/projects/{self.project.token}"
        return f"{page}#comment-{self.comment.token}" if self.comment else page


def list_page(
    node: Node, session: Session, user: User, number: int = 1
) -> tuple[Page[NotificationDetails], int]:
    """A page of the notifications that `user` may see, newest first, and how many of all are
    unread.
    """
    visible = select_visible(node, user)
    counts = visible.with_only_columns(func.count(), func.count(Notification.read_at)).order_by(
        None
    )
    total, read = session.execute(counts).one()
    newest_first = visible.order_by(Notification.id.desc())
    page = page_by_number(session, newest_first, number, PAGE_SIZE, total)
    return page.with_rows(load_details(session, page.rows)), total - read


def count_unread(node: Node, session: Session, user: User) -> int:
    """The number of unread notifications, counted up to `MAX_COUNTED` + 1."""
    unread = select_visible(node, user).where(Notification.read_at.is_(None)).limit(MAX_COUNTED + 1)
    counted = unread.with_only_columns(Notification.id).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(counted)) or 0


def mark_read(work: UnitOfWork, user: User, notification_id: int) -> Notification:
    """Mark a notification as read. Raises `NotFoundError` if it is not the user's."""
    notification = work.session.get(Notification, notification_id)
    if notification is None or notification.user_id != user.id:
        raise NotFoundError(msg("Notification not found."))
    notification.read_at = notification.read_at or now()
    return notification


def mark_all_read(work: UnitOfWork, user: User, newest: int) -> None:
    """Mark all notifications up to the id `newest` as read: those that the user saw."""
    unread = (
        Notification.user_id == user.id,
        Notification.id <= newest,
        Notification.read_at.is_(None),
    )
    work.session.execute(update(Notification).where(*unread).values(read_at=now()))


def select_visible(node: Node, user: User) -> Select[Notification]:
    """The notifications of `user` that they may see now, of the kinds that still exist."""
    is_known_kind = NotificationEvent.kind.in_(node.notification_kinds)
    return (
        select(Notification)
        .join(Notification.happening)
        .outerjoin(Project, Project.id == NotificationEvent.project_id)
        .where(
            Notification.user_id == user.id,
            is_known_kind,
            _is_visible_to(node, user),
            _subject_exists(),
        )
    )


def load_details(
    session: Session, notifications: Sequence[Notification]
) -> list[NotificationDetails]:
    """Load the projects, updates and comments that notifications are about."""
    events = [notification.happening for notification in notifications]
    ids = {event.project_id for event in events}
    uris = {event.subject_uri for event in events if event.subject_uri}
    query = projects.eager_load_councils(select(Project).where(Project.id.in_(ids)))
    projects_by_id = {row.id: row for row in session.scalars(query)}
    updates = _index_by_uri(session, Update, uris)
    comments = _index_by_uri(session, Comment, uris)
    return [
        NotificationDetails(
            notification,
            projects_by_id.get(event.project_id or 0),
            updates.get(event.subject_uri or ""),
            comments.get(event.subject_uri or ""),
        )
        for notification, event in zip(notifications, events, strict=True)
    ]


def _index_by_uri(
    session: Session, model: type[SubjectModel], uris: set[str]
) -> Mapping[str, SubjectModel]:
    rows = session.scalars(select(model).where(model.uri.in_(uris))) if uris else ()
    return {row.uri: row for row in rows}


def _is_visible_to(node: Node, user: User) -> ColumnElement[bool]:
    """Condition for notifications about a project that `user` may see, or about none. That a
    project was deleted is shown to those who could read it: nothing else of it remains.
    """
    viewer = viewer_with_roles((role.name for role in user.roles), node.hooks)
    is_deletion = Project.state == ProjectState.deleted, NotificationEvent.kind == DELETED.name
    return or_(
        NotificationEvent.project_id.is_(None),
        project_visibility.is_visible_to(viewer, include_drafts=True),
        and_(*is_deletion, project_visibility.is_readable_by(viewer)),
    )


def _subject_exists() -> ColumnElement[bool]:
    """Condition for notifications whose update or comment, if any, still exists and is shown."""
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
