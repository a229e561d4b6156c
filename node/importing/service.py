"""What is done with the projects in a file: whole or not at all, and none of them twice."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.councils.models import Council
from node.errors import ConflictError, InvalidInputError
from node.importing.found import Found, Standing
from node.importing.models import Imported
from node.news import service as news
from node.people import service as people
from node.projects import service as projects
from node.projects.details import Details
from node.projects.models import Project, State
from node.projects.writing import Text, check, text_of
from node.runtime import UnitOfWork
from node.updates import service as updates
from node.wording import Saying, say

NOON = time(12)
# Words that councils leave out of their names, or put in.
COMMON = frozenset(
    [
        "council",
        "borough",
        "district",
        "city",
        "county",
        "metropolitan",
        "unitary",
        "authority",
        "royal",
        "london",
        "of",
        "the",
        "and",
        "corporation",
        "cyngor",
        "sir",
    ]
)


class Done(StrEnum):
    """What came of one project of a file."""

    draft = "draft"
    published = "published"
    updated = "updated"
    unchanged = "unchanged"
    # Somebody changed it here since: theirs is kept.
    kept = "kept"
    # A project of that name is here, and does not come from such a file.
    known = "known"


@dataclass(frozen=True)
class Taken:
    """A project of a file, and what came of it."""

    done: Done
    project: Project
    notes: tuple[Saying, ...]


def ours(council: Council, found: Sequence[Found], organisation: str = "") -> list[Found]:
    """Those of `found` that are our council's, or `organisation`'s where one is named.

    Raises `InvalidInputError` where none is.
    """
    wanted = organisation or council.name
    chosen = [each for each in found if not each.organisation or _is(each.organisation, wanted)]
    if not chosen:
        names = sorted({each.organisation for each in found})
        raise InvalidInputError(
            say(
                "It has no project of %(wanted)s, only of %(names)s%(more)s.",
                wanted=wanted,
                names=", ".join(names[:5]),
                more=say(" and %(count)s others", count=len(names) - 5) if len(names) > 5 else "",
            )
        )
    return chosen


def _is(name: str, wanted: str) -> bool:
    return _bare(name) == _bare(wanted)


def _bare(name: str) -> frozenset[str]:
    said = frozenset("".join(c if c.isalnum() else " " for c in name.casefold()).split())
    return said - COMMON or said


def checked(found: Sequence[Found]) -> list[Found]:
    """All of them as they can be saved. Raises `InvalidInputError` for the first that cannot."""
    result = []
    for number, each in enumerate(found, 1):
        where = say("project %(number)s", number=number) if len(found) > 1 else say("it")
        if each.missing:
            raise InvalidInputError(_lacks(where, each.missing))
        try:
            result.append(replace(each, text=check(each.text)))
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
    return say("%(where)s has no name and no description", where=where)


def take(
    work: UnitOfWork, council: Council, found: Sequence[Found], *, publish: bool = False
) -> list[Taken]:
    """Keep the projects of a file. Those that are whole are published, if `publish`.

    Raises `InvalidInputError`, and keeps nothing, where one of them cannot be kept.
    """
    return [_take(work, council, each, publish) for each in checked(found)]


def _take(work: UnitOfWork, council: Council, found: Found, publish: bool) -> Taken:
    record = work.session.scalar(select(Imported).where(Imported.source == _digest(found)))
    if record is not None and record.project.state is not State.deleted:
        return _again(work, record, found)
    alike = _named_alike(work, council, found.text.title)
    if alike is not None:
        return Taken(Done.known, alike, found.notes)
    project = projects.create(work, council, found.text)
    if record is None:
        record = Imported(source=_digest(found))
        work.session.add(record)
    record.project, record.version = project, project.version
    record.people = _without_account(work, project, found)
    work.session.flush()
    _recall(work, project, found)
    if not publish or not found.is_whole:
        return Taken(Done.draft, project, found.notes)
    projects.publish(work, project)
    return Taken(Done.published, project, found.notes)


def _again(work: UnitOfWork, record: Imported, found: Found) -> Taken:
    """The same file again: what nobody changed here follows it."""
    project = record.project
    text = _as_before(found.text, project)
    if project.version == record.version:
        _recall(work, project, found)
    if text == text_of(project):
        return Taken(Done.unchanged, project, ())
    if project.version != record.version:
        return Taken(Done.kept, project, ())
    projects.update(work, project, text, project.version)
    record.version = project.version
    return Taken(Done.updated, project, found.notes)


def _recall(work: UnitOfWork, project: Project, found: Found) -> None:
    """What was told before stands among the updates, with its days; told again it is not."""
    for number, each in enumerate(found.updates):
        # Those of one day in the order of the file.
        moment = datetime.combine(each.on, NOON, UTC) + timedelta(seconds=number)
        updates.recall(work, project, updates.Text(changed=each.text), moment)


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


def _as_before(text: Text, project: Project) -> Text:
    """`text` with what a file cannot know: who may see the project, and its outputs' names."""
    tokens = {each.title: each.token for each in project.details.outputs}
    outputs = tuple(
        replace(each, token=tokens.get(each.title, each.token)) for each in text.details.outputs
    )
    details: Details = replace(text.details, outputs=outputs)
    return replace(text, details=details, visibility=project.visibility.value)


def _named_alike(work: UnitOfWork, council: Council, title: str) -> Project | None:
    return work.session.scalar(
        select(Project)
        .where(
            Project.council_id == council.id,
            Project.state != State.deleted,
            func.lower(Project.title) == title.lower(),
        )
        .limit(1)
    )


def _digest(found: Found) -> str:
    """Of the address without what may differ, or else of the title."""
    address = found.source.casefold().partition("://")[2] or found.source.casefold()
    name = address.rstrip("/").removesuffix(".git").removeprefix("www.")
    return sha256((name or f"title {found.text.title.casefold()}").encode()).hexdigest()
