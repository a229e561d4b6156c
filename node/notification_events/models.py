"""Events to notify users of, and what users follow. Neither leaves this node."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.database.tables import Base, Uri, now
from node.queue.mixins import StateMixin


class NotificationEvent(StateMixin, Base):
    """An event that users are notified of. `kind` names a
    `node.notification_kinds.NotificationKind`.

    `subject_uri` is the id of the update or comment, if the event is about one. `to` (user ids) and
    `roles` name recipients besides the followers. `details` fill in the sentence. `by_user_id`
    is the author, who is not notified, if it is a user. `path` is the page to link to, if not that
    of the project or the update.
    """

    __tablename__ = "happening"
    __table_args__ = (Index(None, "state", "id"),)

    JOB, WAITING_STATE = "notices", "new"
    STATES = {  # noqa: RUF012 -- a constant table
        "new": frozenset({"told", "failed"}),
        "told": frozenset(),
        "failed": frozenset(),
    }

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    project_id: Mapped[int | None] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), index=True
    )
    subject_uri: Mapped[str | None] = mapped_column(Uri, index=True)
    to: Mapped[list[int]] = mapped_column(JSON, default=list)
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    details: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    path: Mapped[str] = mapped_column(String(500), default="")
    by_user_id: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(default=now)
    state: Mapped[str] = mapped_column(String(20), default=WAITING_STATE)


class Watch(Base):
    """A user follows exactly one of a project, a council and a tag."""

    __tablename__ = "watch"
    __table_args__ = (
        UniqueConstraint("user_id", "project_id"),
        UniqueConstraint("user_id", "council_id"),
        UniqueConstraint("user_id", "tag"),
        CheckConstraint(
            "(project_id IS NULL AND council_id IS NULL AND tag IS NOT NULL)"
            " OR (project_id IS NULL AND council_id IS NOT NULL AND tag IS NULL)"
            " OR (project_id IS NOT NULL AND council_id IS NULL AND tag IS NULL)",
            name="one",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    project_id: Mapped[int | None] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), index=True
    )
    council_id: Mapped[int | None] = mapped_column(
        ForeignKey("council.id", ondelete="CASCADE"), index=True
    )
    tag: Mapped[str | None] = mapped_column(String(100), index=True)
    since: Mapped[datetime] = mapped_column(default=now)
