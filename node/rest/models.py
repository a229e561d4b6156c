"""API tokens, with which programs act on behalf of the user who created them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base, now
from node.people.models import User


class TokenScope(StrEnum):
    """What a token permits."""

    read = "read"
    write_projects = "write:projects"
    write_updates = "write:updates"
    webhooks = "webhooks"


class ApiToken(Base):
    """An API token. Only its SHA-256 `digest` is stored; `beginning`, its first characters, lets
    its owner recognise it. It is valid until it expires or is revoked, or its owner's account is
    closed.
    """

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    beginning: Mapped[str] = mapped_column(String(12))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    user: Mapped[User] = relationship()

    @property
    def is_valid(self) -> bool:
        return self.revoked_at is None and self.expires_at > now() and self.user.active
