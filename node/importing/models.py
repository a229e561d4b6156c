"""Records where a project was imported from, so that importing a file again finds it."""

from datetime import datetime

from sqlalchemy import JSON, Connection, ForeignKey, String, event, inspect, update
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from node.database.tables import Base, now
from node.projects.models import Project, ProjectState


class ImportRecord(Base):
    """The import of one project.

    `source` is the digest of the project's key in its file (`matching.source_digest`). `version` is
    the project's version after the last import: a higher one was written by an officer since.
    `people` watched the project or took part in it where it comes from, and have no account here:
    mappings of `name`, `email` and `standing`, shown to our own officers only.
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
    """Delete the personal data of an import when its project is deleted."""
    if project.state is ProjectState.deleted and inspect(project).attrs.state.history.has_changes():
        records = update(ImportRecord).where(ImportRecord.project_id == project.id)
        connection.execute(records.values(people=[]))
