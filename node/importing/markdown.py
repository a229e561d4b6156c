"""A project in a file of Markdown, with title, summary and phase as YAML in front of it, or without
it: then its first heading is the title.

The front matter may also say the visibility (public, peers or private) and the language (en or cy),
where they are not public and English.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node.errors import InvalidInputError
from node.importing.briefs import first_sentence
from node.importing.found import Found, Sieve
from node.importing.limits import MAX_BYTES, check_bytes
from node.importing.structured import read_yaml, text_of
from node.projects.writing import Text
from node.wording import say

FENCE = "---"
FRONT = re.compile(rf"{FENCE}[ \t]*\n(?P<front>(?:.*\n)*?){FENCE}[ \t]*(?:\n|\Z)")
HEADING = re.compile(r"\s*#[ \t]+(?P<title>[^\n]+)")
KEYS = frozenset({"title", "summary", "phase", "visibility", "language"})


def read(file: Path) -> Text:
    """The project in a file with a front matter. Raises `InvalidInputError`, which names it."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInputError(
            say("%(file)s cannot be read: %(problem)s.", file=file, problem=error.strerror)
        ) from error
    try:
        check_bytes(data)
        return _with_front_matter(_lines(text_of(data)))
    except InvalidInputError as error:
        raise InvalidInputError(
            say("%(file)s is not a project file: %(problem)s", file=file, problem=error.safe_text)
        ) from error


def parse(source: str) -> Found:
    """The project in the text of such a file, with a front matter or without one. Raises
    `InvalidInputError`.
    """
    text = _lines(source)
    if text.startswith(f"{FENCE}\n"):
        return Found(_with_front_matter(text))
    sieve = Sieve()
    heading = HEADING.match(text)
    title = sieve.line("title", heading["title"].rstrip("# \t")) if heading else ""
    brief = sieve.prose("brief", text[heading.end() :] if heading else text)
    summary, _ = sieve.summary("summary", first_sentence(brief))
    phase = sieve.phase("phase", None).value
    return Found(
        Text(title, summary, phase, brief),
        notes=sieve.notes,
        assumed=frozenset({"summary", "phase", "language"}),
    )


def _lines(source: str) -> str:
    """With the line ends of Unix."""
    return source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _with_front_matter(text: str) -> Text:
    parts = FRONT.match(text)
    front = read_yaml(parts["front"]) if parts else None
    if parts is None or not isinstance(front, Mapping):
        raise InvalidInputError(
            say("The file must begin with front matter between lines of %(fence)s.", fence=FENCE)
        )
    unknown = sorted(map(str, set(front) - KEYS))
    if unknown:
        raise InvalidInputError(
            say("The front matter has unknown keys: %(names)s.", names=", ".join(unknown[:20]))
        )
    given: dict[str, Any] = dict.fromkeys(("title", "summary", "phase"), "")
    for key, value in front.items():
        if isinstance(value, str):
            given[key] = value
        elif value is not None:
            raise InvalidInputError(
                say("In the front matter, %(key)s must be plain text.", key=key)
            )
    return Text(**given, brief=text[parts.end() :])
