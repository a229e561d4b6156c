"""How much of a file is read: bytes, parts and seconds, the same for every format.

Nothing here depends on the format. What a reader does with one part takes time in proportion to its
length; these limits bound how many there are.
"""

import time

from node.errors import InvalidInputError
from node.messages import msg

# As much as the descriptions of a council's projects are.
MAX_BYTES = 1024 * 1024
# YAML is read by a parser in Python, which takes some seconds for each MB.
MAX_YAML_BYTES = 128 * 1024
MAX_DEPTH = 20
# Values of a document in YAML or JSON, all of whose parts are looked at one by one.
MAX_VALUES = 20_000
MAX_PROJECTS = 2_000
MAX_COLUMNS = 200
# Elements of XML: Pipeline has about 40 for each project.
MAX_ELEMENTS = 50 * MAX_PROJECTS
# Of CPU: to read one file, and once more for the HTML of what was read.
MAX_CPU_SECONDS = 10.0
# Of the HTML in one cell, in characters: a brief holds 50,000 of Markdown.
MAX_HTML = 100_000


class CpuDeadline:
    """The CPU time that one file may still take. One thread reads it."""

    def __init__(self, seconds: float = MAX_CPU_SECONDS) -> None:
        self._end = time.thread_time() + seconds

    def check(self) -> None:
        """Raises `InvalidInputError` once it is over. Asked before each project."""
        if time.thread_time() > self._end:
            raise InvalidInputError(
                msg(
                    "The file takes too long to read. Split it into smaller files, or "
                    "remove any HTML."
                )
            )


def check_bytes(data: bytes) -> None:
    """Raises `InvalidInputError` for a file that is too large."""
    if len(data) > MAX_BYTES:
        raise InvalidInputError(
            msg("The file must be %(size)s KB or smaller.", size=MAX_BYTES // 1024)
        )


def check_size(depth: int, count: int) -> None:
    """Raises `InvalidInputError` for a document that is nested too deeply or has too many parts."""
    if depth > MAX_DEPTH:
        raise InvalidInputError(msg("The file is nested too deeply."))
    if count > MAX_VALUES:
        raise InvalidInputError(
            msg("The file has too much data to be a list of projects. Split it into smaller files.")
        )
