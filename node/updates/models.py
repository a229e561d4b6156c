"""An update of a project: what changed, what is next, what is needed."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.db import Base, now
from node.federating.models import Actor, Uri
from node.projects.models import Project, new_token


class State(StrEnum):
    """An update is told at once; what was deleted leaves a trace."""

    published = "published"
    deleted = "deleted"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.published: frozenset({State.deleted}),
    State.deleted: frozenset(),
}


class Update(Base):
    """`changed`, `next` and `needs` are Markdown as written (empty for those of other councils);
    `content` is the sanitised HTML of all three. `author` is the council's actor.
    """

    __tablename__ = "project_update"
    __table_args__ = (Index(None, "project_id", "state", "published_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(20), unique=True, default=new_token)
    uri: Mapped[str] = mapped_column(Uri, unique=True)
    url: Mapped[str] = mapped_column(Uri)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"))
    changed: Mapped[str] = mapped_column(Text, default="")
    next: Mapped[str] = mapped_column(Text, default="")
    needs: Mapped[str] = mapped_column(Text, default="")
    content: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(10), default="en")
    state: Mapped[State] = mapped_column(
        Enum(State, native_enum=False, length=20), default=State.published
    )
    version: Mapped[int] = mapped_column(default=1)
    published_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]
    project: Mapped[Project] = relationship()
    author: Mapped[Actor] = relationship()
