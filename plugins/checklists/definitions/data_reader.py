"""Reads the values of a definition and reports the place of the first invalid one."""

import re
from collections.abc import Iterator
from typing import Any

from node.api import misfit, msg, trim
from plugins.checklists.definitions.model import BilingualText

ID_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# Characters.
MAX_LEN_ID = 60
LANGUAGES = ("en", "cy")


class DefinitionError(ValueError):
    """An error in a definition. `place` is a path such as `sections[1].title`; `problem` is a
    sentence.
    """

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}" if place else problem)
        self.place, self.problem = place, problem


class DataReader:
    """Reads one mapping of a definition. Each value is removed when it is read; see
    `require_no_rest`.
    """

    def __init__(self, data: Any, place: str) -> None:
        if not isinstance(data, dict) or not all(isinstance(name, str) for name in data):
            raise DefinitionError(
                place, msg("This must be keys and values, for example title: Open data")
            )
        self._left = dict(data)
        self.place = place

    def place_of(self, name: str) -> str:
        """The place of the value with the key `name`."""
        return f"{self.place}.{name}" if self.place else name

    def line(self, name: str, limit: int, *, required: bool = True) -> str:
        """A text on one line."""
        return self._text(name, limit, required=required, lines=False)

    def id(self, name: str) -> str:
        text = self.line(name, MAX_LEN_ID)
        if not ID_PATTERN.fullmatch(text):
            raise DefinitionError(
                self.place_of(name),
                msg(
                    "ID must start with a lower case letter and contain only lower case "
                    "letters, numbers and single hyphens"
                ),
            )
        return text

    def number(self, name: str, limit: int) -> int:
        text = self.line(name, 12)
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= limit):
            raise DefinitionError(
                self.place_of(name),
                msg("Enter a whole number between 1 and %(most)s", most=f"{limit:,}"),
            )
        return int(text)

    def flag(self, name: str) -> bool:
        text = self.line(name, 5, required=False).casefold()
        if text not in {"", "true", "false"}:
            raise DefinitionError(self.place_of(name), msg("This must be true or false"))
        return text == "true"

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        text = self.line(name, MAX_LEN_ID)
        if text not in choices:
            raise DefinitionError(
                self.place_of(name), msg("Use one of: %(choices)s", choices=", ".join(choices))
            )
        return text

    def bilingual(self, name: str, limit: int, *, required: bool = True) -> BilingualText:
        """A text in each language. A plain text without languages is English."""
        value = self._left.get(name)
        if isinstance(value, str):
            return BilingualText(self._text(name, limit, required=required))
        if value is None and not required:
            self._left.pop(name, None)
            return BilingualText("")
        if value is None:
            raise DefinitionError(self.place_of(name), msg("This is missing"))
        part = self.part(name)
        text = BilingualText(part.text("en", limit, required=required), part.text("cy", limit))
        part.require_no_rest()
        return text

    def text(self, name: str, limit: int, *, required: bool = False) -> str:
        return self._text(name, limit, required=required)

    def part(self, name: str) -> "DataReader":
        return DataReader(self._left.pop(name, None), self.place_of(name))

    def has(self, name: str) -> bool:
        return self._left.get(name) is not None

    def parts(self, name: str, limit: int, *, least: int = 0) -> Iterator["DataReader"]:
        """A reader for each mapping in a list of `least` to `limit` items."""
        for number, item in enumerate(self.list(name, limit, least=least), 1):
            yield DataReader(item, f"{self.place_of(name)}[{number}]")

    def list(self, name: str, limit: int, *, least: int = 0) -> list[Any]:
        value = self._left.pop(name, None)
        items = [] if value in (None, "") else value
        if not isinstance(items, list):
            raise DefinitionError(self.place_of(name), msg("This must be a list"))
        if not least <= len(items) <= limit:
            raise DefinitionError(
                self.place_of(name),
                msg("There must be between %(least)s and %(most)s, but there are %(count)s",
                    count=len(items), least=least, most=limit),
            )  # fmt: skip
        return items

    def require_no_rest(self) -> None:
        """Raises `DefinitionError` if a key is left that was not read."""
        for name in self._left:
            raise DefinitionError(
                self.place_of(name[:MAX_LEN_ID]),
                msg("This is not part of a checklist. Check the spelling or remove it."),
            )

    def _text(self, name: str, limit: int, *, required: bool, lines: bool = True) -> str:
        value = self._left.pop(name, None)
        if (value is not None and not isinstance(value, str | int)) or isinstance(value, bool):
            raise DefinitionError(self.place_of(name), msg("This must be text"))
        text = trim(str("" if value is None else value))
        if required and not text:
            raise DefinitionError(self.place_of(name), msg("This is missing"))
        if problem := misfit(text, limit, lines=lines):
            raise DefinitionError(self.place_of(name), problem)
        return text
