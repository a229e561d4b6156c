"""That somebody asked for a new password."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from node.db import Base, now


class PasswordReset(Base):
    """Somebody asked for a new password for the account with the address `email`, if there is one.

    Once it was looked at, there is `user_id`, and `digest`: all that is kept of the key in the
    link that was sent. A key is good once, and not for long.
    """

    __tablename__ = "password_reset"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255))
    asked_at: Mapped[datetime] = mapped_column(default=now, index=True)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    digest: Mapped[str | None] = mapped_column(String(64), unique=True)
