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
from node.importing.limits import MAX_BYTES, check_bytes
from node.importing.parsed_project import FieldCleaner, ParsedProject
from node.importing.structured import decode_text, read_yaml
from node.messages import msg
from node.projects.validation import ProjectInput

FENCE = "---"
FRONT_MATTER = re.compile(rf"{FENCE}[ \t]*\n(?P<front>(?:.*\n)*?){FENCE}[ \t]*(?:\n|\Z)")
HEADING = re.compile(r"\s*#[ \t]+(?P<title>[^\n]+)")
FRONT_MATTER_KEYS = frozenset({"title", "summary", "phase", "visibility", "language"})


def read_file(file: Path) -> ProjectInput:
    """The project in a file with a front matter. Raises `InvalidInputError`, which names it."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInputError(
            msg("%(file)s cannot be read: %(problem)s.", file=file, problem=error.strerror)
        ) from error
    try:
        check_bytes(data)
        return _parse_front_matter(_unix_line_ends(decode_text(data)))
    except InvalidInputError as error:
        raise InvalidInputError(
            msg("%(file)s is not a project file: %(problem)s", file=file, problem=error.safe_text)
        ) from error


def parse(source: str) -> ParsedProject:
    """The project in the text of such a file, with a front matter or without one. Raises
    `InvalidInputError`.
    """
    text = _unix_line_ends(source)
    if text.startswith(f"{FENCE}\n"):
        return ParsedProject(_parse_front_matter(text))
    sieve = FieldCleaner()
    heading = HEADING.match(text)
    title = sieve.line("title", heading["title"].rstrip("# \t")) if heading else ""
    brief = sieve.prose("brief", text[heading.end() :] if heading else text)
    summary, _ = sieve.summary("summary", first_sentence(brief))
    phase = sieve.phase("phase", None).value
    return ParsedProject(
        ProjectInput(title, summary, phase, brief),
        notes=sieve.notes,
        assumed=frozenset({"summary", "phase", "language"}),
    )


def _unix_line_ends(source: str) -> str:
    """With the line ends of Unix."""
    return source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _parse_front_matter(text: str) -> ProjectInput:
    parts = FRONT_MATTER.match(text)
    front = read_yaml(parts["front"]) if parts else None
    if parts is None or not isinstance(front, Mapping):
        raise InvalidInputError(
            msg("The file must begin with front matter between lines of %(fence)s.", fence=FENCE)
        )
    unknown = sorted(map(str, set(front) - FRONT_MATTER_KEYS))
    if unknown:
        raise InvalidInputError(
            msg("The front matter has unknown keys: %(names)s.", names=", ".join(unknown[:20]))
        )
    given: dict[str, Any] = dict.fromkeys(("title", "summary", "phase"), "")
    for key, value in front.items():
        if isinstance(value, str):
            given[key] = value
        elif value is not None:
            raise InvalidInputError(
                msg("In the front matter, %(key)s must be plain text.", key=key)
            )
    return ProjectInput(**given, brief=text[parts.end() :])
