"""What changes a project leaves a mark, in the same transaction: the index of it is made anew soon
after the commit, whoever changed it and how.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, event, insert, inspect, select
from sqlalchemy.orm import Mapper, Session, object_session

from node.councils.models import Council
from node.projects.models import Project, ReindexRequest

JOB = "search"
# Where a session keeps the ids of projects that it marked one by one.
MARKED_KEY = "marked"
# What of a council is shown with its projects, or decides what of them is found.
INDEXED_COUNCIL_COLUMNS = ("name", "region")
_PROJECTS = select(Project.id).where(Project.uri.in_(bindparam("uris", expanding=True)))
INSERT_REQUESTS = insert(ReindexRequest).from_select(["project_id"], _PROJECTS)


def enqueue(session: Session, uris: Sequence[str]) -> None:
    """These projects have changed, by a statement and not one by one."""
    session.connection().execute(INSERT_REQUESTS, {"uris": list(uris)})
    wake_after_commit(session)


def wake_after_commit(session: Session) -> None:
    """Have the index made anew after the commit of this session."""
    session.info.setdefault("wake", set()).add(JOB)


@event.listens_for(Project, "after_insert")
@event.listens_for(Project, "after_update")
@event.listens_for(Project, "after_delete")
def _on_project_change(
    _mapper: "Mapper[Project]", connection: Connection, project: Project
) -> None:
    connection.execute(insert(ReindexRequest), {"project_id": project.id})
    session = object_session(project)
    if session is not None:
        session.info.setdefault(MARKED_KEY, set()).add(project.id)
        wake_after_commit(session)


@event.listens_for(Council, "after_update")
def _on_council_change(
    _mapper: "Mapper[Council]", connection: Connection, council: Council
) -> None:
    state = inspect(council)
    if any(state.attrs[name].history.has_changes() for name in INDEXED_COUNCIL_COLUMNS):
        theirs = select(Project.id).where(Project.council_id == council.id)
        connection.execute(insert(ReindexRequest).from_select(["project_id"], theirs))
        session = object_session(council)
        if session is not None:
            wake_after_commit(session)
