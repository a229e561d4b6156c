"""Every state in which a project of ours was written, kept beside it."""

from dataclasses import fields
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node.people import service as people
from node.projects import details
from node.projects.details import Details
from node.projects.models import Project, ProjectState, ProjectVersion, Visibility
from node.projects.validation import ProjectInput, to_input
from node.runtime import UnitOfWork


def record(work: UnitOfWork, project: Project, action: str) -> None:
    """Keep what a project says now, unless that is what the last version says, to the same
    readers. The project is locked, or new.
    """
    text, audience = dump(to_input(project)), audience_of(project)
    last = get_latest(work.session, project)
    if last is not None and (last.text, last.audience) == (text, audience):
        return
    work.session.add(
        ProjectVersion(
            project_id=project.id,
            number=last.number + 1 if last else 1,
            by_user=people.by_email(work.session, work.by),
            deed=action,
            audience=audience,
            text=text,
        )
    )
    work.session.flush()


def record_baseline(work: UnitOfWork, project: Project) -> None:
    """Before a change: one that was written before versions were kept gets its first."""
    if get_latest(work.session, project) is None:
        first = ProjectVersion(
            project_id=project.id,
            number=1,
            at=project.changed_at,
            deed="known",
            audience=audience_of(project),
            text=dump(to_input(project)),
        )
        work.session.add(first)
        work.session.flush()


def get_latest(session: Session, project: Project) -> ProjectVersion | None:
    """The last version of a project."""
    mine = select(ProjectVersion).where(ProjectVersion.project_id == project.id)
    return session.scalar(mine.order_by(ProjectVersion.number.desc()).limit(1))


def delete_all(session: Session, project: Project) -> None:
    """The versions of a project that is deleted go with it."""
    session.execute(delete(ProjectVersion).where(ProjectVersion.project_id == project.id))


def audience_of(project: Project) -> Visibility:
    """Who may read a project now: a draft is for our own people."""
    return project.visibility if project.state is ProjectState.published else Visibility.private


def dump(text: ProjectInput) -> dict[str, Any]:
    """What is written of a project, as JSON."""
    said = {item.name: getattr(text, item.name) for item in fields(text)}
    translations = {tag: dict(words) for tag, words in text.translations.items()}
    return said | {"details": details.dump(text.details), "translations": translations}


def load(said: dict[str, Any]) -> ProjectInput:
    """What was written; of what an older version of this program kept, as far as it fits."""
    known = {item.name for item in fields(ProjectInput)}
    found = {name: value for name, value in said.items() if name in known}
    return ProjectInput(**found | {"details": details.parse(Details, said.get("details"))})
