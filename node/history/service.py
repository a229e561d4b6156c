"""Reading the versions of a project, and going back to one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from node.errors import NotFoundError
from node.federating.readers import Reader
from node.projects import service as projects
from node.projects import versions
from node.projects.models import Project, Version, Visibility
from node.projects.writing import Text
from node.runtime import UnitOfWork
from node.wording import say

PAGE = 20


@dataclass(frozen=True)
class Page:
    """One page of the versions of a project, newest first. `number` counts from 1; `before` is the
    version that comes before the last of the page, if there is one.
    """

    versions: Sequence[Version]
    before: Version | None
    number: int
    pages: int
    total: int


def listed(session: Session, project: Project, reader: Reader, number: int = 1) -> Page:
    """The versions of a project that `reader` may see: those they could have read at the time."""
    query = _shown(project, reader)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    pages = max(1, -(-total // PAGE))
    number = min(max(1, number), pages)
    newest_first = query.order_by(Version.number.desc()).offset((number - 1) * PAGE)
    found = session.scalars(newest_first.limit(PAGE + 1)).all()
    return Page(found[:PAGE], found[PAGE] if len(found) > PAGE else None, number, pages, total)


def one(session: Session, project: Project, reader: Reader, number: int) -> Version:
    """One version. Raises `NotFoundError` for none, and for one that `reader` may not see."""
    found = session.scalar(_shown(project, reader).where(Version.number == number))
    if found is None:
        raise NotFoundError(say("There is no such version of this project."))
    return found


def text_of(version: Version) -> Text:
    """What a version says."""
    return versions.load(version.text)


def restore(work: UnitOfWork, project: Project, version: Version) -> None:
    """Write again what a version says, as a new one. Who may read the project stays."""
    text = replace(text_of(version), visibility=project.visibility.value)
    projects.update(work, project, text, project.version, deed="restored")
    work.audit("project.restore", project.uri, version=version.number)


def _shown(project: Project, reader: Reader) -> Select[Version]:
    """What `reader` may see: of what was written before it was published, others than those who
    see drafts get only the last, which is what was published.
    """
    query = select(Version).where(Version.project_id == project.id)
    if reader.may_see_drafts:
        return query
    drafted = select(func.max(Version.number)).where(
        Version.project_id == project.id, Version.at <= project.published_at
    )
    query = query.where(Version.number >= func.coalesce(drafted.scalar_subquery(), 1))
    if reader.is_ours:
        return query
    return query.where(Version.audience.in_([Visibility(word) for word in reader.audiences]))
