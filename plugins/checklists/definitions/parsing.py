"""Parses a checklist from a file, from YAML text or from plain data, and validates it strictly.

The format is described in `plugins/checklists/README.md`.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from node.api import msg
from plugins.checklists.definitions.checklist import (
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
from plugins.checklists.definitions.data_reader import DataReader, DefinitionError

MAX_BYTES = 200_000
MAX_DEPTH = 12
# YAML events. The largest valid checklist has fewer.
MAX_YAML_EVENTS = 30_000
MAX_VERSION = 9_999
MAX_SECTIONS, MAX_QUESTIONS, MAX_OPTIONS, MAX_ADVICE = 30, 100, 20, 20
# Characters.
MAX_LEN_TITLE, MAX_LEN_QUESTION, MAX_LEN_TEXT = 150, 300, 2_000
# Used in the URLs of pages where others have the id of a checklist.
RESERVED_IDS = frozenset({"actions", "asked", "import", "new", "runs", "static"})
PLACEHOLDER_PARTS = ("text", "recommendation")


def read_file(path: Path) -> Checklist:
    """Parse the checklist in a file. Raises `DefinitionError`, which names the file."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        return parse_yaml(text)
    except DefinitionError as error:
        place = f"{path.name}, {error.place}" if error.place else path.name
        raise DefinitionError(place, error.problem) from error
    except OSError as error:
        raise DefinitionError(
            path.name, msg("This file cannot be read: %(why)s", why=error.strerror or "")
        ) from error


def parse_yaml(text: bytes) -> Checklist:
    """Parse a checklist in YAML. Raises `DefinitionError`."""
    if len(text) > MAX_BYTES:
        raise DefinitionError(
            "", msg("The checklist must be %(most)sKB or smaller", most=MAX_BYTES // 1000)
        )
    try:
        for count, (depth, event) in enumerate(_events_with_depth(text.decode("utf-8-sig"))):
            if count > MAX_YAML_EVENTS:
                raise DefinitionError(
                    "",
                    msg(
                        "The checklist must have %(most)s YAML elements or fewer",
                        most=f"{MAX_YAML_EVENTS:,}",
                    ),
                )
            if isinstance(event, yaml.AliasEvent):
                raise DefinitionError(
                    _describe_mark(event.start_mark),
                    msg("YAML aliases are not supported. Write the value in full."),
                )
            if depth > MAX_DEPTH:
                raise DefinitionError(
                    _describe_mark(event.start_mark), msg("This is nested too deeply")
                )
        data = yaml.load(text.decode("utf-8-sig"), _ChecklistLoader)  # noqa: S506 -- builds only strings, lists and dicts
    except UnicodeDecodeError as error:
        raise DefinitionError("", msg("The checklist must be UTF-8 text")) from error
    except yaml.MarkedYAMLError as error:
        raise DefinitionError(
            _describe_mark(error.problem_mark), msg("This is not valid YAML")
        ) from error
    except yaml.YAMLError as error:
        raise DefinitionError("", msg("This is not valid YAML")) from error
    return parse_data(data)


def parse_data(data: Any) -> Checklist:
    """Build a checklist from dicts, lists and strings. Raises `DefinitionError`."""
    reader = DataReader(data, "")
    checklist = Checklist(
        id=reader.identifier("id"),
        version=reader.number("version", MAX_VERSION),
        title=reader.bilingual("title", MAX_LEN_TITLE),
        about=reader.bilingual("about", MAX_LEN_TEXT),
        source=_parse_source(reader.nested("source")),
        licence=reader.line("licence", 100),
        sections=tuple(
            _parse_section(item)
            for item in reader.nested_list("sections", MAX_SECTIONS, min_items=1)
        ),
        advice=tuple(_parse_advice(item) for item in reader.nested_list("advice", MAX_ADVICE)),
    )
    reader.require_all_read()
    _check_consistency(checklist)
    return checklist


def _parse_source(reader: DataReader) -> Source:
    source = Source(
        reader.line("title", MAX_LEN_QUESTION),
        reader.line("publisher", MAX_LEN_QUESTION, required=False),
        reader.line("published", 50, required=False),
        reader.line("url", 500, required=False),
    )
    reader.require_all_read()
    if source.url and not source.url.startswith(("https://", "http://")):
        raise DefinitionError(
            reader.place_of("url"), msg("Enter a web address that starts with https://")
        )
    return source


def _parse_section(reader: DataReader) -> ChecklistSection:
    section = ChecklistSection(
        id=reader.identifier("id"),
        title=reader.bilingual("title", MAX_LEN_TITLE),
        about=reader.bilingual("about", MAX_LEN_TEXT, required=False),
        questions=tuple(
            _parse_question(item) for item in reader.nested_list("questions", MAX_QUESTIONS)
        ),
    )
    reader.require_all_read()
    return section


def _parse_question(reader: DataReader) -> Question:
    question = Question(
        id=reader.identifier("id"),
        kind=reader.choice("type", QUESTION_TYPES) if reader.has("type") else YES_NO,
        text=reader.bilingual("text", MAX_LEN_QUESTION),
        guidance=reader.bilingual("guidance", MAX_LEN_TEXT, required=False),
        recommendation=reader.bilingual("recommendation", MAX_LEN_TEXT, required=False),
        options=tuple(_parse_option(item) for item in reader.nested_list("options", MAX_OPTIONS)),
        shown_when=_parse_condition(reader.nested("shown_when"))
        if reader.has("shown_when")
        else None,
        placeholders=tuple(
            str(item) for item in reader.plain_list("placeholders", len(PLACEHOLDER_PARTS))
        ),
    )
    reader.require_all_read()
    if (question.kind == CHOICE) != (len(question.options) > 1):
        raise DefinitionError(
            reader.place_of("options"),
            msg(
                "Questions with a list of answers must have at least 2 options. Other "
                "questions cannot have options."
            ),
        )
    if question.recommendation.en and question.kind != YES_NO:
        raise DefinitionError(
            reader.place_of("recommendation"),
            msg("Only questions answered yes, partly or no can have a recommendation"),
        )
    if not set(question.placeholders) <= set(PLACEHOLDER_PARTS):
        raise DefinitionError(
            reader.place_of("placeholders"),
            msg("Use one of: %(choices)s", choices=", ".join(PLACEHOLDER_PARTS)),
        )
    return question


def _parse_option(reader: DataReader) -> AnswerOption:
    option = AnswerOption(reader.identifier("id"), reader.bilingual("text", MAX_LEN_QUESTION))
    reader.require_all_read()
    return option


def _parse_condition(reader: DataReader) -> DisplayCondition:
    condition = DisplayCondition(
        reader.identifier("question"),
        tuple(str(item) for item in reader.plain_list("is", MAX_OPTIONS, min_items=1)),
    )
    reader.require_all_read()
    return condition


def _parse_advice(reader: DataReader) -> Advice:
    advice = Advice(
        reader.identifier("id"),
        reader.bilingual("text", MAX_LEN_TEXT),
        reader.boolean("placeholder"),
    )
    reader.require_all_read()
    return advice


def _check_consistency(checklist: Checklist) -> None:
    """Check what concerns several parts: ids, the number of questions, conditions."""
    if checklist.id in RESERVED_IDS:
        raise DefinitionError("id", msg("This ID is not available. Enter a different one."))
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
    for item_id in ids:
        if item_id in seen:
            raise DefinitionError(place, msg("The ID %(id)s is used twice", id=item_id))
        seen.add(item_id)


def _check_condition(place: str, condition: DisplayCondition, earlier: dict[str, Question]) -> None:
    """A question may depend only on an earlier one, so there can be no cycles."""
    question = earlier.get(condition.question)
    if question is None:
        raise DefinitionError(
            place, msg("There is no earlier question with the ID %(id)s", id=condition.question)
        )
    if question.kind not in CONDITION_TYPES:
        raise DefinitionError(
            place,
            msg(
                "Question %(id)s cannot be used here, because it has no fixed answers",
                id=question.id,
            ),
        )
    for answer in condition.answers:
        if answer not in question.answers:
            raise DefinitionError(
                place,
                msg(
                    "%(answer)s is not an answer to question %(id)s", id=question.id, answer=answer
                ),
            )


class _ChecklistLoader(yaml.BaseLoader):
    """Builds strings, lists and dicts, and refuses a key that occurs twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _value in node.value:
            key = self.construct_object(key_node)
            if not isinstance(key, str):
                raise DefinitionError(
                    _describe_mark(key_node.start_mark),
                    msg("This must be keys and values, for example title: Open data"),
                )
            if key in seen:
                raise DefinitionError(
                    _describe_mark(key_node.start_mark), msg("This key is used twice")
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _events_with_depth(text: str) -> Any:
    depth = 0
    for event in yaml.parse(text, yaml.BaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        yield depth, event
        depth -= isinstance(event, yaml.CollectionEndEvent)


def _describe_mark(mark: Any) -> str:
    return f"line {mark.line + 1}" if mark is not None else ""
