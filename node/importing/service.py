"""Imports the projects of a file: creates none twice, and changes existing ones only on request.

All projects are validated before the first is written. They are then written in batches, each in a
short transaction, so that other writers do not wait for a large file. An interrupted import is
completed by importing the file again, since projects already written are recognised.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from node.councils import service as councils
from node.councils.models import Council
from node.errors import ConflictError, GoneError, InvalidInputError
from node.importing.limits import CpuDeadline
from node.importing.matching import (
    ExistingProject,
    ImportMatch,
    ImportOutcome,
    match_projects,
    source_digest,
)
from node.importing.models import ImportRecord
from node.importing.parsed_project import ParsedProject, ParticipationStatus
from node.messages import Message, msg
from node.notification_events import service as news
from node.people import service as people
from node.principal import Principal
from node.projects import service as projects
from node.projects.models import Project, ProjectState
from node.projects.rendering import RenderedProject, render
from node.projects.validation import ProjectInput, validate
from node.runtime import Node, UnitOfWork
from node.updates import service as updates
from node.updates.federate import render_parts

# Limits on one transaction, because other writers wait for it: projects, and the time in seconds
# after which it starts no further project.
BATCH_SIZE = 50
MAX_BATCH_SECONDS = 0.2


@dataclass(frozen=True)
class ImportResult:
    """What the import did with one project of a file, with title, URI and token of the project
    here.
    """

    outcome: ImportOutcome
    title: str
    uri: str
    token: str
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True)
class _PreparedImport:
    """A project of a file, ready to write, with its HTML rendered.

    `text` and `rendered` are None if the project's content stays as it is. `updates` are past
    updates to add: time, Markdown and HTML.
    """

    parsed: ParsedProject
    outcome: ImportOutcome
    existing: ExistingProject | None
    text: ProjectInput | None = None
    rendered: RenderedProject | None = None
    updates: Sequence[tuple[datetime, str, str]] = ()


def validate_all(projects: Sequence[ParsedProject]) -> list[ParsedProject]:
    """The projects with validated content. Raises `InvalidInputError` for the first invalid one."""
    result = []
    is_single = len(projects) == 1
    for number, project in enumerate(projects, 1):
        where = msg("The project") if is_single else msg("Project %(number)s", number=number)
        if project.missing:
            raise InvalidInputError(_missing_message(where, project.missing))
        try:
            text = validate(project.text)
            valid_updates = tuple(
                replace(old, text=updates.validate(updates.UpdateInput(changed=old.text)).changed)
                for old in project.updates
            )
            result.append(replace(project, text=text, updates=valid_updates))
        except InvalidInputError as error:
            errors = "; ".join(f"{name}: {words}" for name, words in error.fields.items())
            problem = msg("%(where)s cannot be saved: %(wrong)s", where=where, wrong=errors)
            raise InvalidInputError(problem) from error
    return result


def _missing_message(where: Message, missing: tuple[str, ...]) -> Message:
    if missing == ("title",):
        return msg("%(where)s has no name", where=where)
    if missing == ("summary",):
        return msg("%(where)s has no description", where=where)
    return msg("%(where)s has no name or description", where=where)


def preview(session: Session, projects: Sequence[ParsedProject]) -> list[ImportMatch]:
    """What an import would do with each project of a file. Invalid projects are matched too."""
    parsed = [_validated_if_valid(project) for project in projects]
    return match_projects(session, councils.require_own(session), parsed)


def _validated_if_valid(project: ParsedProject) -> ParsedProject:
    try:
        return validate_all([project])[0]
    except InvalidInputError:  # shown when the officer saves
        return project


def import_projects(
    node: Node,
    by: Principal,
    parsed: Sequence[ParsedProject],
    *,
    publish: bool = False,
    update: bool = False,
) -> list[ImportResult]:
    """Import the projects of a file on behalf of `by`, in several transactions of its own.

    With `publish`, new projects that are complete are published instead of saved as drafts. With
    `update`, existing projects are changed to match the file.

    Raises `InvalidInputError`, before anything is written, if a project is invalid, and
    `ConflictError` if the same projects are being imported at the same time.
    """
    valid = validate_all(parsed)
    with node.reading() as session:
        matches = match_projects(session, councils.require_own(session), valid)
    prepared, deadline = [], CpuDeadline()
    for match in matches:
        deadline.check()
        prepared.append(_prepare(match, publish, update))
    results: list[ImportResult] = []
    while len(results) < len(prepared):
        try:
            with node.work(by=by) as work:
                batch = _write_batch(work, prepared[len(results) : len(results) + BATCH_SIZE])
        except IntegrityError as error:
            raise _concurrent_import_error() from error
        results += batch
    return results


def _concurrent_import_error() -> ConflictError:
    return ConflictError(msg("These projects are already being imported. Check the drafts."))


def _prepare(match: ImportMatch, publish: bool, update: bool) -> _PreparedImport:
    outcome = match.outcome
    if outcome is ImportOutcome.draft and publish and match.parsed.is_complete:
        outcome = ImportOutcome.published
    elif outcome is ImportOutcome.differs and update:
        outcome = ImportOutcome.updated
    if outcome not in {ImportOutcome.draft, ImportOutcome.published, ImportOutcome.updated}:
        return _PreparedImport(match.parsed, outcome, match.existing)
    text = validate(match.text) if match.text else None
    language = (match.text or match.existing or match.parsed.text).language
    rendered_updates = [
        (at, past.text, render_parts(asdict(updates.UpdateInput(past.text)), language))
        for at, past in match.updates
    ]
    return _PreparedImport(
        match.parsed,
        outcome,
        match.existing,
        text,
        render(text) if text else None,
        rendered_updates,
    )


def _write_batch(work: UnitOfWork, batch: Sequence[_PreparedImport]) -> list[ImportResult]:
    """Write projects until the time for one transaction is used up, but at least one."""
    end = time.monotonic() + MAX_BATCH_SECONDS
    council = councils.require_own(work.session)
    results: list[ImportResult] = []
    for prepared in batch:
        if prepared.existing is not None:
            results.append(_import_existing(work, prepared, prepared.existing))
        elif prepared.text is not None:
            results.append(_create_project(work, council, prepared, prepared.text))
        if time.monotonic() > end:
            break
    return results


def _create_project(
    work: UnitOfWork, council: Council, prepared: _PreparedImport, text: ProjectInput
) -> ImportResult:
    source = source_digest(prepared.parsed.source)
    record = work.session.scalar(select(ImportRecord).where(ImportRecord.source == source))
    if record is not None and record.project.state is not ProjectState.deleted:
        raise _concurrent_import_error()
    project = projects.create(work, council, text, rendered=prepared.rendered)
    if record is None:
        record = ImportRecord(source=source)
        work.session.add(record)
    record.project, record.version = project, project.version
    record.people = _participants_without_account(work, project, prepared.parsed)
    work.session.flush()
    _add_past_updates(work, project, prepared)
    if prepared.outcome is ImportOutcome.published:
        projects.publish(work, project)
    return ImportResult(
        prepared.outcome, project.title, project.uri, project.token, prepared.parsed.notes
    )


def _import_existing(
    work: UnitOfWork, prepared: _PreparedImport, existing: ExistingProject
) -> ImportResult:
    """Handle a project that exists already: update it if asked, unless it has changed meanwhile."""
    outcome, title = prepared.outcome, existing.title
    if outcome is ImportOutcome.updated:
        try:
            title = _update_project(work, existing, prepared)
        except (ConflictError, GoneError):
            outcome = ImportOutcome.kept
    notes = (
        () if outcome in {ImportOutcome.unchanged, ImportOutcome.kept} else prepared.parsed.notes
    )
    return ImportResult(outcome, title, existing.uri, existing.token, notes)


def _update_project(work: UnitOfWork, existing: ExistingProject, prepared: _PreparedImport) -> str:
    """Update a project from the file; returns its new title. Raises `ConflictError` or `GoneError`
    if it was changed or deleted since it was matched.
    """
    project = projects.get_for_update(work.session, existing.token)
    if project.version != existing.version:
        raise ConflictError(
            msg("Someone else changed this project during the import. Import the file again.")
        )
    if prepared.text is not None:
        projects.update(work, project, prepared.text, project.version, rendered=prepared.rendered)
    source = source_digest(prepared.parsed.source)
    record = work.session.scalar(select(ImportRecord).where(ImportRecord.source == source))
    if record is not None:
        record.version = project.version
    _add_past_updates(work, project, prepared)
    return project.title


def _add_past_updates(work: UnitOfWork, project: Project, prepared: _PreparedImport) -> None:
    """Add past updates with their dates, up to the limit of updates per project."""
    remaining = updates.MAX_PER_PROJECT - updates.count_all_time(work.session, project)
    for at, text, html in prepared.updates[: max(0, remaining)]:
        updates.add_past_update(work, project, updates.UpdateInput(changed=text), at, html)


def _participants_without_account(
    work: UnitOfWork, project: Project, parsed: ParsedProject
) -> list[dict[str, str]]:
    """The watchers and contributors to record with the import.

    Those with an account here follow the project instead, unless they were rejected. No email is
    sent and no account is created.
    """
    recorded = []
    for person in parsed.people:
        user = people.by_email(work.session, person.email) if person.email else None
        if user is not None and user.active and person.standing is not ParticipationStatus.rejected:
            with suppress(ConflictError):  # the person follows as many projects as allowed
                news.follow_project(work, user.id, project.id)
        else:
            recorded.append(asdict(person))
    return recorded


def find_record(session: Session, project: Project) -> ImportRecord | None:
    """The import of a project, if it recorded any people; else None."""
    record = session.scalar(
        select(ImportRecord)
        .where(ImportRecord.project_id == project.id)
        .order_by(ImportRecord.id)
        .limit(1)
    )
    return record if record is not None and record.people else None


def forget_people(work: UnitOfWork, project: Project) -> None:
    """Delete the personal data that was recorded with a project's import."""
    record = find_record(work.session, project)
    if record is not None:
        record.people = []
        work.audit("import.forget", project.uri)
