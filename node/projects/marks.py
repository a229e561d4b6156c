"""What changes a project leaves a mark, in the same transaction: the index of it is made anew soon
after the commit, whoever changed it and how.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, event, insert, inspect, select
from sqlalchemy.orm import Mapper, Session, object_session

from node.councils.models import Council
from node.projects.models import Mark, Project

JOB = "search"
# Where a session keeps the ids of projects that it marked one by one.
MARKED = "marked"
# What of a council is shown with its projects, or decides what of them is found.
SHOWN = ("name", "region")
_PROJECTS = select(Project.id).where(Project.uri.in_(bindparam("uris", expanding=True)))
INSERT_MARKS = insert(Mark).from_select(["project_id"], _PROJECTS)


def by_uri(session: Session, uris: Sequence[str]) -> None:
    """These projects have changed, by a statement and not one by one."""
    session.connection().execute(INSERT_MARKS, {"uris": list(uris)})
    wake_after(session)


def wake_after(session: Session) -> None:
    """Have the index made anew after the commit of this session."""
    session.info.setdefault("wake", set()).add(JOB)


@event.listens_for(Project, "after_insert")
@event.listens_for(Project, "after_update")
@event.listens_for(Project, "after_delete")
def _changed(_mapper: "Mapper[Project]", connection: Connection, project: Project) -> None:
    connection.execute(insert(Mark), {"project_id": project.id})
    session = object_session(project)
    if session is not None:
        session.info.setdefault(MARKED, set()).add(project.id)
        wake_after(session)


@event.listens_for(Council, "after_update")
def _council_changed(_mapper: "Mapper[Council]", connection: Connection, council: Council) -> None:
    state = inspect(council)
    if any(state.attrs[name].history.has_changes() for name in SHOWN):
        theirs = select(Project.id).where(Project.council_id == council.id)
        connection.execute(insert(Mark).from_select(["project_id"], theirs))
        session = object_session(council)
        if session is not None:
            wake_after(session)
