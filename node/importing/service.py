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
from node.importing.found import Found, Standing
from node.importing.limits import Deadline
from node.importing.matching import Done, Known, Match, digest, match
from node.importing.models import Imported
from node.news import service as news
from node.people import service as people
from node.projects import service as projects
from node.projects.models import Project, State
from node.projects.rendering import Rendered, render
from node.projects.writing import Text, check
from node.runtime import Node, UnitOfWork
from node.updates import service as updates
from node.updates.federate import to_html
from node.wording import Saying, say

# One transaction writes so many projects at most, and begins none after so many seconds: other
# writers wait for it.
PORTION = 50
PORTION_SECONDS = 0.2


@dataclass(frozen=True)
class Taken:
    """A project of a file, and what came of it: the title, the address and the name of the project
    here.
    """

    done: Done
    title: str
    uri: str
    token: str
    notes: tuple[Saying, ...] = ()


@dataclass(frozen=True)
class _Ready:
    """What is written of a project of a file, with the HTML of all that it says: None and nothing
    for what stays as it is. `updates` have their moments and their HTML.
    """

    found: Found
    done: Done
    known: Known | None
    text: Text | None = None
    rendered: Rendered | None = None
    updates: Sequence[tuple[datetime, str, str]] = ()


def checked(found: Sequence[Found]) -> list[Found]:
    """All of them as they can be saved. Raises `InvalidInputError` for the first that cannot."""
    result = []
    for number, each in enumerate(found, 1):
        where = say("Project %(number)s", number=number) if len(found) > 1 else say("The project")
        if each.missing:
            raise InvalidInputError(_lacks(where, each.missing))
        try:
            text = check(each.text)
            told = [
                replace(one, text=updates.check(updates.Text(changed=one.text)).changed)
                for one in each.updates
            ]
            result.append(replace(each, text=text, updates=tuple(told)))
        except InvalidInputError as error:
            wrong = "; ".join(f"{name}: {words}" for name, words in error.fields.items())
            problem = say("%(where)s cannot be saved: %(wrong)s", where=where, wrong=wrong)
            raise InvalidInputError(problem) from error
    return result


def _lacks(where: Saying, missing: tuple[str, ...]) -> Saying:
    if missing == ("title",):
        return say("%(where)s has no name", where=where)
    if missing == ("summary",):
        return say("%(where)s has no description", where=where)
    return say("%(where)s has no name or description", where=where)


def preview(session: Session, found: Sequence[Found]) -> list[Match]:
    """What an import would do with each project of a file."""
    return match(session, councils.require_own(session), [_as_saved(each) for each in found])


def _as_saved(found: Found) -> Found:
    try:
        return checked([found])[0]
    except InvalidInputError:  # which is said when it is to be saved
        return found


def take(
    node: Node, by: str, found: Sequence[Found], *, publish: bool = False, update: bool = False
) -> list[Taken]:
    """Keep the projects of a file on behalf of `by`. Those that are whole are published, if
    `publish`; projects that are here already are brought up to date, if `update`, and stay as they
    are otherwise. To be called outside a transaction.

    Raises `InvalidInputError`, and keeps nothing, where one of them cannot be kept, and
    `ConflictError` where somebody imports the same at the same time.
    """
    saved = checked(found)
    with node.reading() as session:
        matches = match(session, councils.require_own(session), saved)
    waiting, deadline = [], Deadline()
    for each in matches:
        deadline.check()
        waiting.append(_ready(each, publish, update))
    taken: list[Taken] = []
    while len(taken) < len(waiting):
        try:
            with node.work(by=by) as work:
                portion = _write(work, waiting[len(taken) : len(taken) + PORTION])
        except IntegrityError as error:
            raise _at_once() from error
        taken += portion
    return taken


def _at_once() -> ConflictError:
    return ConflictError(say("These projects are already being imported. Check the drafts."))


def _ready(one: Match, publish: bool, update: bool) -> _Ready:
    done = one.done
    if done is Done.draft and publish and one.found.is_whole:
        done = Done.published
    elif done is Done.differs and update:
        done = Done.updated
    if done not in {Done.draft, Done.published, Done.updated}:
        return _Ready(one.found, done, one.known)
    text = check(one.text) if one.text else None
    written = one.text or one.known or one.found.text
    told = [
        (at, each.text, to_html(asdict(updates.Text(each.text)), written.language))
        for at, each in one.updates
    ]
    return _Ready(one.found, done, one.known, text, render(text) if text else None, told)


def _write(work: UnitOfWork, waiting: Sequence[_Ready]) -> list[Taken]:
    """Write as many as fit into one transaction, at least one."""
    end = time.monotonic() + PORTION_SECONDS
    council = councils.require_own(work.session)
    taken: list[Taken] = []
    for each in waiting:
        if each.known is not None:
            taken.append(_keep(work, each, each.known))
        elif each.text is not None:
            taken.append(_create(work, council, each, each.text))
        if time.monotonic() > end:
            break
    return taken


def _create(work: UnitOfWork, council: Council, ready: _Ready, text: Text) -> Taken:
    source = digest(ready.found.source)
    record = work.session.scalar(select(Imported).where(Imported.source == source))
    if record is not None and record.project.state is not State.deleted:
        raise _at_once()
    project = projects.create(work, council, text, rendered=ready.rendered)
    if record is None:
        record = Imported(source=source)
        work.session.add(record)
    record.project, record.version = project, project.version
    record.people = _without_account(work, project, ready.found)
    work.session.flush()
    _recall(work, project, ready)
    if ready.done is Done.published:
        projects.publish(work, project)
    return Taken(ready.done, project.title, project.uri, project.token, ready.found.notes)


def _keep(work: UnitOfWork, ready: _Ready, known: Known) -> Taken:
    """A project that is here already: brought up to date, if it was not changed meanwhile."""
    done, title = ready.done, known.title
    if done is Done.updated:
        try:
            title = _update(work, known, ready)
        except (ConflictError, GoneError):
            done = Done.kept
    notes = () if done in {Done.unchanged, Done.kept} else ready.found.notes
    return Taken(done, title, known.uri, known.token, notes)


def _update(work: UnitOfWork, known: Known, ready: _Ready) -> str:
    """Bring a project up to date; returns its title then. Raises `ConflictError` and `GoneError`
    where somebody changed or deleted it meanwhile.
    """
    project = projects.for_change(work.session, known.token)
    if project.version != known.version:
        raise ConflictError(say("Someone else has changed this project in the meantime."))
    if ready.text is not None:
        projects.update(work, project, ready.text, project.version, rendered=ready.rendered)
    source = digest(ready.found.source)
    record = work.session.scalar(select(Imported).where(Imported.source == source))
    if record is not None:
        record.version = project.version
    _recall(work, project, ready)
    return project.title


def _recall(work: UnitOfWork, project: Project, ready: _Ready) -> None:
    """What was told before stands among the updates, with its days, as far as there is room."""
    room = updates.MOST_OF_PROJECT - updates.count(work.session, project)
    for at, text, html in ready.updates[: max(0, room)]:
        updates.recall(work, project, updates.Text(changed=text), at, html)


def _without_account(work: UnitOfWork, project: Project, found: Found) -> list[dict[str, str]]:
    """Those who watched it or took part, but for who works here: they follow it. Nobody is written
    to, and no account is made.
    """
    left = []
    for person in found.people:
        user = people.by_email(work.session, person.email) if person.email else None
        if user is not None and user.active and person.standing is not Standing.rejected:
            with suppress(ConflictError):  # follows as much as one can
                news.follow_project(work, user.id, project.id)
        else:
            left.append(asdict(person))
    return left


def of_project(session: Session, project: Project) -> Imported | None:
    """How a project was imported, where some are known who watched it or took part."""
    record = session.scalar(
        select(Imported).where(Imported.project_id == project.id).order_by(Imported.id).limit(1)
    )
    return record if record is not None and record.people else None


def forget_people(work: UnitOfWork, project: Project) -> None:
    """Nobody here needs to know any more who watched it and took part."""
    record = of_project(work.session, project)
    if record is not None:
        record.people = []
        work.audit("import.forget", project.uri)
