"""Reads the values of a definition and reports the place of the first invalid one."""

import re
from collections.abc import Iterator
from typing import Any

from node.api import find_text_error, msg, trim
from plugins.checklists.definitions.checklist import BilingualText

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
    `require_all_read`.
    """

    def __init__(self, data: Any, place: str) -> None:
        if not isinstance(data, dict) or not all(isinstance(name, str) for name in data):
            raise DefinitionError(
                place, msg("This must be keys and values, for example title: Open data")
            )
        self._unread = dict(data)
        self.place = place

    def place_of(self, name: str) -> str:
        """The place of the value with the key `name`."""
        return f"{self.place}.{name}" if self.place else name

    def line(self, name: str, max_length: int, *, required: bool = True) -> str:
        """A text on one line."""
        return self._text(name, max_length, required=required, lines=False)

    def identifier(self, name: str) -> str:
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

    def number(self, name: str, maximum: int) -> int:
        text = self.line(name, 12)
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= maximum):
            raise DefinitionError(
                self.place_of(name),
                msg("Enter a whole number between 1 and %(most)s", most=f"{maximum:,}"),
            )
        return int(text)

    def boolean(self, name: str) -> bool:
        text = self.line(name, 5, required=False).casefold()
        if text not in {"", "true", "false"}:
            raise DefinitionError(self.place_of(name), msg("This must be true or false"))
        return text == "true"

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        text = self.line(name, MAX_LEN_ID)
        if text not in choices:
            raise DefinitionError(
                self.place_of(name), msg("Use one of: %(choices)s", choices=", ".join(choices))
            )
        return text

    def bilingual(self, name: str, max_length: int, *, required: bool = True) -> BilingualText:
        """A text in each language. A plain text without languages is English."""
        value = self._unread.get(name)
        if isinstance(value, str):
            return BilingualText(self._text(name, max_length, required=required))
        if value is None and not required:
            self._unread.pop(name, None)
            return BilingualText("")
        if value is None:
            raise DefinitionError(self.place_of(name), msg("This is missing"))
        part = self.nested(name)
        text = BilingualText(
            part.text("en", max_length, required=required), part.text("cy", max_length)
        )
        part.require_all_read()
        return text

    def text(self, name: str, max_length: int, *, required: bool = False) -> str:
        return self._text(name, max_length, required=required)

    def nested(self, name: str) -> "DataReader":
        return DataReader(self._unread.pop(name, None), self.place_of(name))

    def has(self, name: str) -> bool:
        return self._unread.get(name) is not None

    def nested_list(
        self, name: str, max_items: int, *, min_items: int = 0
    ) -> Iterator["DataReader"]:
        """A reader for each mapping in a list of `min_items` to `max_items` items."""
        for number, item in enumerate(self.plain_list(name, max_items, min_items=min_items), 1):
            yield DataReader(item, f"{self.place_of(name)}[{number}]")

    def plain_list(self, name: str, max_items: int, *, min_items: int = 0) -> list[Any]:
        value = self._unread.pop(name, None)
        items = [] if value in (None, "") else value
        if not isinstance(items, list):
            raise DefinitionError(self.place_of(name), msg("This must be a list"))
        if not min_items <= len(items) <= max_items:
            raise DefinitionError(
                self.place_of(name),
                msg("There must be between %(least)s and %(most)s, but there are %(count)s",
                    count=len(items), least=min_items, most=max_items),
            )  # fmt: skip
        return items

    def require_all_read(self) -> None:
        """Raises `DefinitionError` if a key is left that was not read."""
        for name in self._unread:
            raise DefinitionError(
                self.place_of(name[:MAX_LEN_ID]),
                msg("This is not part of a checklist. Check the spelling or remove it."),
            )

    def _text(self, name: str, max_length: int, *, required: bool, lines: bool = True) -> str:
        value = self._unread.pop(name, None)
        if (value is not None and not isinstance(value, str | int)) or isinstance(value, bool):
            raise DefinitionError(self.place_of(name), msg("This must be text"))
        text = trim(str("" if value is None else value))
        if required and not text:
            raise DefinitionError(self.place_of(name), msg("This is missing"))
        if problem := find_text_error(text, max_length, lines=lines):
            raise DefinitionError(self.place_of(name), problem)
        return text
