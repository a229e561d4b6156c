"""Notifications, users' notification settings, and their tokens to unsubscribe."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ForeignKey, Index, String, UniqueConstraint, and_, exists
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base, now
from node.notification_events.models import NotificationEvent
from node.people.models import User
from node.queue.pruning import MaxAge, MaxRows, Retention

MAX_AGE, MAX_PER_PERSON = timedelta(days=180), 1_000


class Notification(Base):
    """An event as shown to one user. `waits_for` is the email it is waiting for: `once`, `daily` or
    `weekly`; None if it is not to be emailed, or has been.
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("user_id", "happening_id"),
        Index(None, "user_id", "id"),
        Index(None, "user_id", "read_at"),
        Index(None, "waits_for", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    happening_id: Mapped[int] = mapped_column(
        ForeignKey("happening.id", ondelete="CASCADE"), index=True
    )
    topic: Mapped[str] = mapped_column(String(20))
    waits_for: Mapped[str | None] = mapped_column(String(10))
    at: Mapped[datetime] = mapped_column(default=now)
    read_at: Mapped[datetime | None]
    happening: Mapped[NotificationEvent] = relationship(lazy="joined", innerjoin=True)


class NotificationPreference(Base):
    """How a user wants to be notified of one topic: `way` is a `MailFrequency`. Absent where the
    default applies.
    """

    __tablename__ = "notice_choice"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    topic: Mapped[str] = mapped_column(String(20), primary_key=True)
    way: Mapped[str] = mapped_column(String(10))


class NotificationSubscriber(Base):
    """A user who may get emails of notifications.

    `token` lets them unsubscribe without signing in; it is stored rather than signed, so that links
    survive a change of the node's keys. `mailed_at` is when the last immediate email was sent.
    """

    __tablename__ = "notice_subscriber"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    token: Mapped[str] = mapped_column(
        String(40), unique=True, default=lambda: secrets.token_urlsafe(24)
    )
    mailed_at: Mapped[datetime | None]
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


def _is_event_without_notification() -> ColumnElement[bool]:
    is_processed = NotificationEvent.state != NotificationEvent.WAITING_STATE
    return and_(is_processed, ~exists().where(Notification.happening_id == NotificationEvent.id))


RETENTION = (
    Retention(
        "notifications",
        Notification,
        (
            MaxAge(Notification.at, lambda _: MAX_AGE),
            MaxRows(lambda _: MAX_PER_PERSON, Notification.id, per=Notification.user_id),
        ),
    ),
    Retention("events", NotificationEvent, may_go=_is_event_without_notification),
)
