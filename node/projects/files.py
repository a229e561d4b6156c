"""A project in a file: Markdown with title, summary and phase as YAML in front of it.

Also visibility (public, peers or private) and language (en or cy), where they are not public and
English.
"""

from pathlib import Path
from typing import Any

import yaml

from node.errors import InvalidInputError
from node.projects.writing import Text

FENCE = "---"
NEEDED = frozenset({"title", "summary", "phase"})
KEYS = NEEDED | {"visibility", "language"}


def read(file: Path) -> Text:
    """The project in a Markdown file with a YAML front matter. Raises `InvalidInputError`."""
    try:
        source = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{file} is not UTF-8 text.") from error
    start, _, rest = source.partition(f"{FENCE}\n")
    front, fence, brief = rest.partition(f"\n{FENCE}\n")
    try:
        # The base loader reads every value as the text it is written in, and nothing else.
        said = yaml.load(front, yaml.BaseLoader) if not start and fence else None  # noqa: S506
    except (yaml.YAMLError, RecursionError) as error:
        raise InvalidInputError(f"{file} has a front matter that is not valid YAML.") from error
    if not isinstance(said, dict):
        raise InvalidInputError(
            f"{file} does not begin with a front matter between lines of {FENCE}."
        )
    unknown = set(said) - KEYS
    if unknown:
        raise InvalidInputError(f"{file} has unknown keys: {', '.join(sorted(map(str, unknown)))}.")
    for key, value in said.items():
        if not isinstance(value, str):
            raise InvalidInputError(f"{file} has more than one line of text as its {key}.")
    given: dict[str, Any] = dict.fromkeys(NEEDED, "") | said
    return Text(**given, brief=brief)
