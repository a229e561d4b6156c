"""Reading what others write, leniently: one or many, by id or embedded, in any language."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from federation.origin import same_origin

JsonObject = dict[str, Any]

# The shape of a language tag (RFC 5646); strict readers of JSON-LD refuse others.
LANGUAGE_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,8}")
MAX_LANGUAGES = 30


def one_or_many(value: Any) -> list[Any]:
    """A list as it is, nothing for null, and anything else as the only one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def id_of(value: Any) -> str | None:
    """The id of what is named by it, embedded, or the only one of a list; else None."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) and value else None


def ids_of(value: Any) -> tuple[str, ...]:
    """The ids of one or many, without those that have none and without repeats."""
    return tuple(dict.fromkeys(uri for item in one_or_many(value) if (uri := id_of(item))))


def type_of(document: Mapping[str, Any]) -> str:
    """The (first) type of a document; empty where it has none."""
    for value in one_or_many(document.get("type")):
        if isinstance(value, str):
            return value
    return ""


def get_text(document: Mapping[str, Any], name: str) -> str | None:
    """A text property such as `name`: the plain one, else one out of its language map."""
    value = document.get(name)
    if isinstance(value, str):
        return value
    return next(iter(texts_by_language(document, name).values()), None)


def texts_by_language(document: Mapping[str, Any], name: str) -> dict[str, str]:
    """The language map of a text property (`nameMap`, `contentMap`): language tag to text."""
    languages = document.get(f"{name}Map")
    if not isinstance(languages, dict):
        return {}
    found = {
        tag: value
        for tag, value in languages.items()
        if isinstance(value, str) and LANGUAGE_TAG.fullmatch(tag)
    }
    return dict(list(found.items())[:MAX_LANGUAGES])


def get_link(value: Any) -> str | None:
    """The web address in a `url` or the like: a string, a Link, or a list of those, pages first.

    What is no http or https address does not count: people will be sent there.
    """
    found = list(_iter_links(value))
    pages = [href for href, media_type in found if media_type.startswith("text/html")]
    plain = [href for href, media_type in found if not media_type]
    return next(iter(pages + plain + [href for href, _ in found]), None)


def parse_time(value: Any) -> datetime | None:
    """A time (RFC 3339, leniently), UTC; None where there is none to be read.

    Without a zone it counts as UTC. No document is from before 1970 or after 2999.
    """
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        found = datetime.fromisoformat(value.upper())
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return found if 1970 <= found.year <= 2999 else None


def format_time(value: datetime) -> str:
    """A time as documents state it: RFC 3339, UTC."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _iter_links(value: Any) -> Iterator[tuple[str, str]]:
    for item in one_or_many(value):
        given = item if isinstance(item, dict) else {"href": item}
        href, media_type = given.get("href") or given.get("url"), given.get("mediaType")
        if isinstance(href, str) and same_origin(href, href):
            yield href, media_type if isinstance(media_type, str) else ""
