"""Where a project of ours was imported from, so that the same file does not make it twice."""

from datetime import datetime

from sqlalchemy import JSON, Connection, ForeignKey, String, event, inspect, update
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from node.db import Base, now
from node.projects.models import Project, ProjectState


class ImportRecord(Base):
    """`source` is a digest of what the project is known by in its file; `version` that of the
    project when it was last imported: a later one was written by somebody here. `people` are those
    who watched the project where it comes from or took part in it, and have no account here: each
    with `name`, `email` and `standing`. Our own people alone see them.
    """

    __tablename__ = "imported_project"

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(64), unique=True)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), index=True
    )
    version: Mapped[int]
    people: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    imported_at: Mapped[datetime] = mapped_column(default=now)
    project: Mapped[Project] = relationship()


@event.listens_for(Project, "after_update")
def _clear_people(_mapper: Mapper[Project], connection: Connection, project: Project) -> None:
    """With a project that is deleted goes who took part in it."""
    if project.state is ProjectState.deleted and inspect(project).attrs.state.history.has_changes():
        theirs = update(ImportRecord).where(ImportRecord.project_id == project.id)
        connection.execute(theirs.values(people=[]))
