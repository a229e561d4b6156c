"""Reading a checklist, strictly: from a file, a text, or data that came some other way.

The format is described in `plugins/checklists/README.md`.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from node.api import say
from plugins.checklists.definitions.model import (
    CHOICE,
    DECIDING,
    KINDS,
    YES_NO,
    Advice,
    Checklist,
    Condition,
    Option,
    Question,
    Section,
    Source,
)
from plugins.checklists.definitions.taking import DefinitionError, Part

MOST_BYTES = 200_000
MOST_DEPTH = 12
# Parts of the YAML. A checklist with all that it may have has fewer.
MOST_PARTS = 30_000
MOST_VERSION = 9_999
MOST_SECTIONS, MOST_QUESTIONS, MOST_OPTIONS, MOST_ADVICE = 30, 100, 20, 20
LONGEST_TITLE, LONGEST_QUESTION, LONGEST_TEXT = 150, 300, 2_000
# What stands in the addresses of pages beside checklists.
RESERVED = frozenset({"actions", "asked", "import", "new", "runs", "static"})
PLACEHOLDERS = ("text", "recommendation")


def read(path: Path) -> Checklist:
    """The checklist in a file. Raises `DefinitionError`, which names the file."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
        return parse(text)
    except DefinitionError as error:
        place = f"{path.name}, {error.place}" if error.place else path.name
        raise DefinitionError(place, error.what) from error
    except OSError as error:
        raise DefinitionError(
            path.name, say("This file cannot be read: %(why)s", why=error.strerror or "")
        ) from error


def parse(text: bytes) -> Checklist:
    """The checklist that a YAML text describes. Raises `DefinitionError`."""
    if len(text) > MOST_BYTES:
        raise DefinitionError(
            "", say("The checklist must be %(most)s bytes or smaller", most=f"{MOST_BYTES:,}")
        )
    try:
        for number, (depth, event) in enumerate(_events(text.decode("utf-8-sig"))):
            if number > MOST_PARTS:
                raise DefinitionError(
                    "",
                    say(
                        "The checklist must have %(most)s YAML elements or fewer",
                        most=f"{MOST_PARTS:,}",
                    ),
                )
            if isinstance(event, yaml.AliasEvent):
                raise DefinitionError(
                    _line(event.start_mark),
                    say("YAML aliases are not supported. Write the value in full"),
                )
            if depth > MOST_DEPTH:
                raise DefinitionError(_line(event.start_mark), say("This is nested too deeply"))
        given = yaml.load(text.decode("utf-8-sig"), _Loader)  # noqa: S506 -- makes texts alone
    except UnicodeDecodeError as error:
        raise DefinitionError("", say("The checklist must be UTF-8 text")) from error
    except yaml.MarkedYAMLError as error:
        raise DefinitionError(_line(error.problem_mark), say("This is not valid YAML")) from error
    except yaml.YAMLError as error:
        raise DefinitionError("", say("This is not valid YAML")) from error
    return from_data(given)


def from_data(given: Any) -> Checklist:
    """The checklist that mappings, lists and texts describe. Raises `DefinitionError`."""
    part = Part(given, "")
    checklist = Checklist(
        id=part.id("id"),
        version=part.number("version", MOST_VERSION),
        title=part.words("title", LONGEST_TITLE),
        about=part.words("about", LONGEST_TEXT),
        source=_source(part.part("source")),
        licence=part.line("licence", 100),
        sections=tuple(_section(each) for each in part.parts("sections", MOST_SECTIONS, least=1)),
        advice=tuple(_advice(each) for each in part.parts("advice", MOST_ADVICE)),
    )
    part.close()
    _check(checklist)
    return checklist


def _source(part: Part) -> Source:
    source = Source(
        part.line("title", LONGEST_QUESTION),
        part.line("publisher", LONGEST_QUESTION, required=False),
        part.line("published", 50, required=False),
        part.line("url", 500, required=False),
    )
    part.close()
    if source.url and not source.url.startswith(("https://", "http://")):
        raise DefinitionError(part.at("url"), say("Enter a web address that starts with https://"))
    return source


def _section(part: Part) -> Section:
    section = Section(
        id=part.id("id"),
        title=part.words("title", LONGEST_TITLE),
        about=part.words("about", LONGEST_TEXT, required=False),
        questions=tuple(_question(each) for each in part.parts("questions", MOST_QUESTIONS)),
    )
    part.close()
    return section


def _question(part: Part) -> Question:
    question = Question(
        id=part.id("id"),
        kind=part.one_of("type", KINDS) if part.has("type") else YES_NO,
        text=part.words("text", LONGEST_QUESTION),
        guidance=part.words("guidance", LONGEST_TEXT, required=False),
        recommendation=part.words("recommendation", LONGEST_TEXT, required=False),
        options=tuple(_option(each) for each in part.parts("options", MOST_OPTIONS)),
        shown_when=_condition(part.part("shown_when")) if part.has("shown_when") else None,
        placeholders=tuple(str(each) for each in part.list("placeholders", len(PLACEHOLDERS))),
    )
    part.close()
    if (question.kind == CHOICE) != (len(question.options) > 1):
        raise DefinitionError(
            part.at("options"),
            say(
                "Questions answered from a list need at least two options. Other "
                "questions cannot have options"
            ),
        )
    if question.recommendation.en and question.kind != YES_NO:
        raise DefinitionError(
            part.at("recommendation"),
            say("Only questions answered yes, partly or no can have a recommendation"),
        )
    if not set(question.placeholders) <= set(PLACEHOLDERS):
        raise DefinitionError(
            part.at("placeholders"), say("Use one of: %(choices)s", choices=", ".join(PLACEHOLDERS))
        )
    return question


def _option(part: Part) -> Option:
    option = Option(part.id("id"), part.words("text", LONGEST_QUESTION))
    part.close()
    return option


def _condition(part: Part) -> Condition:
    condition = Condition(
        part.id("question"), tuple(str(each) for each in part.list("is", MOST_OPTIONS, least=1))
    )
    part.close()
    return condition


def _advice(part: Part) -> Advice:
    advice = Advice(part.id("id"), part.words("text", LONGEST_TEXT), part.flag("placeholder"))
    part.close()
    return advice


def _check(checklist: Checklist) -> None:
    """What holds between the parts."""
    if checklist.id in RESERVED:
        raise DefinitionError("id", say("This ID is not available. Enter a different one"))
    if not 1 <= len(checklist.questions) <= MOST_QUESTIONS:
        raise DefinitionError(
            "sections",
            say("There must be between %(least)s and %(most)s, but there are %(count)s",
                count=len(checklist.questions), least=1, most=MOST_QUESTIONS),
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
            raise DefinitionError(place, say("The ID %(id)s is used twice", id=each))
        seen.add(each)


def _check_condition(place: str, condition: Condition, earlier: dict[str, Question]) -> None:
    """A question depends on one before it, so none depends on itself in the end."""
    asked = earlier.get(condition.question)
    if asked is None:
        raise DefinitionError(
            place, say("There is no earlier question with the ID %(id)s", id=condition.question)
        )
    if asked.kind not in DECIDING:
        raise DefinitionError(
            place,
            say(
                "Question %(id)s cannot be used here, because it has no fixed answers", id=asked.id
            ),
        )
    for answer in condition.answers:
        if answer not in asked.answers:
            raise DefinitionError(
                place,
                say("%(answer)s is not an answer to question %(id)s", id=asked.id, answer=answer),
            )


class _Loader(yaml.BaseLoader):
    """Makes texts, lists and mappings, and refuses a name that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for name, _value in node.value:
            given = self.construct_object(name)
            if not isinstance(given, str):
                raise DefinitionError(
                    _line(name.start_mark),
                    say("This must be keys and values, for example title: Open data"),
                )
            if given in seen:
                raise DefinitionError(_line(name.start_mark), say("This key is used twice"))
            seen.add(given)
        return super().construct_mapping(node, deep=deep)


def _events(text: str) -> Any:
    depth = 0
    for event in yaml.parse(text, yaml.BaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        yield depth, event
        depth -= isinstance(event, yaml.CollectionEndEvent)


def _line(mark: Any) -> str:
    return f"line {mark.line + 1}" if mark is not None else ""
