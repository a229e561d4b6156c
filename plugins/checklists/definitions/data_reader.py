"""Taking a definition apart, key by key: what is missing, too long or not known is said in one line
that names its place.
"""

import re
from collections.abc import Iterator
from typing import Any

from node.api import misfit, msg, trim
from plugins.checklists.definitions.model import BilingualText

ID_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
MAX_LEN_ID = 60
LANGUAGES = ("en", "cy")


class DefinitionError(ValueError):
    """What is wrong with a definition, and where. `what` is a sentence for people."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(f"{place}: {what}" if place else what)
        self.place, self.problem = place, what


class DataReader:
    """A mapping in a definition. What is taken from it is gone; what is left over is wrong."""

    def __init__(self, given: Any, place: str) -> None:
        if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
            raise DefinitionError(
                place, msg("This must be keys and values, for example title: Open data")
            )
        self._left = dict(given)
        self.place = place

    def place_of(self, name: str) -> str:
        """The place of what `name` stands for."""
        return f"{self.place}.{name}" if self.place else name

    def line(self, name: str, most: int, *, required: bool = True) -> str:
        """A text on one line."""
        return self._text(name, most, required=required, lines=False)

    def id(self, name: str) -> str:
        found = self.line(name, MAX_LEN_ID)
        if not ID_PATTERN.fullmatch(found):
            raise DefinitionError(
                self.place_of(name),
                msg(
                    "ID must start with a lower case letter and contain only lower case "
                    "letters, numbers and single hyphens"
                ),
            )
        return found

    def number(self, name: str, most: int) -> int:
        found = self.line(name, 12)
        if not (found.isascii() and found.isdigit() and 1 <= int(found) <= most):
            raise DefinitionError(
                self.place_of(name),
                msg("Enter a whole number from 1 to %(most)s", most=f"{most:,}"),
            )
        return int(found)

    def flag(self, name: str) -> bool:
        found = self.line(name, 5, required=False).casefold()
        if found not in {"", "true", "false"}:
            raise DefinitionError(self.place_of(name), msg("This must be true or false"))
        return found == "true"

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        found = self.line(name, MAX_LEN_ID)
        if found not in choices:
            raise DefinitionError(
                self.place_of(name), msg("Use one of: %(choices)s", choices=", ".join(choices))
            )
        return found

    def bilingual(self, name: str, most: int, *, required: bool = True) -> BilingualText:
        """A text in each language; without a language it is English."""
        given = self._left.get(name)
        if isinstance(given, str):
            return BilingualText(self._text(name, most, required=required))
        if given is None and not required:
            self._left.pop(name, None)
            return BilingualText("")
        if given is None:
            raise DefinitionError(self.place_of(name), msg("This is missing"))
        part = self.part(name)
        found = BilingualText(part.text("en", most, required=required), part.text("cy", most))
        part.require_no_rest()
        return found

    def text(self, name: str, most: int, *, required: bool = False) -> str:
        return self._text(name, most, required=required)

    def part(self, name: str) -> "DataReader":
        return DataReader(self._left.pop(name, None), self.place_of(name))

    def has(self, name: str) -> bool:
        return self._left.get(name) is not None

    def parts(self, name: str, most: int, *, least: int = 0) -> Iterator["DataReader"]:
        """The mappings of a list."""
        for number, each in enumerate(self.list(name, most, least=least), 1):
            yield DataReader(each, f"{self.place_of(name)}[{number}]")

    def list(self, name: str, most: int, *, least: int = 0) -> list[Any]:
        given = self._left.pop(name, None)
        found = [] if given in (None, "") else given
        if not isinstance(found, list):
            raise DefinitionError(self.place_of(name), msg("This must be a list"))
        if not least <= len(found) <= most:
            raise DefinitionError(
                self.place_of(name),
                msg("There must be between %(least)s and %(most)s, but there are %(count)s",
                    count=len(found), least=least, most=most),
            )  # fmt: skip
        return found

    def require_no_rest(self) -> None:
        """Nothing else is in it."""
        for name in self._left:
            raise DefinitionError(
                self.place_of(name[:MAX_LEN_ID]),
                msg("This is not part of a checklist. Check the spelling or remove it"),
            )

    def _text(self, name: str, most: int, *, required: bool, lines: bool = True) -> str:
        given = self._left.pop(name, None)
        if (given is not None and not isinstance(given, str | int)) or isinstance(given, bool):
            raise DefinitionError(self.place_of(name), msg("This must be text"))
        found = trim(str("" if given is None else given))
        if required and not found:
            raise DefinitionError(self.place_of(name), msg("This is missing"))
        if why := misfit(found, most, lines=lines):
            raise DefinitionError(self.place_of(name), why)
        return found
