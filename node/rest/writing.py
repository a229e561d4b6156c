"""What a program sends, as what a person would have written."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from node.errors import InvalidInputError
from node.projects.details import Details, dump, parse
from node.projects.writing import TRANSLATED, Text
from node.text import trim
from node.updates import service as updates
from node.wording import Saying, say

LINES = ("title", "summary", "phase", "brief", "visibility", "language")
PROJECT = frozenset({*LINES, "details", "translations", "state"})
UPDATE = frozenset({"changed", "next", "needs"})
WEBHOOK = frozenset({"url", "events", "tells_all"})
STATES = ("draft", "published")
EMPTY: tuple[Any, ...] = (None, "", [], {}, False)


def changed(text: Text, given: Mapping[str, Any]) -> Text:
    """`text` with what a program sent in it (RFC 7396). Raises `InvalidInputError`."""
    wrong: dict[str, Saying] = {}
    lines: dict[str, Any] = {}
    for name in LINES:
        if name in given:
            lines[name] = _line(name, given[name], wrong)
    details = text.details
    if "details" in given:
        details = _details(text.details, given["details"], wrong)
    translations = text.translations
    if "translations" in given:
        translations = _translations(text.translations, given["translations"], wrong)
    state = given.get("state")
    if "state" in given and state not in STATES:
        wrong["state"] = say("Must be draft or published")
    if wrong:
        raise InvalidInputError(say("The project could not be saved."), wrong)
    return replace(text, **lines, details=details, translations=translations)


def _line(name: str, value: Any, wrong: dict[str, Saying]) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        wrong[name] = say("Must be text")
        return ""
    return value


def _details(before: Details, given: Any, wrong: dict[str, Saying]) -> Details:
    """The details with those that were sent; what cannot be read is named."""
    if given is None:
        return Details()
    if not isinstance(given, Mapping):
        wrong["details"] = say("Must be an object")
        return before
    known = {item.name for item in fields(Details)}
    kept = {name: value for name, value in dump(before).items() if name not in given}
    found = parse(Details, {**kept, **given})
    said = dump(found)
    for name, value in given.items():
        if name not in known:
            wrong[f"details.{str(name)[:60]}"] = say("This field cannot be set")
        elif value not in EMPTY and not _is_kept(value, said.get(name)):
            wrong[f"details.{name}"] = say("This value is not valid")
    return found


def _is_kept(given: Any, said: Any) -> bool:
    """Whether all that was sent is there after it was read."""
    if isinstance(given, Mapping):
        return isinstance(said, Mapping) and all(
            value in EMPTY or _is_kept(value, said.get(name)) for name, value in given.items()
        )
    if isinstance(given, list):
        if not isinstance(said, list) or len(given) != len(said):
            return False
        return all(_is_kept(one, other) for one, other in zip(given, said, strict=True))
    return bool((trim(given) if isinstance(given, str) else given) == said)


def _translations(
    before: Mapping[str, Mapping[str, str]], given: Any, wrong: dict[str, Saying]
) -> Mapping[str, Mapping[str, str]]:
    if given is None:
        return {}
    is_right = isinstance(given, Mapping) and all(
        tag in {"en", "cy"} and isinstance(said, Mapping) and _says_texts(said)
        for tag, said in given.items()
    )
    if not is_right:
        wrong["translations"] = say("Must be text grouped by language, en or cy, then by field")
        return before
    return {**before, **given}


def _says_texts(said: Mapping[Any, Any]) -> bool:
    return all(name in TRANSLATED and isinstance(value, str) for name, value in said.items())


def update(given: Mapping[str, Any]) -> updates.Text:
    """Raises `InvalidInputError`."""
    wrong: dict[str, Saying] = {}
    said = {name: _line(name, value, wrong) for name, value in given.items()}
    if wrong:
        raise InvalidInputError(say("The update could not be saved."), wrong)
    return updates.Text(**said)


def webhook(given: Mapping[str, Any]) -> tuple[str, list[str], bool]:
    """The address, the names of events, and whether it is told of all projects. Raises
    `InvalidInputError`.
    """
    wrong: dict[str, Saying] = {}
    url, wanted = _line("url", given.get("url"), wrong), given.get("events")
    if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
        wrong["events"] = say("Must be a list of text values")
    tells_all = given.get("tells_all", False)
    if not isinstance(tells_all, bool):
        wrong["tells_all"] = say("Must be true or false")
    if wrong:
        raise InvalidInputError(say("The webhook could not be saved."), wrong)
    return url, wanted or [], tells_all
