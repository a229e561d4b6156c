"""Unsaved form input."""

from datetime import datetime
from secrets import token_urlsafe

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.database.tables import Base, now


class UnsavedInput(Base):
    """The input of one user, visible to them alone, in the form at `path`. `fields` is a list of
    [name, value] pairs.
    """

    __tablename__ = "unsaved"
    __table_args__ = (UniqueConstraint("user_id", "path"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(40), unique=True, default=lambda: token_urlsafe(18))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(String(500))
    fields: Mapped[list[list[str]]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
