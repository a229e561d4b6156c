"""A run as it is shared with other councils, and read again: pure, and sure of nothing it reads.

What is shared is what was answered and what everybody may look at. Notes, plans, names of people
and evidence that is only for our council never are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from node.api import DocumentField, DocumentType, DocumentView, misfit
from plugins.checklists.answer_types import MAX_LEN_ANSWER
from plugins.checklists.answers import MAX_EVIDENCE, MAX_LEN_TITLE, MAX_LEN_URL, Evidence
from plugins.checklists.definitions.data_reader import ID_PATTERN, MAX_LEN_ID
from plugins.checklists.definitions.parsing import MAX_QUESTIONS
from plugins.checklists.models import COUNCIL, PROJECT, SERVICE

RESULT_TYPE = "ChecklistResult"
MAX_BYTES = 200_000
MAX_LEN_SUBJECT = 300


def document_type(label: Any) -> DocumentType:
    return DocumentType(
        RESULT_TYPE,
        label,
        fields=(
            DocumentField("checklist", is_needed=True, most=MAX_LEN_ID),
            DocumentField("version", "number", is_needed=True),
            DocumentField("scope", is_needed=True, most=20),
            DocumentField("about", most=MAX_LEN_SUBJECT),
            DocumentField("finished", "day", is_needed=True),
            DocumentField("answers", "json", is_needed=True, most=MAX_BYTES // 2),
            DocumentField("evidence", "json", most=MAX_BYTES // 2),
        ),
        most_bytes=MAX_BYTES,
    )


@dataclass(frozen=True)
class SharedRun:
    """A run that a council shares."""

    document: DocumentView
    checklist: str
    version: int
    scope: str
    about: str
    finished_on: date
    answers: Mapping[str, str]
    evidence: Mapping[str, Sequence[Evidence]]

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is about: of several about the same thing the newest counts."""
        return self.document.council.uri, self.scope, self.document.project_uri or self.about


def parse_result(document: DocumentView) -> SharedRun | None:
    """None where it is not one."""
    fields = document.fields
    scope, finished_on = fields.get("scope"), fields.get("finished")
    if scope not in (PROJECT, SERVICE, COUNCIL) or not isinstance(finished_on, date):
        return None
    return SharedRun(
        document,
        str(fields.get("checklist", "")),
        int(fields.get("version") or 0),
        scope,
        str(fields.get("about") or ""),
        finished_on,
        _answers(fields.get("answers")),
        _evidence(fields.get("evidence")),
    )


def _answers(given: Any) -> dict[str, str]:
    return {name: value for name, value in _items(given) if _is_line(value, MAX_LEN_ANSWER)}


def _evidence(given: Any) -> dict[str, list[Evidence]]:
    found = {}
    for name, each in _items(given):
        if isinstance(each, list):
            found[name] = [
                Evidence(one["url"], one["title"])
                for one in each[:MAX_EVIDENCE]
                if isinstance(one, dict)
                and _is_link(one.get("url"))
                and _is_title(one.get("title"))
            ]
    return found


def _items(given: Any) -> list[tuple[str, Any]]:
    if not isinstance(given, dict):
        return []
    named = ((name, value) for name, value in given.items() if _is_id(name))
    return [one for one, _place in zip(named, range(MAX_QUESTIONS), strict=False)]


def _is_id(name: Any) -> bool:
    return (
        isinstance(name, str) and len(name) <= MAX_LEN_ID and ID_PATTERN.fullmatch(name) is not None
    )


def _is_line(value: Any, most: int) -> bool:
    return isinstance(value, str) and misfit(value, most, lines=True) is None


def _is_title(value: Any) -> bool:
    return isinstance(value, str) and misfit(value, MAX_LEN_TITLE) is None


def _is_link(value: Any) -> bool:
    return (
        isinstance(value, str)
        and value.startswith(("https://", "http://"))
        and len(value) <= MAX_LEN_URL
        and value.isprintable()
    )
