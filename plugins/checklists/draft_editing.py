"""Drafts of checklists: edited piece by piece, and published as a new version.

A draft is stored as data in the format of a definition file. It may be incomplete: it is validated
when it is published.
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
    find_text_error,
    insert_once,
    msg,
    now,
    trim,
)
from plugins.checklists import library
from plugins.checklists.definitions.checklist import Checklist
from plugins.checklists.definitions.data_reader import ID_PATTERN, MAX_LEN_ID, DefinitionError
from plugins.checklists.definitions.parsing import (
    MAX_LEN_TITLE,
    MAX_QUESTIONS,
    MAX_SECTIONS,
    RESERVED_IDS,
    parse_data,
)
from plugins.checklists.definitions.serialising import to_data
from plugins.checklists.models import ChecklistDraft

# Drafts of one council.
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
    """The draft of a checklist. Raises `NotFoundError`."""
    draft = session.scalar(select(ChecklistDraft).where(ChecklistDraft.checklist == checklist_id))
    if draft is None:
        raise NotFoundError(msg("Draft not found."))
    return draft


def start_draft(work: Work, checklist: Checklist) -> None:
    """Start a draft from a checklist. An existing draft is left unchanged."""
    _insert_draft(work, checklist.id, to_data(checklist))


def start_new_draft(work: Work, checklist: Checklist) -> None:
    """Start a draft from a checklist. Raises `InvalidInputError` if it has a draft already."""
    if has_draft(work.session, checklist.id):
        raise InvalidInputError(
            msg("There is already a draft of %(id)s. Publish or delete it first.", id=checklist.id)
        )
    start_draft(work, checklist)


def create_checklist(work: Work, checklist_id: str, title: str) -> None:
    """Start the draft of a new checklist. Raises `InvalidInputError` about `id` or `title`."""
    summary = msg("The checklist could not be created.")
    title = trim(title)
    if problem := find_text_error(title, MAX_LEN_TITLE) if title else msg("Enter a title"):
        raise InvalidInputError(summary, {"title": problem})
    if not ID_PATTERN.fullmatch(checklist_id) or len(checklist_id) > MAX_LEN_ID:
        problem = msg(
            "ID must start with a lower case letter and contain only lower case "
            "letters, numbers and single hyphens"
        )
        raise InvalidInputError(summary, {"id": problem})
    is_taken = checklist_id in RESERVED_IDS or library.list_versions(work.session, checklist_id)
    if is_taken or has_draft(work.session, checklist_id):
        raise InvalidInputError(
            summary, {"id": msg("This ID is not available. Enter a different one.")}
        )
    title_text = {"en": title}
    empty: DefinitionData = {
        "id": checklist_id,
        "version": 1,
        "title": title_text,
        "about": {"en": ""},
    }
    _insert_draft(
        work, checklist_id, empty | {"source": {"title": ""}, "licence": "", "sections": []}
    )


def apply_change(
    work: Work, checklist_id: str, edition: int, change: Callable[[DefinitionData], None]
) -> None:
    """Apply `change` to the data of a draft. Raises `ConflictError` unless the draft is at
    `edition`.
    """
    draft = get_draft(work.session, checklist_id)
    if draft.edition != edition:
        raise ConflictError(msg("Someone else changed this while you were writing."))
    data = deepcopy(draft.data)
    change(data)
    values = {"data": data, "edition": edition + 1, "by": work.by, "at": now()}
    statement = update(ChecklistDraft).where(
        ChecklistDraft.id == draft.id, ChecklistDraft.edition == edition
    )
    result: Any = work.session.execute(statement.values(**values))
    if result.rowcount != 1:
        raise ConflictError(msg("Someone else changed this while you were writing."))
    work.session.expire_all()


def find_problem(data: DefinitionData) -> str:
    """Why a draft cannot be published yet, as one sentence; empty if it can."""
    try:
        parse_data(data)
    except DefinitionError as error:
        return msg("In %(place)s: %(what)s", place=error.place, what=error.problem)
    return ""


def publish_draft(work: Work, checklist_id: str) -> Checklist:
    """Publish a draft as the newest version and delete it. Raises `InvalidInputError` with the
    reason.
    """
    draft = get_draft(work.session, checklist_id)
    try:
        checklist = parse_data(draft.data)
    except DefinitionError as error:
        raise InvalidInputError(
            msg("In %(place)s: %(what)s", place=error.place, what=error.problem)
        ) from error
    published = library.publish(work, checklist)
    discard_draft(work, checklist_id)
    return published


def discard_draft(work: Work, checklist_id: str) -> None:
    work.session.execute(delete(ChecklistDraft).where(ChecklistDraft.checklist == checklist_id))
    work.session.expire_all()


def find_section(data: DefinitionData, section_id: str) -> DefinitionData:
    """The section with this id. Raises `NotFoundError`."""
    section: DefinitionData | None = next(
        (item for item in data["sections"] if item["id"] == section_id), None
    )
    if section is None:
        raise NotFoundError(msg("Section not found."))
    return section


def find_question(data: DefinitionData, question_id: str) -> tuple[DefinitionData, DefinitionData]:
    """A question and its section. Raises `NotFoundError`."""
    for section in data["sections"]:
        for question in section.get("questions", ()):
            if question["id"] == question_id:
                return question, section
    raise NotFoundError(msg("Question not found."))


def add_section(data: DefinitionData, values: DefinitionData) -> None:
    if len(data["sections"]) >= MAX_SECTIONS:
        raise InvalidInputError(
            msg(
                "A checklist can have up to %(most)s sections. Remove one before you add another.",
                most=MAX_SECTIONS,
            )
        )
    taken_ids = {section["id"] for section in data["sections"]}
    data["sections"].append({"id": _new_id("s", taken_ids), "questions": []} | values)


def add_question(
    data: DefinitionData, section_id: str, values: DefinitionData, used: set[str]
) -> None:
    """Add a question with a new id. Ids in `used` are not given out again, because answers are
    stored by id.
    """
    taken_ids = {
        question["id"] for section in data["sections"] for question in section.get("questions", ())
    }
    if len(taken_ids) >= MAX_QUESTIONS:
        raise InvalidInputError(
            msg(
                "A checklist can have up to %(most)s questions. Remove one before you add another.",
                most=MAX_QUESTIONS,
            )
        )
    question_data = {"id": _new_id("q", used | taken_ids)} | values
    find_section(data, section_id).setdefault("questions", []).append(question_data)


def used_ids(session: Session, checklist_id: str) -> set[str]:
    """The ids of the questions in all versions of a checklist."""
    versions = library.list_versions(session, checklist_id)
    return {
        question_id
        for number in versions
        for question_id in library.get_version(session, checklist_id, number).by_id
    }


def move_item(items: list[DefinitionData], item_id: str, offset: int) -> None:
    """Move an item by `by` places; an item at the end stays where it is."""
    index = next((position for position, item in enumerate(items) if item["id"] == item_id), None)
    if index is not None and 0 <= index + offset < len(items):
        items[index], items[index + offset] = items[index + offset], items[index]


def remove_item(items: list[DefinitionData], item_id: str) -> None:
    items[:] = [item for item in items if item["id"] != item_id]


def _new_id(prefix: str, taken_ids: set[str]) -> str:
    number = 1
    while f"{prefix}{number}" in taken_ids:
        number += 1
    return f"{prefix}{number}"


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
