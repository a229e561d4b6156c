"""What changes an update empties its bucket of the council's digest, in the same transaction, and
so does what changes who may read the project.
"""

from sqlalchemy import Connection, event, inspect, select
from sqlalchemy.orm import Mapper

from node.projects.digests import touch
from node.projects.models import Project
from node.updates.models import Update

# What of an update, and of its project, a digest depends on.
COMPARED = ("revision", "state")
COMPARED_OF_PROJECT = ("state", "visibility")


@event.listens_for(Update, "after_insert")
@event.listens_for(Update, "after_delete")
def _came_or_went(_mapper: "Mapper[Update]", connection: Connection, update: Update) -> None:
    _touch(connection, update)


@event.listens_for(Update, "after_update")
def _changed(_mapper: "Mapper[Update]", connection: Connection, update: Update) -> None:
    state = inspect(update)
    if any(state.attrs[name].history.has_changes() for name in COMPARED):
        _touch(connection, update)


@event.listens_for(Project, "after_update")
def _project_changed(_mapper: "Mapper[Project]", connection: Connection, project: Project) -> None:
    state = inspect(project)
    if any(state.attrs[name].history.has_changes() for name in COMPARED_OF_PROJECT):
        touched = select(Update.bucket).where(Update.project_id == project.id).distinct()
        touch(connection, project.council_id, connection.scalars(touched).all())


def _touch(connection: Connection, update: Update) -> None:
    council_id = select(Project.council_id).where(Project.id == update.project_id)
    touch(connection, connection.execute(council_id).scalar_one(), [update.bucket])
