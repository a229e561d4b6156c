"""Reads a project from a Markdown file, with or without YAML front matter.

The front matter gives title, summary and phase, and optionally visibility (public, peers or
private; default public) and language (en or cy; default en). Without it, the first heading is the
title.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node.errors import InvalidInputError
from node.importing.briefs import first_sentence
from node.importing.limits import MAX_BYTES, check_bytes
from node.importing.parsed_project import FieldCleaner, ParsedProject
from node.importing.safe_parsing import decode_text, read_yaml
from node.messages import msg
from node.projects.validation import ProjectInput

FRONT_MATTER_FENCE = "---"
FRONT_MATTER_PATTERN = re.compile(
    rf"{FRONT_MATTER_FENCE}[ \t]*\n(?P<front>(?:.*\n)*?){FRONT_MATTER_FENCE}[ \t]*(?:\n|\Z)"
)
HEADING_PATTERN = re.compile(r"\s*#[ \t]+(?P<title>[^\n]+)")
FRONT_MATTER_KEYS = frozenset({"title", "summary", "phase", "visibility", "language"})


def read_file(file: Path) -> ProjectInput:
    """The project in a file with front matter. Raises `InvalidInputError` that names the file."""
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
    """The project in Markdown, with or without front matter. Raises `InvalidInputError`."""
    text = _unix_line_ends(source)
    if text.startswith(f"{FRONT_MATTER_FENCE}\n"):
        return ParsedProject(_parse_front_matter(text))
    cleaner = FieldCleaner()
    heading = HEADING_PATTERN.match(text)
    title = cleaner.line("title", heading["title"].rstrip("# \t")) if heading else ""
    brief = cleaner.prose("brief", text[heading.end() :] if heading else text)
    summary, _ = cleaner.summary("summary", first_sentence(brief))
    phase = cleaner.phase("phase", None).value
    return ParsedProject(
        ProjectInput(title, summary, phase, brief),
        notes=cleaner.notes,
        assumed=frozenset({"summary", "phase", "language"}),
    )


def _unix_line_ends(source: str) -> str:
    return source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _parse_front_matter(text: str) -> ProjectInput:
    parts = FRONT_MATTER_PATTERN.match(text)
    front = read_yaml(parts["front"]) if parts else None
    if parts is None or not isinstance(front, Mapping):
        raise InvalidInputError(
            msg(
                "The file must begin with front matter between lines of %(fence)s.",
                fence=FRONT_MATTER_FENCE,
            )
        )
    unknown = sorted(map(str, set(front) - FRONT_MATTER_KEYS))
    if unknown:
        raise InvalidInputError(
            msg("The front matter has unknown keys: %(names)s.", names=", ".join(unknown[:20]))
        )
    values: dict[str, Any] = dict.fromkeys(("title", "summary", "phase"), "")
    for key, value in front.items():
        if isinstance(value, str):
            values[key] = value
        elif value is not None:
            raise InvalidInputError(
                msg("In the front matter, %(key)s must be plain text.", key=key)
            )
    return ProjectInput(**values, brief=text[parts.end() :])
