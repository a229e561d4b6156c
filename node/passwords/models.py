"""Requests for a new password."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from node.database.tables import Base, now


class PasswordReset(Base):
    """A request for a new password for the account `email`, which need not exist.

    Once the job has processed it, it has a `user_id`, and the `digest` of the key in the emailed
    link. A key is valid once, for `service.KEY_LIFETIME`.
    """

    __tablename__ = "password_reset"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255))
    asked_at: Mapped[datetime] = mapped_column(default=now, index=True)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    digest: Mapped[str | None] = mapped_column(String(64), unique=True)
