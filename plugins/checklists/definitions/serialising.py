"""A checklist as data, and as the YAML file that it can be read from again."""

from typing import Any

import yaml

from plugins.checklists.definitions.model import (
    YES_NO,
    BilingualText,
    Checklist,
    ChecklistSection,
    Question,
)

WIDTH = 100


def to_yaml(checklist: Checklist) -> str:
    text: str = yaml.safe_dump(to_data(checklist), sort_keys=False, allow_unicode=True, width=WIDTH)
    return text


def to_data(checklist: Checklist) -> dict[str, Any]:
    """What `from_data` reads; what is empty is left out."""
    source = checklist.source
    return _without_empty(
        id=checklist.id,
        version=checklist.version,
        title=_words(checklist.title),
        about=_words(checklist.about),
        source=_without_empty(
            title=source.title,
            publisher=source.publisher,
            published=source.published,
            url=source.url,
        ),
        licence=checklist.licence,
        sections=[_section(section) for section in checklist.sections],
        advice=[
            _without_empty(id=advice.id, text=_words(advice.text))
            | ({"placeholder": "true"} if advice.is_placeholder else {})
            for advice in checklist.advice
        ],
    )


def _section(section: ChecklistSection) -> dict[str, Any]:
    found = _without_empty(id=section.id, title=_words(section.title), about=_words(section.about))
    return found | {"questions": [_question(question) for question in section.questions]}


def _question(question: Question) -> dict[str, Any]:
    condition = question.shown_when
    return _without_empty(
        id=question.id,
        type="" if question.kind == YES_NO else question.kind,
        text=_words(question.text),
        guidance=_words(question.guidance),
        recommendation=_words(question.recommendation),
        options=[{"id": option.id, "text": _words(option.text)} for option in question.options],
        shown_when={"question": condition.question, "is": list(condition.answers)}
        if condition
        else {},
        placeholders=list(question.placeholders),
    )


def _words(words: BilingualText) -> dict[str, str]:
    return _without_empty(en=words.en, cy=words.cy)


def _without_empty(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", [], {})}
