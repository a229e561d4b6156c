"""Which project of ours a project of a file is, and what an import would do with it. It only reads.

What a file says nothing of stays as it is here.
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
    """What came of one project of a file, or what would."""

    draft = "draft"
    published = "published"
    updated = "updated"
    # It differs from the project here, which nobody asked to change.
    differs = "differs"
    unchanged = "unchanged"
    # Somebody changed it here since: theirs is kept.
    kept = "kept"
    # A project of that name is here, and does not come from such a file.
    known = "known"


@dataclass(frozen=True)
class ExistingProject:
    """A project that is here already."""

    token: str
    uri: str
    title: str
    version: int
    language: str


@dataclass(frozen=True)
class ImportMatch:
    """A project of a file, and what comes of it. `known` is the project here that it is, or that
    has its name. `text` is what that one, or a new one, would say: None for what it says already.
    `updates` are what was told of it and is not here yet, with the moments.
    """

    parsed: ParsedProject
    done: ImportOutcome
    existing: ExistingProject | None = None
    text: ProjectInput | None = None
    updates: Sequence[tuple[datetime, PastUpdate]] = ()


def source_digest(source: str) -> str:
    """Of what a project is known by: of an address without what may differ."""
    address = source.casefold().partition("://")[2] or source.casefold()
    name = address.rstrip("/").removesuffix(".git").removeprefix("www.")
    return sha256(name.encode()).hexdigest()


def match_projects(
    session: Session, council: Council, projects: Sequence[ParsedProject]
) -> list[ImportMatch]:
    """What would come of each project of a file."""
    sources = {source_digest(each.source): each for each in projects}
    records = {
        row.source: row
        for row in session.scalars(
            select(ImportRecord)
            .join(ImportRecord.project)
            .where(ImportRecord.source.in_(sources), Project.state != ProjectState.deleted)
            .options(contains_eager(ImportRecord.project))
        )
    }
    ours = Project.council_id == council.id, Project.state != ProjectState.deleted
    addresses = [each.source for each in projects if "://" in each.source]
    by_address: dict[str, Project] = {}
    for row in session.scalars(
        select(Project).where(*ours, or_(Project.uri.in_(addresses), Project.url.in_(addresses)))
    ):
        by_address |= {row.uri: row, row.url: row}
    by_title = _find_by_title(session, [each.text.title for each in projects], sources, ours)
    return [
        _match_one(
            session,
            each,
            by_address.get(each.source),
            records.get(source_digest(each.source)),
            by_title.get(each.text.title.casefold()),
        )
        for each in projects
    ]


def _find_by_title(
    session: Session, titles: Collection[str], sources: Collection[str], ours: tuple[Any, ...]
) -> dict[str, Project]:
    """Our projects of these titles, but for those that were imported from this very file."""
    lowered = func.lower(Project.title).in_([title.lower() for title in titles])
    rows = session.execute(
        select(Project, ImportRecord.source)
        .outerjoin(ImportRecord, ImportRecord.project_id == Project.id)
        .where(*ours, or_(Project.title.in_(titles), lowered))
    )
    return {row.title.casefold(): row for row, source in rows if source not in sources}


def _match_one(
    session: Session,
    found: ParsedProject,
    addressed: Project | None,
    record: ImportRecord | None,
    namesake: Project | None,
) -> ImportMatch:
    # Those of one day in the order of the file.
    moments = [
        (datetime.combine(each.on, NOON, UTC) + timedelta(seconds=number), each)
        for number, each in enumerate(found.updates)
    ]
    project = addressed or (record.project if record else None)
    if project is None:
        if namesake is not None:
            return ImportMatch(found, ImportOutcome.known, _existing(namesake))
        return ImportMatch(found, ImportOutcome.draft, None, found.text, moments)
    text: ProjectInput | None = merge(found, project)
    there = updates.past_updates(session, project) if found.updates else set()
    new = [(at, each) for at, each in moments if not {(at, each.text), (at, "")} & there]
    if text == to_input(project):
        if not new:
            return ImportMatch(found, ImportOutcome.unchanged, _existing(project))
        text = None
    done = ImportOutcome.differs if _is_as_imported(found, project, record) else ImportOutcome.kept
    return ImportMatch(found, done, _existing(project), text, new)


def _existing(project: Project) -> ExistingProject:
    return ExistingProject(
        project.token, project.uri, project.title, project.version, project.language
    )


def _is_as_imported(found: ParsedProject, project: Project, record: ImportRecord | None) -> bool:
    """Whether nobody changed the project here since it was imported, or exported."""
    if record is not None and record.project is project:
        return record.version == project.version
    return found.version == str(project.version)


def merge(found: ParsedProject, project: Project) -> ProjectInput:
    """What the project would say: what the file says, and else what it says now."""
    new, now = found.text, to_input(project)
    kept = {name: getattr(now, name) for name in found.assumed}
    languages = {
        tag: {**now.translations.get(tag, {}), **new.translations.get(tag, {})}
        for tag in now.translations.keys() | new.translations.keys()
    }
    return replace(
        new,
        **kept,
        brief=new.brief or now.brief,
        visibility=now.visibility,
        details=_merge_details(new.details, now.details),
        translations=languages,
    )


def _merge_details(new: Details, now: Details) -> Details:
    values = {item.name: getattr(new, item.name) for item in fields(new)}
    given = {name: value for name, value in values.items() if value}
    # Whether a day is estimated is said with it.
    for day in ("start", "end"):
        if f"{day}s_on" in given:
            given[f"{day}_is_estimated"] = values[f"{day}_is_estimated"]
    if new.links:
        given["links"] = _merge_links(new.links, now.links)
    if new.outputs:
        tokens = {each.title: each.token for each in now.outputs}
        outputs = [replace(one, token=tokens.get(one.title, one.token)) for one in new.outputs]
        titles = {each.title for each in outputs}
        given["outputs"] = (*outputs, *(each for each in now.outputs if each.title not in titles))
    return replace(now, **given)


def _merge_links(new: Sequence[ProjectLink], now: Sequence[ProjectLink]) -> tuple[ProjectLink, ...]:
    """Those of now, of which one leads elsewhere where the file has another of its kind."""
    known = {each.url for each in now}
    fresh = [each for each in new if each.url not in known]
    wanted = {each.url for each in new}
    links = list(now)
    for place, link in enumerate(links):
        other = next((each for each in fresh if each.kind is link.kind), None)
        if link.url not in wanted and other:
            links[place] = other
            fresh.remove(other)
    return (*links, *fresh)
