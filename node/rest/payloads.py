"""Parses request bodies of the API into the input types that forms use."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from node.errors import InvalidInputError
from node.messages import Message, msg
from node.projects.details import Details, dump, parse
from node.projects.validation import TRANSLATED_FIELDS, ProjectInput
from node.text import trim
from node.updates import service as updates

TEXT_FIELDS = ("title", "summary", "phase", "brief", "visibility", "language")
PROJECT_FIELDS = frozenset({*TEXT_FIELDS, "details", "translations", "state"})
UPDATE_FIELDS = frozenset({"changed", "next", "needs"})
WEBHOOK_FIELDS = frozenset({"url", "events", "tells_all"})
WRITABLE_STATES = ("draft", "published")
EMPTY_VALUES: tuple[Any, ...] = (None, "", [], {}, False)


def apply_merge_patch(text: ProjectInput, body: Mapping[str, Any]) -> ProjectInput:
    """`text` with the fields of a request body merged in (JSON Merge Patch, RFC 7396).

    Raises `InvalidInputError`.
    """
    errors: dict[str, Message] = {}
    texts: dict[str, Any] = {}
    for name in TEXT_FIELDS:
        if name in body:
            texts[name] = _parse_text(name, body[name], errors)
    details = text.details
    if "details" in body:
        details = _merge_details(text.details, body["details"], errors)
    translations = text.translations
    if "translations" in body:
        translations = _merge_translations(text.translations, body["translations"], errors)
    state = body.get("state")
    if "state" in body and state not in WRITABLE_STATES:
        errors["state"] = msg("Must be draft or published")
    if errors:
        raise InvalidInputError(msg("The project could not be saved."), errors)
    return replace(text, **texts, details=details, translations=translations)


def _parse_text(name: str, value: Any, errors: dict[str, Message]) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        errors[name] = msg("Must be text")
        return ""
    return value


def _merge_details(before: Details, given: Any, errors: dict[str, Message]) -> Details:
    """The details with the given ones merged in. Adds unknown fields and bad values to `errors`."""
    if given is None:
        return Details()
    if not isinstance(given, Mapping):
        errors["details"] = msg("Must be an object")
        return before
    known = {item.name for item in fields(Details)}
    unchanged = {name: value for name, value in dump(before).items() if name not in given}
    merged = parse(Details, {**unchanged, **given})
    parsed_values = dump(merged)
    for name, value in given.items():
        if name not in known:
            errors[f"details.{str(name)[:60]}"] = msg("This field cannot be set")
        elif value not in EMPTY_VALUES and not _was_accepted(value, parsed_values.get(name)):
            errors[f"details.{name}"] = msg("This value is not valid")
    return merged


def _was_accepted(given: Any, parsed: Any) -> bool:
    """Whether parsing kept every given value; it drops invalid ones silently."""
    if isinstance(given, Mapping):
        return isinstance(parsed, Mapping) and all(
            value in EMPTY_VALUES or _was_accepted(value, parsed.get(name))
            for name, value in given.items()
        )
    if isinstance(given, list):
        if not isinstance(parsed, list) or len(given) != len(parsed):
            return False
        return all(_was_accepted(*pair) for pair in zip(given, parsed, strict=True))
    return bool((trim(given) if isinstance(given, str) else given) == parsed)


def _merge_translations(
    before: Mapping[str, Mapping[str, str]], given: Any, errors: dict[str, Message]
) -> Mapping[str, Mapping[str, str]]:
    if given is None:
        return {}
    is_valid = isinstance(given, Mapping) and all(
        tag in {"en", "cy"} and isinstance(texts, Mapping) and _has_only_texts(texts)
        for tag, texts in given.items()
    )
    if not is_valid:
        errors["translations"] = msg("Must be text grouped by language, en or cy, then by field")
        return before
    return {**before, **given}


def _has_only_texts(texts: Mapping[Any, Any]) -> bool:
    return all(
        name in TRANSLATED_FIELDS and isinstance(value, str) for name, value in texts.items()
    )


def parse_update(body: Mapping[str, Any]) -> updates.UpdateInput:
    """The update in a request body. Raises `InvalidInputError`."""
    errors: dict[str, Message] = {}
    texts = {name: _parse_text(name, value, errors) for name, value in body.items()}
    if errors:
        raise InvalidInputError(msg("The update could not be saved."), errors)
    return updates.UpdateInput(**texts)


def parse_webhook(body: Mapping[str, Any]) -> tuple[str, list[str], bool]:
    """URL, event names, and whether the webhook gets events about all projects, not only public
    ones. Raises `InvalidInputError`.
    """
    errors: dict[str, Message] = {}
    url, events = _parse_text("url", body.get("url"), errors), body.get("events")
    if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
        errors["events"] = msg("Must be a list of text values")
    tells_all = body.get("tells_all", False)
    if not isinstance(tells_all, bool):
        errors["tells_all"] = msg("Must be true or false")
    if errors:
        raise InvalidInputError(msg("The webhook could not be saved."), errors)
    return url, events or [], tells_all
