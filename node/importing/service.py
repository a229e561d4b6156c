"""What is done with the projects in a file: none of them twice, and nothing that is here already is
changed unasked.

All of them are checked before the first is written. They are then written in portions, each in a
short transaction of its own, so that nobody waits for a large file. What ends half-way goes on
where it stopped when the same file is imported again: what was written is recognised.
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
from node.events import service as news
from node.importing.limits import CpuDeadline
from node.importing.matching import (
    ExistingProject,
    ImportMatch,
    ImportOutcome,
    match_projects,
    source_digest,
)
from node.importing.models import ImportRecord
from node.importing.parsed_project import ParsedProject, Participation
from node.messages import Message, msg
from node.people import service as people
from node.projects import service as projects
from node.projects.models import Project, ProjectState
from node.projects.rendering import RenderedProject, render
from node.projects.validation import ProjectInput, validate
from node.runtime import Node, UnitOfWork
from node.updates import service as updates
from node.updates.federate import render_parts

# One transaction writes so many projects at most, and begins none after so many seconds: other
# writers wait for it.
BATCH_SIZE = 50
MAX_BATCH_SECONDS = 0.2


@dataclass(frozen=True)
class ImportResult:
    """A project of a file, and what came of it: the title, the address and the name of the project
    here.
    """

    done: ImportOutcome
    title: str
    uri: str
    token: str
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True)
class _PreparedImport:
    """What is written of a project of a file, with the HTML of all that it says: None and nothing
    for what stays as it is. `updates` have their moments and their HTML.
    """

    parsed: ParsedProject
    done: ImportOutcome
    existing: ExistingProject | None
    text: ProjectInput | None = None
    rendered: RenderedProject | None = None
    updates: Sequence[tuple[datetime, str, str]] = ()


def validate_all(found: Sequence[ParsedProject]) -> list[ParsedProject]:
    """All of them as they can be saved. Raises `InvalidInputError` for the first that cannot."""
    result = []
    for number, each in enumerate(found, 1):
        where = msg("Project %(number)s", number=number) if len(found) > 1 else msg("The project")
        if each.missing:
            raise InvalidInputError(_missing_message(where, each.missing))
        try:
            text = validate(each.text)
            told = [
                replace(one, text=updates.validate(updates.UpdateInput(changed=one.text)).changed)
                for one in each.updates
            ]
            result.append(replace(each, text=text, updates=tuple(told)))
        except InvalidInputError as error:
            wrong = "; ".join(f"{name}: {words}" for name, words in error.fields.items())
            problem = msg("%(where)s cannot be saved: %(wrong)s", where=where, wrong=wrong)
            raise InvalidInputError(problem) from error
    return result


def _missing_message(where: Message, missing: tuple[str, ...]) -> Message:
    if missing == ("title",):
        return msg("%(where)s has no name", where=where)
    if missing == ("summary",):
        return msg("%(where)s has no description", where=where)
    return msg("%(where)s has no name or description", where=where)


def preview(session: Session, found: Sequence[ParsedProject]) -> list[ImportMatch]:
    """What an import would do with each project of a file."""
    return match_projects(
        session, councils.require_own(session), [_validated_if_valid(each) for each in found]
    )


def _validated_if_valid(found: ParsedProject) -> ParsedProject:
    try:
        return validate_all([found])[0]
    except InvalidInputError:  # which is said when it is to be saved
        return found


def import_projects(
    node: Node,
    by: str,
    found: Sequence[ParsedProject],
    *,
    publish: bool = False,
    update: bool = False,
) -> list[ImportResult]:
    """Keep the projects of a file on behalf of `by`. Those that are whole are published, if
    `publish`; projects that are here already are brought up to date, if `update`, and stay as they
    are otherwise. To be called outside a transaction.

    Raises `InvalidInputError`, and keeps nothing, where one of them cannot be kept, and
    `ConflictError` where somebody imports the same at the same time.
    """
    saved = validate_all(found)
    with node.reading() as session:
        matches = match_projects(session, councils.require_own(session), saved)
    waiting, deadline = [], CpuDeadline()
    for each in matches:
        deadline.check()
        waiting.append(_prepare(each, publish, update))
    taken: list[ImportResult] = []
    while len(taken) < len(waiting):
        try:
            with node.work(by=by) as work:
                portion = _write_batch(work, waiting[len(taken) : len(taken) + BATCH_SIZE])
        except IntegrityError as error:
            raise _concurrent_import_error() from error
        taken += portion
    return taken


def _concurrent_import_error() -> ConflictError:
    return ConflictError(msg("These projects are already being imported. Check the drafts."))


def _prepare(one: ImportMatch, publish: bool, update: bool) -> _PreparedImport:
    done = one.done
    if done is ImportOutcome.draft and publish and one.parsed.is_complete:
        done = ImportOutcome.published
    elif done is ImportOutcome.differs and update:
        done = ImportOutcome.updated
    if done not in {ImportOutcome.draft, ImportOutcome.published, ImportOutcome.updated}:
        return _PreparedImport(one.parsed, done, one.existing)
    text = validate(one.text) if one.text else None
    written = one.text or one.existing or one.parsed.text
    told = [
        (at, each.text, render_parts(asdict(updates.UpdateInput(each.text)), written.language))
        for at, each in one.updates
    ]
    return _PreparedImport(
        one.parsed, done, one.existing, text, render(text) if text else None, told
    )


def _write_batch(work: UnitOfWork, waiting: Sequence[_PreparedImport]) -> list[ImportResult]:
    """Write as many as fit into one transaction, at least one."""
    end = time.monotonic() + MAX_BATCH_SECONDS
    council = councils.require_own(work.session)
    taken: list[ImportResult] = []
    for each in waiting:
        if each.existing is not None:
            taken.append(_import_existing(work, each, each.existing))
        elif each.text is not None:
            taken.append(_create(work, council, each, each.text))
        if time.monotonic() > end:
            break
    return taken


def _create(
    work: UnitOfWork, council: Council, ready: _PreparedImport, text: ProjectInput
) -> ImportResult:
    source = source_digest(ready.parsed.source)
    record = work.session.scalar(select(ImportRecord).where(ImportRecord.source == source))
    if record is not None and record.project.state is not ProjectState.deleted:
        raise _concurrent_import_error()
    project = projects.create(work, council, text, rendered=ready.rendered)
    if record is None:
        record = ImportRecord(source=source)
        work.session.add(record)
    record.project, record.version = project, project.version
    record.people = _participants_without_account(work, project, ready.parsed)
    work.session.flush()
    _add_past_updates(work, project, ready)
    if ready.done is ImportOutcome.published:
        projects.publish(work, project)
    return ImportResult(ready.done, project.title, project.uri, project.token, ready.parsed.notes)


def _import_existing(
    work: UnitOfWork, ready: _PreparedImport, known: ExistingProject
) -> ImportResult:
    """A project that is here already: brought up to date, if it was not changed meanwhile."""
    done, title = ready.done, known.title
    if done is ImportOutcome.updated:
        try:
            title = _update(work, known, ready)
        except (ConflictError, GoneError):
            done = ImportOutcome.kept
    notes = () if done in {ImportOutcome.unchanged, ImportOutcome.kept} else ready.parsed.notes
    return ImportResult(done, title, known.uri, known.token, notes)


def _update(work: UnitOfWork, known: ExistingProject, ready: _PreparedImport) -> str:
    """Bring a project up to date; returns its title then. Raises `ConflictError` and `GoneError`
    where somebody changed or deleted it meanwhile.
    """
    project = projects.get_for_update(work.session, known.token)
    if project.version != known.version:
        raise ConflictError(msg("Someone else has changed this project in the meantime."))
    if ready.text is not None:
        projects.update(work, project, ready.text, project.version, rendered=ready.rendered)
    source = source_digest(ready.parsed.source)
    record = work.session.scalar(select(ImportRecord).where(ImportRecord.source == source))
    if record is not None:
        record.version = project.version
    _add_past_updates(work, project, ready)
    return project.title


def _add_past_updates(work: UnitOfWork, project: Project, ready: _PreparedImport) -> None:
    """What was told before stands among the updates, with its days, as far as there is room."""
    room = updates.MAX_PER_PROJECT - updates.count_all_time(work.session, project)
    for at, text, html in ready.updates[: max(0, room)]:
        updates.add_past_update(work, project, updates.UpdateInput(changed=text), at, html)


def _participants_without_account(
    work: UnitOfWork, project: Project, found: ParsedProject
) -> list[dict[str, str]]:
    """Those who watched it or took part, but for who works here: they follow it. Nobody is written
    to, and no account is made.
    """
    left = []
    for person in found.people:
        user = people.by_email(work.session, person.email) if person.email else None
        if user is not None and user.active and person.standing is not Participation.rejected:
            with suppress(ConflictError):  # follows as much as one can
                news.follow_project(work, user.id, project.id)
        else:
            left.append(asdict(person))
    return left


def find_record(session: Session, project: Project) -> ImportRecord | None:
    """How a project was imported, where some are known who watched it or took part."""
    record = session.scalar(
        select(ImportRecord)
        .where(ImportRecord.project_id == project.id)
        .order_by(ImportRecord.id)
        .limit(1)
    )
    return record if record is not None and record.people else None


def forget_people(work: UnitOfWork, project: Project) -> None:
    """Nobody here needs to know any more who watched it and took part."""
    record = find_record(work.session, project)
    if record is not None:
        record.people = []
        work.audit("import.forget", project.uri)
