"""Reminders that were sent, so that none is sent twice."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base, now
from node.projects.models import Project


class Reminder(Base):
    """A reminder that the review of a project, due on `review_on`, was not done.

    `step` is `nudge-<weeks>` for the owner, `escalation` for the coordinators.
    """

    __tablename__ = "reminder"
    __table_args__ = (UniqueConstraint("project_id", "review_on", "step"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    review_on: Mapped[date]
    step: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(default=now)
    project: Mapped[Project] = relationship()
