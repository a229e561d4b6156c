"""What somebody is told, how they want to hear of it, and by which address of theirs."""

import secrets
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.db import Base, now
from node.events.models import NotificationEvent
from node.people.models import User


class Notification(Base):
    """A happening as told to one person. `waits_for` is the e-mail that it is to be in: `once`,
    `daily` or `weekly`; none where it is in none, or has been.
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
    """How somebody hears of one topic, where they chose otherwise than what is usual."""

    __tablename__ = "notice_choice"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    topic: Mapped[str] = mapped_column(String(20), primary_key=True)
    way: Mapped[str] = mapped_column(String(10))


class NotificationSubscriber(Base):
    """Somebody who may get e-mails of notices.

    `token` ends them without signing in: random, so that it outlives every key of the node.
    `mailed_at` is when they last got one of news at once.
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
