"""Matches the projects of a file with existing ones, and decides what an import would do. Reads
only.

Fields that a file does not give keep their present values.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, contains_eager

from node.councils.models import Council
from node.importing.models import ImportRecord
from node.importing.parsed_project import ParsedProject, PastUpdate
from node.projects.details import Details, ProjectLink
from node.projects.models import Project, ProjectState
from node.projects.validation import ProjectInput, to_input
from node.updates import service as updates

NOON = time(12)


class ImportOutcome(StrEnum):
    """What an import did, or would do, with one project of a file."""

    draft = "draft"
    published = "published"
    updated = "updated"
    # The existing project differs, and the officer has not asked to update it.
    differs = "differs"
    unchanged = "unchanged"
    # The existing project was edited here since the last import, and is left as it is.
    kept = "kept"
    # A project with this title exists, but was not imported from this source.
    known = "known"


@dataclass(frozen=True)
class ExistingProject:
    """A project of our council, as it was when it was matched."""

    token: str
    uri: str
    title: str
    version: int
    language: str


@dataclass(frozen=True)
class ImportMatch:
    """A project of a file, and what an import would do with it.

    `existing` is the project that it matches, or that has its title. `text` is the content to write
    to it, or to a new project; None if nothing would change. `updates` are past updates that are
    not here yet, with their times.
    """

    parsed: ParsedProject
    outcome: ImportOutcome
    existing: ExistingProject | None = None
    text: ProjectInput | None = None
    updates: Sequence[tuple[datetime, PastUpdate]] = ()


def source_digest(source: str) -> str:
    """The SHA-256 of a project's source, in hex. Case, scheme, "www." and ".git" of an address do
    not count.
    """
    address = source.casefold().partition("://")[2] or source.casefold()
    name = address.rstrip("/").removesuffix(".git").removeprefix("www.")
    return sha256(name.encode()).hexdigest()


def match_projects(
    session: Session, council: Council, projects: Sequence[ParsedProject]
) -> list[ImportMatch]:
    """Match each project of a file, in order."""
    sources = {source_digest(project.source): project for project in projects}
    records = {
        row.source: row
        for row in session.scalars(
            select(ImportRecord)
            .join(ImportRecord.project)
            .where(ImportRecord.source.in_(sources), Project.state != ProjectState.deleted)
            .options(contains_eager(ImportRecord.project))
        )
    }
    is_own = Project.council_id == council.id, Project.state != ProjectState.deleted
    addresses = [project.source for project in projects if "://" in project.source]
    by_address: dict[str, Project] = {}
    for row in session.scalars(
        select(Project).where(*is_own, or_(Project.uri.in_(addresses), Project.url.in_(addresses)))
    ):
        by_address |= {row.uri: row, row.url: row}
    titles = [project.text.title for project in projects]
    by_title = _find_by_title(session, titles, sources, is_own)
    return [
        _match_project(
            session,
            project,
            by_address.get(project.source),
            records.get(source_digest(project.source)),
            by_title.get(project.text.title.casefold()),
        )
        for project in projects
    ]


def _find_by_title(
    session: Session, titles: Collection[str], sources: Collection[str], is_own: tuple[Any, ...]
) -> dict[str, Project]:
    """Our projects with these titles by title, except those imported from one of the sources."""
    lowered = func.lower(Project.title).in_([title.lower() for title in titles])
    rows = session.execute(
        select(Project, ImportRecord.source)
        .outerjoin(ImportRecord, ImportRecord.project_id == Project.id)
        .where(*is_own, or_(Project.title.in_(titles), lowered))
    )
    return {row.title.casefold(): row for row, source in rows if source not in sources}


def _match_project(
    session: Session,
    parsed: ParsedProject,
    same_address: Project | None,
    record: ImportRecord | None,
    same_title: Project | None,
) -> ImportMatch:
    # Updates have no time of day in files. The seconds keep those of one day in order.
    timed_updates = [
        (datetime.combine(update.on, NOON, UTC) + timedelta(seconds=number), update)
        for number, update in enumerate(parsed.updates)
    ]
    project = same_address or (record.project if record else None)
    if project is None:
        if same_title is not None:
            return ImportMatch(parsed, ImportOutcome.known, _to_existing_project(same_title))
        return ImportMatch(parsed, ImportOutcome.draft, None, parsed.text, timed_updates)
    text: ProjectInput | None = merge_content(parsed, project)
    existing_updates = updates.list_past_updates(session, project) if parsed.updates else set()
    new_updates = [
        (at, update)
        for at, update in timed_updates
        if not {(at, update.text), (at, "")} & existing_updates
    ]
    if text == to_input(project):
        if not new_updates:
            return ImportMatch(parsed, ImportOutcome.unchanged, _to_existing_project(project))
        text = None
    is_unedited = _is_as_imported(parsed, project, record)
    outcome = ImportOutcome.differs if is_unedited else ImportOutcome.kept
    return ImportMatch(parsed, outcome, _to_existing_project(project), text, new_updates)


def _to_existing_project(project: Project) -> ExistingProject:
    return ExistingProject(
        project.token, project.uri, project.title, project.version, project.language
    )


def _is_as_imported(parsed: ParsedProject, project: Project, record: ImportRecord | None) -> bool:
    """Whether the project has not been edited since it was imported, or exported to this file."""
    if record is not None and record.project is project:
        return record.version == project.version
    return parsed.version == str(project.version)


def merge_content(parsed: ParsedProject, project: Project) -> ProjectInput:
    """The content of the project after the import: the file's values, else the present ones."""
    new, now = parsed.text, to_input(project)
    unchanged = {name: getattr(now, name) for name in parsed.assumed}
    translations = {
        tag: {**now.translations.get(tag, {}), **new.translations.get(tag, {})}
        for tag in now.translations.keys() | new.translations.keys()
    }
    return replace(
        new,
        **unchanged,
        brief=new.brief or now.brief,
        visibility=now.visibility,
        details=_merge_details(new.details, now.details),
        translations=translations,
    )


def _merge_details(new: Details, current: Details) -> Details:
    values = {item.name: getattr(new, item.name) for item in fields(new)}
    values_in_file = {name: value for name, value in values.items() if value}
    # The flag that a date is estimated belongs to the date, so both come from the file.
    for day in ("start", "end"):
        if f"{day}s_on" in values_in_file:
            values_in_file[f"{day}_is_estimated"] = values[f"{day}_is_estimated"]
    if new.links:
        values_in_file["links"] = _merge_links(new.links, current.links)
    if new.outputs:
        tokens = {output.title: output.token for output in current.outputs}
        outputs = [
            replace(output, token=tokens.get(output.title, output.token)) for output in new.outputs
        ]
        titles = {output.title for output in outputs}
        others = (output for output in current.outputs if output.title not in titles)
        values_in_file["outputs"] = (*outputs, *others)
    return replace(current, **values_in_file)


def _merge_links(
    new: Sequence[ProjectLink], current: Sequence[ProjectLink]
) -> tuple[ProjectLink, ...]:
    """The present links, each replaced by a new link of its kind if the file no longer has it; then
    the other new links.
    """
    current_urls = {link.url for link in current}
    added = [link for link in new if link.url not in current_urls]
    new_urls = {link.url for link in new}
    links = list(current)
    for index, link in enumerate(links):
        successor = next((other for other in added if other.kind is link.kind), None)
        if link.url not in new_urls and successor:
            links[index] = successor
            added.remove(successor)
    return (*links, *added)
