"""A project in a file: Markdown with title, summary and phase as YAML in front of it.

Also visibility (public, peers or private) and language (en or cy), where they are not public and
English.
"""

from pathlib import Path
from typing import Any

import yaml

from node.errors import InvalidInputError
from node.projects.writing import Text
from node.wording import say

FENCE = "---"
LONGEST_FRONT = 20_000
NEEDED = frozenset({"title", "summary", "phase"})
KEYS = NEEDED | {"visibility", "language"}


def read(file: Path) -> Text:
    """The project in a Markdown file with a YAML front matter. Raises `InvalidInputError`."""
    try:
        source = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInputError(
            say("%(file)s cannot be read: %(problem)s.", file=file, problem=error.strerror)
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(say("%(file)s is not UTF-8 text.", file=file)) from error
    return parse(source, str(file))


def parse(source: str, file: str) -> Text:
    """The project in the text of such a file. Raises `InvalidInputError`, which names `file`."""
    start, _, rest = source.partition(f"{FENCE}\n")
    front, fence, brief = rest.partition(f"\n{FENCE}\n")
    if len(front) > LONGEST_FRONT:
        raise InvalidInputError(
            say(
                "%(file)s has a front matter of more than %(most)s characters.",
                file=file,
                most=f"{LONGEST_FRONT:,}",
            )
        )
    try:
        # The base loader reads every value as the text it is written in, and nothing else.
        said = yaml.load(front, yaml.BaseLoader) if not start and fence else None  # noqa: S506
    except (yaml.YAMLError, RecursionError) as error:
        raise InvalidInputError(
            say("%(file)s has a front matter that is not valid YAML.", file=file)
        ) from error
    if not isinstance(said, dict):
        raise InvalidInputError(
            say(
                "%(file)s does not begin with a front matter between lines of %(fence)s.",
                file=file,
                fence=FENCE,
            )
        )
    unknown = set(said) - KEYS
    if unknown:
        raise InvalidInputError(
            say(
                "%(file)s has unknown keys: %(names)s.",
                file=file,
                names=", ".join(sorted(map(str, unknown))),
            )
        )
    for key, value in said.items():
        if not isinstance(value, str):
            raise InvalidInputError(
                say("%(file)s has more than one line of text as its %(key)s.", file=file, key=key)
            )
    given: dict[str, Any] = dict.fromkeys(NEEDED, "") | said
    return Text(**given, brief=brief)
