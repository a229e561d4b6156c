"""Queries the versions of a project, and restores one."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from node.access.viewer import Viewer
from node.access.visibility import can_read, resource_rows
from node.errors import NotFoundError
from node.messages import msg
from node.pagination import Page, page_by_number
from node.projects import service as projects
from node.projects import versions
from node.projects.models import Project, ProjectVersion
from node.projects.validation import ProjectInput
from node.runtime import UnitOfWork

PAGE_SIZE = 20


def list_page(
    session: Session, project: Project, viewer: Viewer, number: int = 1
) -> Page[ProjectVersion]:
    """The versions of a project that `viewer` could have read at the time, newest first."""
    newest_first = _select_visible(project, viewer).order_by(ProjectVersion.number.desc())
    return page_by_number(session, newest_first, number, PAGE_SIZE)


def list_before(
    session: Session, project: Project, viewer: Viewer, number: int, limit: int
) -> Sequence[ProjectVersion]:
    """The last `limit` versions before `number` that `viewer` may see, newest first."""
    query = _select_visible(project, viewer).where(ProjectVersion.number < number)
    return session.scalars(query.order_by(ProjectVersion.number.desc()).limit(limit)).all()


def get_version(session: Session, project: Project, viewer: Viewer, number: int) -> ProjectVersion:
    """A version of a project. Raises `NotFoundError`, also if `viewer` may not see it."""
    version = session.scalar(
        _select_visible(project, viewer).where(ProjectVersion.number == number)
    )
    if version is None:
        raise NotFoundError(msg("Version not found."))
    return version


def to_input(version: ProjectVersion) -> ProjectInput:
    """The text of a version."""
    return versions.load(version.text)


def restore(work: UnitOfWork, project: Project, version: ProjectVersion) -> None:
    """Write the text of a version again, as a new version. The visibility of the project stays."""
    text = replace(to_input(version), visibility=project.visibility.value)
    projects.update(work, project, text, project.version, action="restored")
    work.audit("project.restore", project.uri, version=version.number)


def _select_visible(project: Project, viewer: Viewer) -> Select[ProjectVersion]:
    """The versions that `viewer` may see. Readers who cannot see drafts get, of those written
    before publication, only the last, which is the published text.
    """
    query = select(ProjectVersion).where(ProjectVersion.project_id == project.id)
    if viewer.may_see_drafts:
        return query
    first_published = select(func.max(ProjectVersion.number)).where(
        ProjectVersion.project_id == project.id, ProjectVersion.at <= project.published_at
    )
    query = query.where(
        ProjectVersion.number >= func.coalesce(first_published.scalar_subquery(), 1)
    )
    return query.where(can_read(viewer, resource_rows(ProjectVersion.audience)))
