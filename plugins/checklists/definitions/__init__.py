"""The checklists that are shipped: a YAML file each, named by its id, with what `Checklist` has."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

QUESTION_ID = re.compile(r"q[1-9][0-9]?")


@dataclass(frozen=True)
class Source:
    """What a checklist is made from."""

    title: str
    publisher: str
    year: int
    url: str


@dataclass(frozen=True)
class Question:
    """`id` (q1, q2, …) stays with a question for good: answers are kept by it."""

    id: str
    text: str
    guidance: str


@dataclass(frozen=True)
class Checklist:
    """Questions that are answered yes, partly or no. `licence` is that of their wording (SPDX)."""

    id: str
    title: str
    about: str
    source: Source
    licence: str
    questions: tuple[Question, ...]


@cache
def shipped() -> dict[str, Checklist]:
    """Every checklist by its id, in the order of their titles."""
    found = [read(path) for path in Path(__file__).parent.glob("*.yaml")]
    return {item.id: item for item in sorted(found, key=lambda item: item.title)}


def read(path: Path) -> Checklist:
    """The checklist in a file. Raises `ValueError`, naming it, where it is not well formed."""
    try:
        given: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        source = Source(**given.pop("source"))
        questions = tuple(Question(**question) for question in given.pop("questions"))
        checklist = Checklist(id=path.stem, source=source, questions=questions, **given)
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path.name} is not a checklist: {error}") from error
    ids = [question.id for question in questions]
    if not ids or len(set(ids)) < len(ids) or not all(map(QUESTION_ID.fullmatch, ids)):
        raise ValueError(f"{path.name} needs questions with ids of their own: q1, q2, …")
    return checklist
