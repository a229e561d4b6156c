"""Outgoing emails. The rows are the queue."""

import secrets
from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from node.database.tables import Base, Uri, now
from node.queue.mixins import QueueMixin


class Mail(QueueMixin, Base):
    """An outgoing email. `recipient` is a bare address. `html` is empty for a text-only email.

    `unsubscribe` is the URL of the one-click unsubscription (RFC 8058); empty for emails about the
    account. `answer` is why the last attempt failed. `reference` identifies the email to the
    transport and its service.
    """

    __tablename__ = "mail"
    __table_args__ = (Index(None, "state", "due_at"), Index(None, "state", "finished_at"))

    JOB, WAITING_STATE, REASON_COLUMN = "mail", "pending", "answer"
    STATES = {  # noqa: RUF012 -- a constant table
        "pending": frozenset({"sent", "failed"}),
        "failed": frozenset({"pending"}),
        "sent": frozenset(),
    }

    reference: Mapped[str] = mapped_column(
        String(40), unique=True, default=lambda: secrets.token_urlsafe(18)
    )
    recipient: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text, default="")
    unsubscribe: Mapped[str] = mapped_column(Uri, default="")
    language: Mapped[str] = mapped_column(String(10), default="en")
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(String(500), default="")
