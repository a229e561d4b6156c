"""Limits on import files, the same for every format: bytes, parts, depth and CPU time.

Readers take time in proportion to the length of each part; these limits bound the number of parts.
"""

import time

from node.errors import InvalidInputError
from node.messages import msg

# Bytes; enough for the descriptions of all projects of a council.
MAX_BYTES = 1024 * 1024
# Bytes; the YAML parser is written in Python and takes seconds per MB.
MAX_YAML_BYTES = 128 * 1024
MAX_DEPTH = 20
# Values in a YAML or JSON document, which are checked one by one.
MAX_VALUES = 20_000
MAX_PROJECTS = 2_000
MAX_COLUMNS = 200
# XML elements; Pipeline exports about 40 per project.
MAX_ELEMENTS = 50 * MAX_PROJECTS
# CPU seconds to read one file, and as many again to render its projects.
MAX_CPU_SECONDS = 10.0
# Characters of HTML in one cell; a brief holds 50,000 characters of Markdown.
MAX_LEN_HTML = 100_000


class CpuDeadline:
    """CPU time left for one file, counted for the thread that created this."""

    def __init__(self, seconds: float = MAX_CPU_SECONDS) -> None:
        self._deadline = time.thread_time() + seconds

    def check(self) -> None:
        """Raise `InvalidInputError` once the time is used up. Called before each project."""
        if time.thread_time() > self._deadline:
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
            msg("The file must be %(size)sKB or smaller.", size=MAX_BYTES // 1024)
        )


def check_structure(depth: int, count: int) -> None:
    """Raises `InvalidInputError` for a document that is nested too deeply or has too many parts."""
    if depth > MAX_DEPTH:
        raise InvalidInputError(msg("The file is nested too deeply."))
    if count > MAX_VALUES:
        raise InvalidInputError(
            msg("The file has too much data to be a list of projects. Split it into smaller files.")
        )
