"""The model of an offer to hand over a project."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base, now
from node.people.models import User
from node.projects.models import Project
from node.queue.mixins import StateMixin


class HandOver(StateMixin, Base):
    """An offer of a project by `by_user` to `to_user`. A project has at most one in the state
    `offered`.
    """

    __tablename__ = "hand_over"
    __table_args__ = (Index(None, "to_user_id", "state"), Index(None, "project_id", "state"))

    STATES = {  # noqa: RUF012 -- a constant table
        "offered": frozenset({"accepted", "declined", "withdrawn"}),
        "accepted": frozenset(),
        "declined": frozenset(),
        "withdrawn": frozenset(),
    }

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    to_user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    note: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[str] = mapped_column(String(20), default="offered")
    at: Mapped[datetime] = mapped_column(default=now)
    decided_at: Mapped[datetime | None]
    project: Mapped[Project] = relationship()
    by_user: Mapped[User | None] = relationship(foreign_keys=by_user_id)
    to_user: Mapped[User] = relationship(foreign_keys=to_user_id)
