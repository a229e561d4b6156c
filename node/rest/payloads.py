"""What a program sends, as what a person would have written."""

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


def apply_project(text: ProjectInput, given: Mapping[str, Any]) -> ProjectInput:
    """`text` with what a program sent in it (RFC 7396). Raises `InvalidInputError`."""
    wrong: dict[str, Message] = {}
    lines: dict[str, Any] = {}
    for name in TEXT_FIELDS:
        if name in given:
            lines[name] = _parse_text(name, given[name], wrong)
    details = text.details
    if "details" in given:
        details = _merge_details(text.details, given["details"], wrong)
    translations = text.translations
    if "translations" in given:
        translations = _merge_translations(text.translations, given["translations"], wrong)
    state = given.get("state")
    if "state" in given and state not in WRITABLE_STATES:
        wrong["state"] = msg("Must be draft or published")
    if wrong:
        raise InvalidInputError(msg("The project could not be saved."), wrong)
    return replace(text, **lines, details=details, translations=translations)


def _parse_text(name: str, value: Any, wrong: dict[str, Message]) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        wrong[name] = msg("Must be text")
        return ""
    return value


def _merge_details(before: Details, given: Any, wrong: dict[str, Message]) -> Details:
    """The details with those that were sent; what cannot be read is named."""
    if given is None:
        return Details()
    if not isinstance(given, Mapping):
        wrong["details"] = msg("Must be an object")
        return before
    known = {item.name for item in fields(Details)}
    kept = {name: value for name, value in dump(before).items() if name not in given}
    found = parse(Details, {**kept, **given})
    said = dump(found)
    for name, value in given.items():
        if name not in known:
            wrong[f"details.{str(name)[:60]}"] = msg("This field cannot be set")
        elif value not in EMPTY_VALUES and not _was_accepted(value, said.get(name)):
            wrong[f"details.{name}"] = msg("This value is not valid")
    return found


def _was_accepted(given: Any, said: Any) -> bool:
    """Whether all that was sent is there after it was read."""
    if isinstance(given, Mapping):
        return isinstance(said, Mapping) and all(
            value in EMPTY_VALUES or _was_accepted(value, said.get(name))
            for name, value in given.items()
        )
    if isinstance(given, list):
        if not isinstance(said, list) or len(given) != len(said):
            return False
        return all(_was_accepted(one, other) for one, other in zip(given, said, strict=True))
    return bool((trim(given) if isinstance(given, str) else given) == said)


def _merge_translations(
    before: Mapping[str, Mapping[str, str]], given: Any, wrong: dict[str, Message]
) -> Mapping[str, Mapping[str, str]]:
    if given is None:
        return {}
    is_right = isinstance(given, Mapping) and all(
        tag in {"en", "cy"} and isinstance(said, Mapping) and _has_only_texts(said)
        for tag, said in given.items()
    )
    if not is_right:
        wrong["translations"] = msg("Must be text grouped by language, en or cy, then by field")
        return before
    return {**before, **given}


def _has_only_texts(said: Mapping[Any, Any]) -> bool:
    return all(name in TRANSLATED_FIELDS and isinstance(value, str) for name, value in said.items())


def parse_update(given: Mapping[str, Any]) -> updates.UpdateInput:
    """Raises `InvalidInputError`."""
    wrong: dict[str, Message] = {}
    said = {name: _parse_text(name, value, wrong) for name, value in given.items()}
    if wrong:
        raise InvalidInputError(msg("The update could not be saved."), wrong)
    return updates.UpdateInput(**said)


def parse_webhook(given: Mapping[str, Any]) -> tuple[str, list[str], bool]:
    """The address, the names of events, and whether it is told of all projects. Raises
    `InvalidInputError`.
    """
    wrong: dict[str, Message] = {}
    url, wanted = _parse_text("url", given.get("url"), wrong), given.get("events")
    if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
        wrong["events"] = msg("Must be a list of text values")
    tells_all = given.get("tells_all", False)
    if not isinstance(tells_all, bool):
        wrong["tells_all"] = msg("Must be true or false")
    if wrong:
        raise InvalidInputError(msg("The webhook could not be saved."), wrong)
    return url, wanted or [], tells_all
