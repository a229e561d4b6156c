"""What stands in the log: one event a line, whoever has a hand in what is logged."""

import io
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from node import logs
from node.settings import Settings

PAINTED = "/x\x1b[31m\x07\x85\u2028\u202e\r\n2026-01-01 forged"


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure(Settings())
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_nothing_that_cannot_be_printed_comes_into_the_console(
    console: io.StringIO,
) -> None:
    structlog.get_logger("a").warning(PAINTED, path=PAINTED, listed=[PAINTED], **{PAINTED: 1})
    logging.getLogger("b").warning("%s", PAINTED)
    written = console.getvalue()
    lines = written.split("\n")
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert written.count("\\x1b[31m") == 5


def test_nor_with_a_traceback(console: io.StringIO) -> None:
    try:
        int(PAINTED)
    except ValueError:
        structlog.get_logger("a").exception("failed")
    written = console.getvalue()
    assert "\nTraceback" in written
    assert all(line.isprintable() for line in written.split("\n"))
