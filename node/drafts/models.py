"""The model of a draft review."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base, now
from node.people.models import User
from node.projects.models import Project
from node.queue.mixins import StateMixin


class DraftReview(StateMixin, Base):
    """`by_user` requests a review from `to_user`, or from any coordinator if that is None. `note`
    says what to look at, `answer` why the draft was sent back. A draft has at most one review in
    the state `asked`.
    """

    __tablename__ = "review"
    __table_args__ = (Index(None, "project_id", "state"), Index(None, "to_user_id", "state"))

    STATES = {  # noqa: RUF012 -- a constant table
        "asked": frozenset({"passed", "returned", "withdrawn"}),
        "passed": frozenset(),
        "returned": frozenset(),
        "withdrawn": frozenset(),
    }

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    to_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    note: Mapped[str] = mapped_column(String(1000), default="")
    answer: Mapped[str] = mapped_column(String(1000), default="")
    state: Mapped[str] = mapped_column(String(20), default="asked")
    at: Mapped[datetime] = mapped_column(default=now)
    decided_at: Mapped[datetime | None]
    project: Mapped[Project] = relationship()
    by_user: Mapped[User | None] = relationship(foreign_keys=by_user_id)
    to_user: Mapped[User | None] = relationship(foreign_keys=to_user_id)
    decided_by: Mapped[User | None] = relationship(foreign_keys=decided_by_id)
