"""Webhooks and the messages to them. The message rows are the queue."""

import secrets
from base64 import b64encode
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base, Uri, now
from node.people.models import User
from node.queue.mixins import QueueMixin

SECRET_PREFIX = "whsec_"  # noqa: S105 -- a prefix


def new_secret() -> str:
    return SECRET_PREFIX + b64encode(secrets.token_bytes(32)).decode()


class Webhook(Base):
    """A URL that is sent `events`. `tells_all` includes projects that are not public. After a
    change of `secret`, messages are signed with `old_secret` too for a while.

    `failing_since` is when the first of the latest uninterrupted failures occurred. A webhook with
    `off_at` is sent nothing until it is switched on. One with `removed_at` is hidden, and deleted
    once its messages are.
    """

    __tablename__ = "webhook"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    url: Mapped[str] = mapped_column(Uri)
    events: Mapped[list[str]] = mapped_column(JSON)
    tells_all: Mapped[bool] = mapped_column(default=False)
    secret: Mapped[str] = mapped_column(String(60), default=new_secret)
    old_secret: Mapped[str | None] = mapped_column(String(60))
    changed_secret_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    failing_since: Mapped[datetime | None]
    off_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    user: Mapped[User] = relationship()


class WebhookMessage(QueueMixin, Base):
    """One message to one webhook. `reference` identifies it to the receiver, the same at each
    attempt. `status` is that of the last response; without one, `answer` says why.
    """

    __tablename__ = "webhook_message"
    __table_args__ = (
        Index(None, "state", "due_at"),
        Index(None, "state", "finished_at"),
        Index(None, "webhook_id", "id"),
    )

    JOB, WAITING_STATE, REASON_COLUMN = "webhooks", "pending", "answer"
    STATES = {  # noqa: RUF012 -- a constant table
        "pending": frozenset({"delivered", "failed"}),
        "failed": frozenset({"pending"}),
        "delivered": frozenset(),
    }

    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    reference: Mapped[str] = mapped_column(
        String(40), unique=True, default=lambda: f"msg_{secrets.token_urlsafe(18)}"
    )
    event: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    tried_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    status: Mapped[int | None]
    answer: Mapped[str] = mapped_column(String(300), default="")
    webhook: Mapped[Webhook] = relationship()
