"""Converts runs that are shared between councils. Pure; received data is validated throughout.

Only answers and public evidence are shared: never notes, plans, names of people or private
evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from node.api import DocumentField, DocumentInfo, DocumentType, find_text_error
from plugins.checklists.answer_types import MAX_LEN_ANSWER
from plugins.checklists.answers import MAX_EVIDENCE, MAX_LEN_TITLE, MAX_LEN_URL, Evidence
from plugins.checklists.definitions.data_reader import ID_PATTERN, MAX_LEN_ID
from plugins.checklists.definitions.parsing import MAX_QUESTIONS
from plugins.checklists.models import COUNCIL, PROJECT, SERVICE

RESULT_TYPE = "ChecklistResult"
MAX_BYTES = 200_000
# Characters.
MAX_LEN_SUBJECT = 300


def document_type(label: Any) -> DocumentType:
    return DocumentType(
        RESULT_TYPE,
        label,
        fields=(
            DocumentField("checklist", is_required=True, max_length=MAX_LEN_ID),
            DocumentField("version", "number", is_required=True),
            DocumentField("scope", is_required=True, max_length=20),
            DocumentField("about", max_length=MAX_LEN_SUBJECT),
            DocumentField("finished", "day", is_required=True),
            DocumentField("answers", "json", is_required=True, max_length=MAX_BYTES // 2),
            DocumentField("evidence", "json", max_length=MAX_BYTES // 2),
        ),
        max_bytes=MAX_BYTES,
    )


@dataclass(frozen=True)
class SharedAssessment:
    """A run that a council shares."""

    document: DocumentInfo
    checklist: str
    version: int
    scope: str
    about: str
    finished_on: date
    answers: Mapping[str, str]
    evidence: Mapping[str, Sequence[Evidence]]

    @property
    def key(self) -> tuple[str, str, str]:
        """Council and subject: of several runs with the same key only the newest counts."""
        return self.document.council.uri, self.scope, self.document.project_uri or self.about


def parse_document(document: DocumentInfo) -> SharedAssessment | None:
    """The shared run in a document, or None if it is not valid."""
    fields = document.fields
    scope, finished_on = fields.get("scope"), fields.get("finished")
    if scope not in (PROJECT, SERVICE, COUNCIL) or not isinstance(finished_on, date):
        return None
    return SharedAssessment(
        document,
        str(fields.get("checklist", "")),
        int(fields.get("version") or 0),
        scope,
        str(fields.get("about") or ""),
        finished_on,
        _parse_answers(fields.get("answers")),
        _parse_evidence(fields.get("evidence")),
    )


def _parse_answers(data: Any) -> dict[str, str]:
    return {
        question_id: answer
        for question_id, answer in _question_items(data)
        if _is_line(answer, MAX_LEN_ANSWER)
    }


def _parse_evidence(data: Any) -> dict[str, list[Evidence]]:
    evidence = {}
    for question_id, links in _question_items(data):
        if isinstance(links, list):
            evidence[question_id] = [
                Evidence(link["url"], link["title"])
                for link in links[:MAX_EVIDENCE]
                if isinstance(link, dict)
                and _is_link(link.get("url"))
                and _is_title(link.get("title"))
            ]
    return evidence


def _question_items(data: Any) -> list[tuple[str, Any]]:
    if not isinstance(data, dict):
        return []
    named = ((question_id, value) for question_id, value in data.items() if _is_id(question_id))
    return list(islice(named, MAX_QUESTIONS))


def _is_id(name: Any) -> bool:
    return (
        isinstance(name, str) and len(name) <= MAX_LEN_ID and ID_PATTERN.fullmatch(name) is not None
    )


def _is_line(value: Any, limit: int) -> bool:
    return isinstance(value, str) and find_text_error(value, limit, lines=True) is None


def _is_title(value: Any) -> bool:
    return isinstance(value, str) and find_text_error(value, MAX_LEN_TITLE) is None


def _is_link(value: Any) -> bool:
    return (
        isinstance(value, str)
        and value.startswith(("https://", "http://"))
        and len(value) <= MAX_LEN_URL
        and value.isprintable()
    )
