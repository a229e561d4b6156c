"""Validates and sanitises the fields of documents, our own and received ones. Pure."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from federation.errors import DocumentError
from federation.properties import get_link
from node import markup
from node.plugin_api.declarations import DocumentField, DocumentType
from node.text import one_line, several_lines

# Levels of nesting in a `json` field.
MAX_DEPTH = 8
# Integers up to this are exact in every JSON parser (RFC 8259, section 6).
MAX_NUMBER = 2**53


def clean_fields(kind: DocumentType, values: Mapping[str, Any]) -> dict[str, Any]:
    """The declared fields among `values`, in the form in which they are stored.

    Undeclared and empty ones are left out. Raises `DocumentError` naming the field.
    """
    cleaned: dict[str, Any] = {}
    for field in kind.fields:
        value = values.get(field.name)
        if value is None or value == "":
            if field.is_required:
                raise DocumentError(field.name, "missing")
            continue
        cleaned[field.name] = FIELD_CLEANERS[field.kind](field, value)
    if len(json.dumps(cleaned, ensure_ascii=False).encode()) > kind.max_bytes:
        raise DocumentError("details", "too long")
    return cleaned


def to_plugin_fields(kind: DocumentType, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Stored fields as plugins see them: `day` fields as dates, and without fields that are no
    longer declared.
    """
    kinds = {field.name: field.kind for field in kind.fields}
    return {
        name: date.fromisoformat(value) if kinds[name] == "day" else value
        for name, value in stored.items()
        if name in kinds
    }


def _clean_text(field: DocumentField, value: Any) -> str:
    if not isinstance(value, str):
        raise DocumentError(field.name, "not text")
    if len(value) > field.max_length:
        raise DocumentError(field.name, "too long")
    return several_lines(value, field.max_length)


def _clean_line(field: DocumentField, value: Any) -> str:
    return one_line(_clean_text(field, value), field.max_length)


def _clean_html(field: DocumentField, value: Any) -> str:
    return markup.sanitise_received(field.name, _clean_text(field, value), field.max_length)


def _clean_number(field: DocumentField, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DocumentError(field.name, "not a number")
    if not math.isfinite(value) or abs(value) > MAX_NUMBER:
        raise DocumentError(field.name, "not a number")
    return value


def _clean_yes_no(field: DocumentField, value: Any) -> bool:
    if not isinstance(value, bool):
        raise DocumentError(field.name, "not true or false")
    return value


def _clean_day(field: DocumentField, value: Any) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise DocumentError(field.name, "not a date") from error


def _clean_uri(field: DocumentField, value: Any) -> str:
    url = get_link(_clean_text(field, value))
    if url is None:
        raise DocumentError(field.name, "not a web address")
    return url


def _clean_json(field: DocumentField, value: Any) -> Any:
    if len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")) > field.max_length:
        raise DocumentError(field.name, "too long")
    return _clean_json_value(field, value, MAX_DEPTH)


def _clean_json_value(field: DocumentField, value: Any, levels: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _clean_number(field, value)
    if isinstance(value, str):
        return _clean_text(field, value)
    if levels and isinstance(value, list | tuple):
        return [_clean_json_value(field, item, levels - 1) for item in value]
    if levels and isinstance(value, Mapping):
        return {
            _clean_text(field, name): _clean_json_value(field, item, levels - 1)
            for name, item in value.items()
        }
    raise DocumentError(field.name, "not in a supported format")


FIELD_CLEANERS: Mapping[str, Callable[[DocumentField, Any], Any]] = {
    "line": _clean_line,
    "text": _clean_text,
    "html": _clean_html,
    "number": _clean_number,
    "yes_no": _clean_yes_no,
    "day": _clean_day,
    "uri": _clean_uri,
    "json": _clean_json,
}
