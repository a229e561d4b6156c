"""The answers. What they answer is data: see `definitions`."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.api import Base, Uri, now


class Answer(Base):
    """The newest answer to one question of one checklist about one project, and who gave it."""

    __tablename__ = "checklists__answer"
    __table_args__ = (UniqueConstraint("project_uri", "checklist", "question"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_uri: Mapped[str] = mapped_column(Uri)
    checklist: Mapped[str] = mapped_column(String(100))
    question: Mapped[str] = mapped_column(String(20))
    answer: Mapped[str] = mapped_column(String(20))
    by: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(default=now)
