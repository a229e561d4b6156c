"""A project of this council or of another.

`uri` is its ActivityPub id, `token` its name in our own addresses.
"""

import secrets
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.councils.models import Council
from node.db import Base, now


class Phase(StrEnum):
    """The phases of the Service Manual, with the ones before and after it."""

    concept = "concept"
    discovery = "discovery"
    alpha = "alpha"
    beta = "beta"
    live = "live"
    retired = "retired"


class State(StrEnum):
    """Where a project stands with its readers. How it may move is `TRANSITIONS`."""

    draft = "draft"
    published = "published"
    deleted = "deleted"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.draft: frozenset({State.published, State.deleted}),
    State.published: frozenset({State.deleted}),
    State.deleted: frozenset(),
}


def new_token() -> str:
    """72 random bits: short in an address, and not to be guessed."""
    return secrets.token_urlsafe(9)


class Project(Base):
    """`brief` is Markdown as written (empty for remote projects); `content` is its sanitised HTML,
    ready to show.

    `version` counts the changes of a local project, so that two people editing at once find out.
    """

    __tablename__ = "project"
    __table_args__ = (
        Index(None, "state", "changed_at"),
        Index(None, "council_id", "state", "changed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(20), unique=True, default=new_token)
    uri: Mapped[str] = mapped_column(String(2000), unique=True)
    url: Mapped[str] = mapped_column(String(2000))
    council_id: Mapped[int] = mapped_column(ForeignKey("council.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(300))
    summary: Mapped[str] = mapped_column(String(500), default="")
    phase: Mapped[Phase] = mapped_column(Enum(Phase, native_enum=False, length=20))
    brief: Mapped[str] = mapped_column(Text, default="")
    content: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[State] = mapped_column(Enum(State, native_enum=False, length=20))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    published_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    council: Mapped[Council] = relationship(lazy="joined")

    @property
    def is_local(self) -> bool:
        return self.council.is_local

    def erase(self) -> None:
        """Forget what was written; that there was a project is all that a deleted one keeps."""
        self.title = self.summary = self.brief = self.content = ""
