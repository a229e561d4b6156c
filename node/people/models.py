"""Accounts, their roles and their sessions. `permissions` defines what a role may do."""

from datetime import datetime

from flask_security import RoleMixin, UserMixin
from sqlalchemy import Column, ForeignKey, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base, now
from node.principal import Principal, Via

user_role = Table(
    "user_role",
    Base.metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("role.id", ondelete="CASCADE"), primary_key=True),
)


class Role(Base, RoleMixin):
    """One of `permissions.ROLES`: officer, coordinator, moderator, operator."""

    __tablename__ = "role"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)


class User(Base, UserMixin):
    """A person who signs in with an email address and a password (argon2).

    `language` is the one that they chose for pages and emails; None for the default.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password: Mapped[str | None] = mapped_column(String(255))
    language: Mapped[str | None] = mapped_column(String(10))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    roles: Mapped[list[Role]] = relationship(secondary=user_role)  # type: ignore[assignment]

    def to_principal(self, via: Via | None = None) -> Principal:
        return Principal.person(self.id, self.email, via)


class UserSession(Base):
    """A browser in which a user signed in. Ends when the user signs out, or when either limit of
    the settings has passed; see `node.people.sessions`.

    `digest` and `device_digest` are SHA-256 of the secrets in two cookies: that of this session,
    and that of the device, which lasts from one session to the next. `browser` and `system` are
    from the User-Agent header, such as Firefox and Windows; empty if unknown.
    """

    __tablename__ = "user_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    device_digest: Mapped[str] = mapped_column(String(64), index=True)
    browser: Mapped[str] = mapped_column(String(40), default="")
    system: Mapped[str] = mapped_column(String(40), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now, index=True)
    ended_at: Mapped[datetime | None]
    user: Mapped[User] = relationship()
