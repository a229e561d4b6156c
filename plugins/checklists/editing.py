"""Writing definitions on pages: a draft is changed piece by piece, and published as a new version.

A draft is data as it stands in a file. It may be unfinished; it is checked when it is published.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from node.api import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    Work,
    insert_once,
    misfit,
    now,
    say,
    trim,
)
from plugins.checklists import library
from plugins.checklists.definitions.model import Checklist
from plugins.checklists.definitions.reading import (
    LONGEST_TITLE,
    MOST_QUESTIONS,
    MOST_SECTIONS,
    RESERVED,
    from_data,
)
from plugins.checklists.definitions.taking import ID, LONGEST_ID, DefinitionError
from plugins.checklists.definitions.writing import to_data
from plugins.checklists.models import Draft

MOST_DRAFTS = 50
Data = dict[str, Any]


def drafts(session: Session) -> Sequence[Draft]:
    return session.scalars(select(Draft).order_by(Draft.at.desc()).limit(MOST_DRAFTS)).all()


def exists(session: Session, checklist_id: str) -> bool:
    return session.scalar(select(Draft.id).where(Draft.checklist == checklist_id)) is not None


def draft(session: Session, checklist_id: str) -> Draft:
    """Raises `NotFoundError`."""
    found = session.scalar(select(Draft).where(Draft.checklist == checklist_id))
    if found is None:
        raise NotFoundError(say("There is no such draft."))
    return found


def begin(work: Work, checklist: Checklist) -> None:
    """Write on from a version that is there, or that was read. A draft that is there stays."""
    _keep(work, checklist.id, to_data(checklist))


def begin_new(work: Work, checklist: Checklist) -> None:
    """As `begin`. Raises `InvalidInputError` where a draft of it is there."""
    if exists(work.session, checklist.id):
        raise InvalidInputError(
            say("There is already a draft of %(id)s. Publish or delete it first.", id=checklist.id)
        )
    begin(work, checklist)


def invent(work: Work, checklist_id: str, title: str) -> None:
    """Begin a new checklist. Raises `InvalidInputError`."""
    failed = say("The checklist could not be started.")
    title = trim(title)
    if wrong := misfit(title, LONGEST_TITLE) if title else say("Enter a title"):
        raise InvalidInputError(failed, {"title": wrong})
    if not ID.fullmatch(checklist_id) or len(checklist_id) > LONGEST_ID:
        what = say(
            "ID must start with a lower case letter and contain only lower case "
            "letters, numbers and single hyphens"
        )
        raise InvalidInputError(failed, {"id": what})
    taken = checklist_id in RESERVED or library.versions(work.session, checklist_id)
    if taken or exists(work.session, checklist_id):
        raise InvalidInputError(
            failed, {"id": say("This ID is not available. Enter a different one")}
        )
    words = {"en": title}
    empty: Data = {"id": checklist_id, "version": 1, "title": words, "about": {"en": ""}}
    _keep(work, checklist_id, empty | {"source": {"title": ""}, "licence": "", "sections": []})


def change(work: Work, checklist_id: str, edition: int, deed: Callable[[Data], None]) -> None:
    """Have `deed` change the data. Raises `ConflictError` where it is not of this `edition`."""
    there = draft(work.session, checklist_id)
    if there.edition != edition:
        raise ConflictError(say("Someone else changed this while you were writing."))
    data = deepcopy(there.data)
    deed(data)
    values = {"data": data, "edition": edition + 1, "by": work.by, "at": now()}
    here = update(Draft).where(Draft.id == there.id, Draft.edition == edition)
    done: Any = work.session.execute(here.values(**values))
    if done.rowcount != 1:
        raise ConflictError(say("Someone else changed this while you were writing."))
    work.session.expire_all()


def wrong(data: Data) -> str:
    """What stands in the way of publishing a draft: one sentence, or nothing."""
    try:
        from_data(data)
    except DefinitionError as error:
        return say("In %(place)s: %(what)s", place=error.place, what=error.what)
    return ""


def publish(work: Work, checklist_id: str) -> Checklist:
    """Make the draft the newest version. Raises `InvalidInputError`, saying what is wrong."""
    there = draft(work.session, checklist_id)
    try:
        read = from_data(there.data)
    except DefinitionError as error:
        raise InvalidInputError(
            say("In %(place)s: %(what)s", place=error.place, what=error.what)
        ) from error
    published = library.publish(work, read)
    discard(work, checklist_id)
    return published


def discard(work: Work, checklist_id: str) -> None:
    work.session.execute(delete(Draft).where(Draft.checklist == checklist_id))
    work.session.expire_all()


def section_of(data: Data, section_id: str) -> Data:
    """Raises `NotFoundError`."""
    found: Data | None = next((one for one in data["sections"] if one["id"] == section_id), None)
    if found is None:
        raise NotFoundError(say("There is no such section."))
    return found


def question_of(data: Data, question_id: str) -> tuple[Data, Data]:
    """A question and the section that it is in. Raises `NotFoundError`."""
    for section in data["sections"]:
        for question in section.get("questions", ()):
            if question["id"] == question_id:
                return question, section
    raise NotFoundError(say("There is no such question."))


def add_section(data: Data, values: Data) -> None:
    if len(data["sections"]) >= MOST_SECTIONS:
        raise InvalidInputError(
            say(
                "A checklist can have up to %(most)s sections. Remove one before you add another.",
                most=MOST_SECTIONS,
            )
        )
    taken = {one["id"] for one in data["sections"]}
    data["sections"].append({"id": _new_id("s", taken), "questions": []} | values)


def add_question(data: Data, section_id: str, values: Data, used: set[str]) -> None:
    """Its id is none that was `used` before: answers are kept by it."""
    taken = {one["id"] for section in data["sections"] for one in section.get("questions", ())}
    if len(taken) >= MOST_QUESTIONS:
        raise InvalidInputError(
            say(
                "A checklist can have up to %(most)s questions. Remove one before you add another.",
                most=MOST_QUESTIONS,
            )
        )
    new = {"id": _new_id("q", used | taken)} | values
    section_of(data, section_id).setdefault("questions", []).append(new)


def used_ids(session: Session, checklist_id: str) -> set[str]:
    """The ids of all questions that any version asked."""
    every = library.versions(session, checklist_id)
    return {
        question_id
        for number in every
        for question_id in library.version(session, checklist_id, number).by_id
    }


def move(items: list[Data], item_id: str, by: int) -> None:
    """One place up or down; at the end it stays."""
    place = next((number for number, one in enumerate(items) if one["id"] == item_id), None)
    if place is not None and 0 <= place + by < len(items):
        items[place], items[place + by] = items[place + by], items[place]


def remove(items: list[Data], item_id: str) -> None:
    items[:] = [one for one in items if one["id"] != item_id]


def _new_id(letter: str, taken: set[str]) -> str:
    number = 1
    while f"{letter}{number}" in taken:
        number += 1
    return f"{letter}{number}"


def _keep(work: Work, checklist_id: str, data: Data) -> None:
    if len(drafts(work.session)) >= MOST_DRAFTS:
        raise InvalidInputError(
            say(
                "Your council already has %(most)s drafts. Publish or delete one first.",
                most=MOST_DRAFTS,
            )
        )
    insert_once(
        work.session, Draft, checklist=checklist_id, data=data, edition=1, by=work.by, at=now()
    )
