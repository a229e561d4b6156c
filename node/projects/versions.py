"""Every state in which a project of ours was written, kept beside it."""

from dataclasses import fields
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node.people import service as people
from node.projects import details
from node.projects.details import Details
from node.projects.models import Project, State, Version, Visibility
from node.projects.writing import Text, text_of
from node.runtime import UnitOfWork


def record(work: UnitOfWork, project: Project, deed: str) -> None:
    """Keep what a project says now, unless that is what the last version says, to the same
    readers. The project is locked, or new.
    """
    text, audience = dump(text_of(project)), audience_of(project)
    last = newest(work.session, project)
    if last is not None and (last.text, last.audience) == (text, audience):
        return
    work.session.add(
        Version(
            project_id=project.id,
            number=last.number + 1 if last else 1,
            by_user=people.by_email(work.session, work.by),
            deed=deed,
            audience=audience,
            text=text,
        )
    )
    work.session.flush()


def begin(work: UnitOfWork, project: Project) -> None:
    """Before a change: one that was written before versions were kept gets its first."""
    if newest(work.session, project) is None:
        first = Version(
            project_id=project.id,
            number=1,
            at=project.changed_at,
            deed="known",
            audience=audience_of(project),
            text=dump(text_of(project)),
        )
        work.session.add(first)
        work.session.flush()


def newest(session: Session, project: Project) -> Version | None:
    """The last version of a project."""
    mine = select(Version).where(Version.project_id == project.id)
    return session.scalar(mine.order_by(Version.number.desc()).limit(1))


def erase(session: Session, project: Project) -> None:
    """The versions of a project that is deleted go with it."""
    session.execute(delete(Version).where(Version.project_id == project.id))


def audience_of(project: Project) -> Visibility:
    """Who may read a project now: a draft is for our own people."""
    return project.visibility if project.state is State.published else Visibility.private


def dump(text: Text) -> dict[str, Any]:
    """What is written of a project, as JSON."""
    said = {item.name: getattr(text, item.name) for item in fields(text)}
    translations = {tag: dict(words) for tag, words in text.translations.items()}
    return said | {"details": details.dump(text.details), "translations": translations}


def load(said: dict[str, Any]) -> Text:
    """What was written; of what an older version of this program kept, as far as it fits."""
    known = {item.name for item in fields(Text)}
    found = {name: value for name, value in said.items() if name in known}
    return Text(**found | {"details": details.parse(Details, said.get("details"))})
