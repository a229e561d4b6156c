"""Lenient access to properties of documents: one or many, by id or embedded, in any language."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from federation.origin import same_origin

JsonObject = dict[str, Any]

# The syntax of a language tag (RFC 5646); strict readers of JSON-LD refuse anything else.
LANGUAGE_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,8}")
MAX_LANGUAGES = 30


def one_or_many(value: Any) -> list[Any]:
    """Return a list unchanged, an empty list for None, and any other value in a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def id_of(value: Any) -> str | None:
    """The id in a value: a string, an embedded object, or a list with one of these; else None."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) and value else None


def ids_of(value: Any) -> tuple[str, ...]:
    """The ids in one or many values, each once; values without an id are skipped."""
    return tuple(dict.fromkeys(uri for item in one_or_many(value) if (uri := id_of(item))))


def type_of(document: Mapping[str, Any]) -> str:
    """The first type of a document; empty if it has none."""
    for value in one_or_many(document.get("type")):
        if isinstance(value, str):
            return value
    return ""


def get_text(document: Mapping[str, Any], name: str) -> str | None:
    """A text property such as `name`: the plain value, else the first of its language map."""
    value = document.get(name)
    if isinstance(value, str):
        return value
    return next(iter(texts_by_language(document, name).values()), None)


def texts_by_language(document: Mapping[str, Any], name: str) -> dict[str, str]:
    """The language map of a text property (`nameMap`, `contentMap`): language tag to text."""
    languages = document.get(f"{name}Map")
    if not isinstance(languages, dict):
        return {}
    texts = {
        tag: value
        for tag, value in languages.items()
        if isinstance(value, str) and LANGUAGE_TAG.fullmatch(tag)
    }
    return dict(list(texts.items())[:MAX_LANGUAGES])


def get_link(value: Any) -> str | None:
    """The web address in a property such as `url`: a string, a Link or a list, HTML pages first.

    Only http and https addresses count, since people will follow them.
    """
    links = list(_iter_links(value))
    pages = [href for href, media_type in links if media_type.startswith("text/html")]
    plain = [href for href, media_type in links if not media_type]
    return next(iter(pages + plain + [href for href, _ in links]), None)


def parse_time(value: Any) -> datetime | None:
    """Read a time (RFC 3339, leniently) as UTC; None if it cannot be read.

    A time without a zone counts as UTC. Only the years 1970 to 2999 are accepted.
    """
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        parsed = datetime.fromisoformat(value.upper())
        parsed = parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return parsed if 1970 <= parsed.year <= 2999 else None


def format_time(value: datetime) -> str:
    """Format a time for a document: RFC 3339, UTC."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _iter_links(value: Any) -> Iterator[tuple[str, str]]:
    for item in one_or_many(value):
        link = item if isinstance(item, dict) else {"href": item}
        href, media_type = link.get("href") or link.get("url"), link.get("mediaType")
        if isinstance(href, str) and same_origin(href, href):
            yield href, media_type if isinstance(media_type, str) else ""
