"""Converts a checklist to plain data and to YAML that `parsing` can read again."""

from typing import Any

import yaml

from plugins.checklists.definitions.checklist import (
    YES_NO,
    BilingualText,
    Checklist,
    ChecklistSection,
    Question,
)

LINE_WIDTH = 100


def to_yaml(checklist: Checklist) -> str:
    text: str = yaml.safe_dump(
        to_data(checklist), sort_keys=False, allow_unicode=True, width=LINE_WIDTH
    )
    return text


def to_data(checklist: Checklist) -> dict[str, Any]:
    """The data that `parse_data` reads, without empty values."""
    source = checklist.source
    return _without_empty(
        id=checklist.id,
        version=checklist.version,
        title=_bilingual_to_data(checklist.title),
        about=_bilingual_to_data(checklist.about),
        source=_without_empty(
            title=source.title,
            publisher=source.publisher,
            published=source.published,
            url=source.url,
        ),
        licence=checklist.licence,
        sections=[_section_to_data(section) for section in checklist.sections],
        advice=[
            _without_empty(id=advice.id, text=_bilingual_to_data(advice.text))
            | ({"placeholder": "true"} if advice.is_placeholder else {})
            for advice in checklist.advice
        ],
    )


def _section_to_data(section: ChecklistSection) -> dict[str, Any]:
    data = _without_empty(
        id=section.id,
        title=_bilingual_to_data(section.title),
        about=_bilingual_to_data(section.about),
    )
    return data | {"questions": [_question_to_data(question) for question in section.questions]}


def _question_to_data(question: Question) -> dict[str, Any]:
    condition = question.shown_when
    return _without_empty(
        id=question.id,
        type="" if question.kind == YES_NO else question.kind,
        text=_bilingual_to_data(question.text),
        guidance=_bilingual_to_data(question.guidance),
        recommendation=_bilingual_to_data(question.recommendation),
        options=[
            {"id": option.id, "text": _bilingual_to_data(option.text)}
            for option in question.options
        ],
        shown_when={"question": condition.question, "is": list(condition.answers)}
        if condition
        else {},
        placeholders=list(question.placeholders),
    )


def _bilingual_to_data(text: BilingualText) -> dict[str, str]:
    return _without_empty(en=text.en, cy=text.cy)


def _without_empty(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", [], {})}
