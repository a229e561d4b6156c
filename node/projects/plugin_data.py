"""Projects as plugins see them."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.councils import visibility as council_visibility
from node.plugin_api.info import ProjectInfo
from node.projects.models import Project, ProjectState


def to_project_info(project: Project) -> ProjectInfo:
    """The project as plugins see it."""
    return ProjectInfo(
        token=project.token,
        uri=project.uri,
        url=project.url,
        title=project.title,
        summary=project.summary,
        phase=project.phase.value,
        council_name=project.council.name,
        is_local=project.is_local,
        council_uri=project.council.actor.uri,
        visibility=project.visibility.value,
        owner_id=project.owner_id,
        is_draft=project.is_draft,
    )


def find_id(session: Session, uri: str) -> int | None:
    """The row id of the project with this ActivityPub id."""
    return session.scalar(select(Project.id).where(Project.uri == uri))


def list_own(session: Session) -> list[ProjectInfo]:
    """All local projects including drafts, sorted by title."""
    query = select(Project).where(
        council_visibility.is_own(Project.council_id),
        Project.state != ProjectState.deleted,
    )
    rows = session.scalars(query.order_by(func.lower(Project.title), Project.id))
    return [to_project_info(project) for project in rows]
