"""Records every version of the text of a local project."""

from dataclasses import fields
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node.people import service as people
from node.projects import details
from node.projects.details import Details
from node.projects.models import Project, ProjectVersion
from node.projects.validation import ProjectInput, to_input
from node.runtime import UnitOfWork


def record(work: UnitOfWork, project: Project, action: str) -> None:
    """Record the present text of a project, unless text and audience are those of the last version.

    The project must be locked or new.
    """
    text, audience = dump(to_input(project)), project.effective_visibility
    last = get_latest(work.session, project)
    if last is not None and (last.text, last.audience) == (text, audience):
        return
    work.session.add(
        ProjectVersion(
            project_id=project.id,
            number=last.number + 1 if last else 1,
            by_user=people.acting_user(work),
            by_kind=work.by.kind,
            by_name=work.by.name,
            deed=action,
            audience=audience,
            text=text,
        )
    )
    work.session.flush()


def record_baseline(work: UnitOfWork, project: Project) -> None:
    """Before a change, record the first version of a project that is older than its history."""
    if get_latest(work.session, project) is None:
        version = ProjectVersion(
            project_id=project.id,
            number=1,
            at=project.changed_at,
            deed="known",
            audience=project.effective_visibility,
            text=dump(to_input(project)),
        )
        work.session.add(version)
        work.session.flush()


def get_latest(session: Session, project: Project) -> ProjectVersion | None:
    """The last version of a project; None if none was recorded."""
    query = select(ProjectVersion).where(ProjectVersion.project_id == project.id)
    return session.scalar(query.order_by(ProjectVersion.number.desc()).limit(1))


def delete_all(session: Session, project: Project) -> None:
    """Delete the versions of a deleted project."""
    session.execute(delete(ProjectVersion).where(ProjectVersion.project_id == project.id))


def dump(project_input: ProjectInput) -> dict[str, Any]:
    """The text of a project as JSON."""
    values = {item.name: getattr(project_input, item.name) for item in fields(project_input)}
    translations = {
        tag: dict(translation) for tag, translation in project_input.translations.items()
    }
    return values | {"details": details.dump(project_input.details), "translations": translations}


def load(stored: dict[str, Any]) -> ProjectInput:
    """The text of a stored version. Fields that this version of the program does not know are left
    out.
    """
    known = {item.name for item in fields(ProjectInput)}
    values = {name: value for name, value in stored.items() if name in known}
    return ProjectInput(**values | {"details": details.parse(Details, stored.get("details"))})
