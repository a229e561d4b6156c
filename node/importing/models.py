"""Where a project of ours was imported from, so that the same file does not make it twice."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.db import Base, now
from node.projects.models import Project


class Imported(Base):
    """`source` is a digest of the address, or the title, that a file gave; `version` that of the
    project when it was last imported: a later one was written by somebody here.
    """

    __tablename__ = "imported_project"

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(64), unique=True)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), index=True
    )
    version: Mapped[int]
    imported_at: Mapped[datetime] = mapped_column(default=now)
    project: Mapped[Project] = relationship()
