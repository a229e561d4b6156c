"""Reading a checklist, strictly: from a file, a text, or data that came some other way.

The format is described in `plugins/checklists/README.md`.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from node.api import msg
from plugins.checklists.definitions.data_reader import DataReader, DefinitionError
from plugins.checklists.definitions.model import (
    CHOICE,
    CONDITION_TYPES,
    QUESTION_TYPES,
    YES_NO,
    Advice,
    AnswerOption,
    Checklist,
    ChecklistSection,
    DisplayCondition,
    Question,
    Source,
)

MAX_BYTES = 200_000
MAX_DEPTH = 12
# Parts of the YAML. A checklist with all that it may have has fewer.
MAX_PARTS = 30_000
MAX_VERSION = 9_999
MAX_SECTIONS, MAX_QUESTIONS, MAX_OPTIONS, MAX_ADVICE = 30, 100, 20, 20
MAX_LEN_TITLE, MAX_LEN_QUESTION, MAX_LEN_TEXT = 150, 300, 2_000
# What stands in the addresses of pages beside checklists.
RESERVED_IDS = frozenset({"actions", "asked", "import", "new", "runs", "static"})
PLACEHOLDER_PARTS = ("text", "recommendation")


def read_file(path: Path) -> Checklist:
    """The checklist in a file. Raises `DefinitionError`, which names the file."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        return parse(text)
    except DefinitionError as error:
        place = f"{path.name}, {error.place}" if error.place else path.name
        raise DefinitionError(place, error.problem) from error
    except OSError as error:
        raise DefinitionError(
            path.name, msg("This file cannot be read: %(why)s", why=error.strerror or "")
        ) from error


def parse(text: bytes) -> Checklist:
    """The checklist that a YAML text describes. Raises `DefinitionError`."""
    if len(text) > MAX_BYTES:
        raise DefinitionError(
            "", msg("The checklist must be %(most)s bytes or smaller", most=f"{MAX_BYTES:,}")
        )
    try:
        for number, (depth, event) in enumerate(_events_with_depth(text.decode("utf-8-sig"))):
            if number > MAX_PARTS:
                raise DefinitionError(
                    "",
                    msg(
                        "The checklist must have %(most)s YAML elements or fewer",
                        most=f"{MAX_PARTS:,}",
                    ),
                )
            if isinstance(event, yaml.AliasEvent):
                raise DefinitionError(
                    _line_place(event.start_mark),
                    msg("YAML aliases are not supported. Write the value in full"),
                )
            if depth > MAX_DEPTH:
                raise DefinitionError(
                    _line_place(event.start_mark), msg("This is nested too deeply")
                )
        given = yaml.load(text.decode("utf-8-sig"), _ChecklistLoader)  # noqa: S506 -- makes texts alone
    except UnicodeDecodeError as error:
        raise DefinitionError("", msg("The checklist must be UTF-8 text")) from error
    except yaml.MarkedYAMLError as error:
        raise DefinitionError(
            _line_place(error.problem_mark), msg("This is not valid YAML")
        ) from error
    except yaml.YAMLError as error:
        raise DefinitionError("", msg("This is not valid YAML")) from error
    return from_data(given)


def from_data(given: Any) -> Checklist:
    """The checklist that mappings, lists and texts describe. Raises `DefinitionError`."""
    part = DataReader(given, "")
    checklist = Checklist(
        id=part.id("id"),
        version=part.number("version", MAX_VERSION),
        title=part.bilingual("title", MAX_LEN_TITLE),
        about=part.bilingual("about", MAX_LEN_TEXT),
        source=_source(part.part("source")),
        licence=part.line("licence", 100),
        sections=tuple(_section(each) for each in part.parts("sections", MAX_SECTIONS, least=1)),
        advice=tuple(_advice(each) for each in part.parts("advice", MAX_ADVICE)),
    )
    part.require_no_rest()
    _check_consistency(checklist)
    return checklist


def _source(part: DataReader) -> Source:
    source = Source(
        part.line("title", MAX_LEN_QUESTION),
        part.line("publisher", MAX_LEN_QUESTION, required=False),
        part.line("published", 50, required=False),
        part.line("url", 500, required=False),
    )
    part.require_no_rest()
    if source.url and not source.url.startswith(("https://", "http://")):
        raise DefinitionError(
            part.place_of("url"), msg("Enter a web address that starts with https://")
        )
    return source


def _section(part: DataReader) -> ChecklistSection:
    section = ChecklistSection(
        id=part.id("id"),
        title=part.bilingual("title", MAX_LEN_TITLE),
        about=part.bilingual("about", MAX_LEN_TEXT, required=False),
        questions=tuple(_question(each) for each in part.parts("questions", MAX_QUESTIONS)),
    )
    part.require_no_rest()
    return section


def _question(part: DataReader) -> Question:
    question = Question(
        id=part.id("id"),
        kind=part.one_of("type", QUESTION_TYPES) if part.has("type") else YES_NO,
        text=part.bilingual("text", MAX_LEN_QUESTION),
        guidance=part.bilingual("guidance", MAX_LEN_TEXT, required=False),
        recommendation=part.bilingual("recommendation", MAX_LEN_TEXT, required=False),
        options=tuple(_option(each) for each in part.parts("options", MAX_OPTIONS)),
        shown_when=_condition(part.part("shown_when")) if part.has("shown_when") else None,
        placeholders=tuple(str(each) for each in part.list("placeholders", len(PLACEHOLDER_PARTS))),
    )
    part.require_no_rest()
    if (question.kind == CHOICE) != (len(question.options) > 1):
        raise DefinitionError(
            part.place_of("options"),
            msg(
                "Questions answered from a list need at least two options. Other "
                "questions cannot have options"
            ),
        )
    if question.recommendation.en and question.kind != YES_NO:
        raise DefinitionError(
            part.place_of("recommendation"),
            msg("Only questions answered yes, partly or no can have a recommendation"),
        )
    if not set(question.placeholders) <= set(PLACEHOLDER_PARTS):
        raise DefinitionError(
            part.place_of("placeholders"),
            msg("Use one of: %(choices)s", choices=", ".join(PLACEHOLDER_PARTS)),
        )
    return question


def _option(part: DataReader) -> AnswerOption:
    option = AnswerOption(part.id("id"), part.bilingual("text", MAX_LEN_QUESTION))
    part.require_no_rest()
    return option


def _condition(part: DataReader) -> DisplayCondition:
    condition = DisplayCondition(
        part.id("question"), tuple(str(each) for each in part.list("is", MAX_OPTIONS, least=1))
    )
    part.require_no_rest()
    return condition


def _advice(part: DataReader) -> Advice:
    advice = Advice(part.id("id"), part.bilingual("text", MAX_LEN_TEXT), part.flag("placeholder"))
    part.require_no_rest()
    return advice


def _check_consistency(checklist: Checklist) -> None:
    """What holds between the parts."""
    if checklist.id in RESERVED_IDS:
        raise DefinitionError("id", msg("This ID is not available. Enter a different one"))
    if not 1 <= len(checklist.questions) <= MAX_QUESTIONS:
        raise DefinitionError(
            "sections",
            msg("There must be between %(least)s and %(most)s, but there are %(count)s",
                count=len(checklist.questions), least=1, most=MAX_QUESTIONS),
        )  # fmt: skip
    _check_ids("sections", [section.id for section in checklist.sections])
    _check_ids("questions", [question.id for question in checklist.questions])
    earlier: dict[str, Question] = {}
    for question in checklist.questions:
        _check_ids(f"{question.id}.options", [option.id for option in question.options])
        if question.shown_when is not None:
            _check_condition(f"{question.id}.shown_when", question.shown_when, earlier)
        earlier[question.id] = question


def _check_ids(place: str, ids: list[str]) -> None:
    seen = set()
    for each in ids:
        if each in seen:
            raise DefinitionError(place, msg("The ID %(id)s is used twice", id=each))
        seen.add(each)


def _check_condition(place: str, condition: DisplayCondition, earlier: dict[str, Question]) -> None:
    """A question depends on one before it, so none depends on itself in the end."""
    asked = earlier.get(condition.question)
    if asked is None:
        raise DefinitionError(
            place, msg("There is no earlier question with the ID %(id)s", id=condition.question)
        )
    if asked.kind not in CONDITION_TYPES:
        raise DefinitionError(
            place,
            msg(
                "Question %(id)s cannot be used here, because it has no fixed answers", id=asked.id
            ),
        )
    for answer in condition.answers:
        if answer not in asked.answers:
            raise DefinitionError(
                place,
                msg("%(answer)s is not an answer to question %(id)s", id=asked.id, answer=answer),
            )


class _ChecklistLoader(yaml.BaseLoader):
    """Makes texts, lists and mappings, and refuses a name that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for name, _value in node.value:
            given = self.construct_object(name)
            if not isinstance(given, str):
                raise DefinitionError(
                    _line_place(name.start_mark),
                    msg("This must be keys and values, for example title: Open data"),
                )
            if given in seen:
                raise DefinitionError(_line_place(name.start_mark), msg("This key is used twice"))
            seen.add(given)
        return super().construct_mapping(node, deep=deep)


def _events_with_depth(text: str) -> Any:
    depth = 0
    for event in yaml.parse(text, yaml.BaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        yield depth, event
        depth -= isinstance(event, yaml.CollectionEndEvent)


def _line_place(mark: Any) -> str:
    return f"line {mark.line + 1}" if mark is not None else ""
