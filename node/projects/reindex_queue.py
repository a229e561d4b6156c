"""Queues projects for indexing in the transaction that changes them.

The search job is woken after the commit.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, event, insert, inspect, select
from sqlalchemy.orm import Mapper, Session, object_session

from node.councils.models import Council
from node.projects.models import Project, ReindexRequest

JOB = "search"
# Key of `session.info` for the ids of projects that the session queued one by one.
QUEUED_PROJECTS_KEY = "marked"
# Columns of a council that are shown with its projects or searched.
INDEXED_COUNCIL_COLUMNS = ("name", "region")
_SELECT_PROJECT_IDS = select(Project.id).where(Project.uri.in_(bindparam("uris", expanding=True)))
INSERT_REQUESTS = insert(ReindexRequest).from_select(["project_id"], _SELECT_PROJECT_IDS)


def enqueue(session: Session, uris: Sequence[str]) -> None:
    """Queue projects that were changed by a statement rather than as objects of the session."""
    session.connection().execute(INSERT_REQUESTS, {"uris": list(uris)})
    wake_after_commit(session)


def wake_after_commit(session: Session) -> None:
    """Wake the search job after the commit of this session."""
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
        session.info.setdefault(QUEUED_PROJECTS_KEY, set()).add(project.id)
        wake_after_commit(session)


@event.listens_for(Council, "after_update")
def _on_council_change(
    _mapper: "Mapper[Council]", connection: Connection, council: Council
) -> None:
    state = inspect(council)
    if any(state.attrs[name].history.has_changes() for name in INDEXED_COUNCIL_COLUMNS):
        project_ids = select(Project.id).where(Project.council_id == council.id)
        connection.execute(insert(ReindexRequest).from_select(["project_id"], project_ids))
        session = object_session(council)
        if session is not None:
            wake_after_commit(session)
