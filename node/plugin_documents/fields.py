"""What the fields of a document may hold: checked and sanitised, whoever wrote them. Pure."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from federation.errors import DocumentError
from federation.properties import get_link
from node import markup
from node.plugin_declarations import DocumentField, DocumentType
from node.text import one_line, several_lines

# What is inside a field of plain values is at most so deep.
MAX_DEPTH = 8
MAX_NUMBER = 2**53


def clean_fields(kind: DocumentType, given: Mapping[str, Any]) -> dict[str, Any]:
    """The declared fields of `given`, as they are kept. Raises `DocumentError` naming a field."""
    found: dict[str, Any] = {}
    for field in kind.fields:
        value = given.get(field.name)
        if value is None or value == "":
            if field.is_needed:
                raise DocumentError(field.name, "missing")
            continue
        found[field.name] = CLEANERS[field.kind](field, value)
    if len(json.dumps(found, ensure_ascii=False).encode()) > kind.most_bytes:
        raise DocumentError("details", "too long")
    return found


def to_view_fields(kind: DocumentType, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as plugins see them: days are days. Those that are not declared any more are left
    out.
    """
    known = {field.name: field.kind for field in kind.fields}
    return {
        name: date.fromisoformat(value) if known[name] == "day" else value
        for name, value in kept.items()
        if name in known
    }


def _text(field: DocumentField, value: Any) -> str:
    if not isinstance(value, str):
        raise DocumentError(field.name, "not text")
    if len(value) > field.most:
        raise DocumentError(field.name, "too long")
    return several_lines(value, field.most)


def _line(field: DocumentField, value: Any) -> str:
    return one_line(_text(field, value), field.most)


def _html(field: DocumentField, value: Any) -> str:
    return markup.sanitise_received(field.name, _text(field, value), field.most)


def _number(field: DocumentField, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DocumentError(field.name, "not a number")
    if not math.isfinite(value) or abs(value) > MAX_NUMBER:
        raise DocumentError(field.name, "not a number")
    return value


def _yes_no(field: DocumentField, value: Any) -> bool:
    if not isinstance(value, bool):
        raise DocumentError(field.name, "not true or false")
    return value


def _day(field: DocumentField, value: Any) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise DocumentError(field.name, "not a date") from error


def _uri(field: DocumentField, value: Any) -> str:
    found = get_link(_text(field, value))
    if found is None:
        raise DocumentError(field.name, "not a web address")
    return found


def _json(field: DocumentField, value: Any) -> Any:
    if len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")) > field.most:
        raise DocumentError(field.name, "too long")
    return _plain(field, value, MAX_DEPTH)


def _plain(field: DocumentField, value: Any, deeper: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(field, value)
    if isinstance(value, str):
        return _text(field, value)
    if deeper and isinstance(value, list | tuple):
        return [_plain(field, each, deeper - 1) for each in value]
    if deeper and isinstance(value, Mapping):
        return {_text(field, name): _plain(field, each, deeper - 1) for name, each in value.items()}
    raise DocumentError(field.name, "not in a supported format")


CLEANERS: Mapping[str, Callable[[DocumentField, Any], Any]] = {
    "line": _line,
    "text": _text,
    "html": _html,
    "number": _number,
    "yes_no": _yes_no,
    "day": _day,
    "uri": _uri,
    "json": _json,
}
