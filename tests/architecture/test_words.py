"""The glossary in docs/words.md: words that it replaces are used nowhere."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from node.cli import moothall
from node.web.message_extraction import extract, source_folders

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "words.md"
CODE = ("node", "federation", "plugins")
# Names of things and phrases of other programs, in which a replaced word is not ours.
QUOTED = re.compile(r"https?://\S+|`[^`]*`|“[^”]*”|<[^>]*>|%\(\w+\)s|\S+\.csv|\bMOOTHALL_\w+")


def rows(columns: int) -> Iterator[list[str]]:
    """The cells of the glossary's tables with so many columns, without their headings."""
    for line in GLOSSARY.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == columns and not set(line) <= set("|- "):
            yield cells


def words(cell: str) -> list[str]:
    """The words of a cell, without the remarks in brackets."""
    return [word for part in re.sub(r"\(.*?\)", "", cell).split(",") if (word := part.strip())]


THINGS = list(rows(5))[1:]
PHRASES = list(rows(2))[1:]
IN_CODE = {word for row in THINGS for word in re.findall(r"`(\w+)`", row[3])}
REPLACED = sorted({word for row in THINGS + PHRASES for word in words(row[-1])})


def uses(text: str, word: str) -> bool:
    """Whether a text uses a word, in the singular or plural, outside quotations."""
    return bool(re.search(rf"\b{re.escape(word)}s?\b", QUOTED.sub("", text), re.IGNORECASE))


@cache
def strings() -> list[str]:
    """The English strings of pages, emails and errors."""
    return [
        text
        for folders in source_folders().values()
        for message in extract(folders)
        for text in ([message.id] if isinstance(message.id, str) else message.id)
    ]


def commands(command: click.Command = moothall) -> Iterator[tuple[str, str]]:
    """The name and the help of each command and option."""
    yield command.name or "", command.help or ""
    for parameter in command.params:
        yield f"{command.name} {parameter.name}", getattr(parameter, "help", None) or ""
    for child in getattr(command, "commands", {}).values():
        yield from commands(child)


def settings() -> Iterator[str]:
    return iter((ROOT / "docs" / "operator" / "settings.md").read_text().splitlines())


def modules() -> Iterator[str]:
    """The words in the names of folders and modules."""
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.py"):
            yield path.relative_to(ROOT).with_suffix("").as_posix()


def test_the_glossary_was_read() -> None:
    assert len(THINGS) > 50
    assert len(PHRASES) > 10
    assert {"notice", "node", "somebody", "Not said"} <= set(REPLACED)


def test_each_thing_has_one_name() -> None:
    for column in (0, 1, 2):
        names = [name for row in THINGS for name in [row[column]] if name not in ("", "–")]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("word", REPLACED)
def test_no_string_uses_a_word_that_was_replaced(word: str) -> None:
    assert [text for text in strings() if uses(text, word)] == []


@pytest.mark.parametrize("word", REPLACED)
def test_no_command_uses_a_word_that_was_replaced(word: str) -> None:
    assert [name for name, text in commands() if uses(text, word)] == []


@pytest.mark.parametrize("word", REPLACED)
def test_no_setting_uses_a_word_that_was_replaced(word: str) -> None:
    assert [line for line in settings() if uses(line, word)] == []


@pytest.mark.parametrize("word", sorted(set(REPLACED) - IN_CODE))
def test_no_module_is_named_after_a_word_that_was_replaced(word: str) -> None:
    pattern = re.compile(rf"(?:^|[/_]){re.escape(word.replace(' ', '_'))}s?(?:$|[/_])")
    assert [name for name in modules() if pattern.search(name)] == []
