"""The comment table: comments on projects and updates, and replies to comments."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base, Uri, now
from node.federating.models import Actor
from node.projects.models import Project, new_token


class CommentState(StrEnum):
    """`held` waits for a moderator, who may hide it; `deleted` was deleted by its author."""

    shown = "shown"
    held = "held"
    hidden = "hidden"
    deleted = "deleted"


STATE_TRANSITIONS: dict[CommentState, frozenset[CommentState]] = {
    CommentState.held: frozenset({CommentState.shown, CommentState.hidden, CommentState.deleted}),
    CommentState.shown: frozenset({CommentState.held, CommentState.hidden, CommentState.deleted}),
    CommentState.hidden: frozenset({CommentState.shown, CommentState.deleted}),
    # When the author's server publishes the comment again.
    CommentState.deleted: frozenset({CommentState.shown}),
}


class Comment(Base):
    """A comment, local or remote.

    `content` is sanitised HTML; `source` is the Markdown of a local comment. `in_reply_to` is the
    id of the project, update or comment that it replies to. `language` is a tag (BCP 47), or empty.
    `warning` is a content warning in plain text, which hides the content until it is opened.
    """

    __tablename__ = "comment"
    __table_args__ = (
        Index(None, "project_id", "state", "published_at"),
        Index(None, "author_id", "received_at"),
        Index(None, "state", "received_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(20), unique=True, default=new_token)
    uri: Mapped[str] = mapped_column(Uri, unique=True)
    url: Mapped[str] = mapped_column(Uri)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"))
    in_reply_to: Mapped[str] = mapped_column(Uri)
    source: Mapped[str] = mapped_column(Text, default="")
    content: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(35), default="")
    warning: Mapped[str] = mapped_column(String(300), default="")
    state: Mapped[CommentState] = mapped_column(
        Enum(CommentState, native_enum=False, length=20), default=CommentState.held
    )
    published_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    received_at: Mapped[datetime] = mapped_column(default=now)
    project: Mapped[Project] = relationship()
    author: Mapped[Actor] = relationship()
