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
    msg,
    now,
    trim,
)
from plugins.checklists import library
from plugins.checklists.definitions.data_reader import ID_PATTERN, MAX_LEN_ID, DefinitionError
from plugins.checklists.definitions.model import Checklist
from plugins.checklists.definitions.parsing import (
    MAX_LEN_TITLE,
    MAX_QUESTIONS,
    MAX_SECTIONS,
    RESERVED_IDS,
    from_data,
)
from plugins.checklists.definitions.serialising import to_data
from plugins.checklists.models import ChecklistDraft

MAX_DRAFTS = 50
DefinitionData = dict[str, Any]


def list_drafts(session: Session) -> Sequence[ChecklistDraft]:
    return session.scalars(
        select(ChecklistDraft).order_by(ChecklistDraft.at.desc()).limit(MAX_DRAFTS)
    ).all()


def has_draft(session: Session, checklist_id: str) -> bool:
    return (
        session.scalar(select(ChecklistDraft.id).where(ChecklistDraft.checklist == checklist_id))
        is not None
    )


def get_draft(session: Session, checklist_id: str) -> ChecklistDraft:
    """Raises `NotFoundError`."""
    found = session.scalar(select(ChecklistDraft).where(ChecklistDraft.checklist == checklist_id))
    if found is None:
        raise NotFoundError(msg("There is no such draft."))
    return found


def start_draft(work: Work, checklist: Checklist) -> None:
    """Write on from a version that is there, or that was read. A draft that is there stays."""
    _insert_draft(work, checklist.id, to_data(checklist))


def start_new_draft(work: Work, checklist: Checklist) -> None:
    """As `begin`. Raises `InvalidInputError` where a draft of it is there."""
    if has_draft(work.session, checklist.id):
        raise InvalidInputError(
            msg("There is already a draft of %(id)s. Publish or delete it first.", id=checklist.id)
        )
    start_draft(work, checklist)


def create_checklist(work: Work, checklist_id: str, title: str) -> None:
    """Begin a new checklist. Raises `InvalidInputError`."""
    failed = msg("The checklist could not be started.")
    title = trim(title)
    if wrong := misfit(title, MAX_LEN_TITLE) if title else msg("Enter a title"):
        raise InvalidInputError(failed, {"title": wrong})
    if not ID_PATTERN.fullmatch(checklist_id) or len(checklist_id) > MAX_LEN_ID:
        what = msg(
            "ID must start with a lower case letter and contain only lower case "
            "letters, numbers and single hyphens"
        )
        raise InvalidInputError(failed, {"id": what})
    taken = checklist_id in RESERVED_IDS or library.list_versions(work.session, checklist_id)
    if taken or has_draft(work.session, checklist_id):
        raise InvalidInputError(
            failed, {"id": msg("This ID is not available. Enter a different one")}
        )
    words = {"en": title}
    empty: DefinitionData = {"id": checklist_id, "version": 1, "title": words, "about": {"en": ""}}
    _insert_draft(
        work, checklist_id, empty | {"source": {"title": ""}, "licence": "", "sections": []}
    )


def apply_change(
    work: Work, checklist_id: str, edition: int, deed: Callable[[DefinitionData], None]
) -> None:
    """Have `deed` change the data. Raises `ConflictError` where it is not of this `edition`."""
    there = get_draft(work.session, checklist_id)
    if there.edition != edition:
        raise ConflictError(msg("Someone else changed this while you were writing."))
    data = deepcopy(there.data)
    deed(data)
    values = {"data": data, "edition": edition + 1, "by": work.by, "at": now()}
    here = update(ChecklistDraft).where(
        ChecklistDraft.id == there.id, ChecklistDraft.edition == edition
    )
    done: Any = work.session.execute(here.values(**values))
    if done.rowcount != 1:
        raise ConflictError(msg("Someone else changed this while you were writing."))
    work.session.expire_all()


def find_problem(data: DefinitionData) -> str:
    """What stands in the way of publishing a draft: one sentence, or nothing."""
    try:
        from_data(data)
    except DefinitionError as error:
        return msg("In %(place)s: %(what)s", place=error.place, what=error.problem)
    return ""


def publish_draft(work: Work, checklist_id: str) -> Checklist:
    """Make the draft the newest version. Raises `InvalidInputError`, saying what is wrong."""
    there = get_draft(work.session, checklist_id)
    try:
        read = from_data(there.data)
    except DefinitionError as error:
        raise InvalidInputError(
            msg("In %(place)s: %(what)s", place=error.place, what=error.problem)
        ) from error
    published = library.publish(work, read)
    discard_draft(work, checklist_id)
    return published


def discard_draft(work: Work, checklist_id: str) -> None:
    work.session.execute(delete(ChecklistDraft).where(ChecklistDraft.checklist == checklist_id))
    work.session.expire_all()


def find_section(data: DefinitionData, section_id: str) -> DefinitionData:
    """Raises `NotFoundError`."""
    found: DefinitionData | None = next(
        (one for one in data["sections"] if one["id"] == section_id), None
    )
    if found is None:
        raise NotFoundError(msg("There is no such section."))
    return found


def find_question(data: DefinitionData, question_id: str) -> tuple[DefinitionData, DefinitionData]:
    """A question and the section that it is in. Raises `NotFoundError`."""
    for section in data["sections"]:
        for question in section.get("questions", ()):
            if question["id"] == question_id:
                return question, section
    raise NotFoundError(msg("There is no such question."))


def add_section(data: DefinitionData, values: DefinitionData) -> None:
    if len(data["sections"]) >= MAX_SECTIONS:
        raise InvalidInputError(
            msg(
                "A checklist can have up to %(most)s sections. Remove one before you add another.",
                most=MAX_SECTIONS,
            )
        )
    taken = {one["id"] for one in data["sections"]}
    data["sections"].append({"id": _new_id("s", taken), "questions": []} | values)


def add_question(
    data: DefinitionData, section_id: str, values: DefinitionData, used: set[str]
) -> None:
    """Its id is none that was `used` before: answers are kept by it."""
    taken = {one["id"] for section in data["sections"] for one in section.get("questions", ())}
    if len(taken) >= MAX_QUESTIONS:
        raise InvalidInputError(
            msg(
                "A checklist can have up to %(most)s questions. Remove one before you add another.",
                most=MAX_QUESTIONS,
            )
        )
    new = {"id": _new_id("q", used | taken)} | values
    find_section(data, section_id).setdefault("questions", []).append(new)


def used_ids(session: Session, checklist_id: str) -> set[str]:
    """The ids of all questions that any version asked."""
    every = library.list_versions(session, checklist_id)
    return {
        question_id
        for number in every
        for question_id in library.get_version(session, checklist_id, number).by_id
    }


def move_item(items: list[DefinitionData], item_id: str, by: int) -> None:
    """One place up or down; at the end it stays."""
    place = next((number for number, one in enumerate(items) if one["id"] == item_id), None)
    if place is not None and 0 <= place + by < len(items):
        items[place], items[place + by] = items[place + by], items[place]


def remove_item(items: list[DefinitionData], item_id: str) -> None:
    items[:] = [one for one in items if one["id"] != item_id]


def _new_id(letter: str, taken: set[str]) -> str:
    number = 1
    while f"{letter}{number}" in taken:
        number += 1
    return f"{letter}{number}"


def _insert_draft(work: Work, checklist_id: str, data: DefinitionData) -> None:
    if len(list_drafts(work.session)) >= MAX_DRAFTS:
        raise InvalidInputError(
            msg(
                "Your council already has %(most)s drafts. Publish or delete one first.",
                most=MAX_DRAFTS,
            )
        )
    insert_once(
        work.session,
        ChecklistDraft,
        checklist=checklist_id,
        data=data,
        edition=1,
        by=work.by,
        at=now(),
    )
