"""The command `moothall`, run in this process against a council's own database."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import structlog

from node.cli import main
from node.settings import ENVIRONMENT_PREFIX
from node.testing.nodes import Nodes, TestNode


class CommandResult(NamedTuple):
    """The output of a command, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line of a command that failed."""
        assert self.code != 0, self
        assert self.out == "", self
        assert self.err.startswith("moothall: "), self
        assert self.err.count("\n") == 1, self
        assert self.err.endswith("\n"), self
        return self.err.removeprefix("moothall: ").strip()


Command = Callable[..., CommandResult]


@pytest.fixture
def moothall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Run one command in an empty data folder; keywords are settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"{ENVIRONMENT_PREFIX}DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv(f"{ENVIRONMENT_PREFIX}LOG_LEVEL", "ERROR")

    def run(*arguments: object, **settings: object) -> CommandResult:
        with monkeypatch.context() as environment:
            for name, value in settings.items():
                environment.setenv(ENVIRONMENT_PREFIX + name.upper(), str(value))
            capsys.readouterr()  # discard earlier output
            with pytest.raises(SystemExit) as caught:
                main([str(argument) for argument in arguments])
        code = caught.value.code
        return CommandResult(code if isinstance(code, int) else -1, *capsys.readouterr())

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    mask = os.umask(0o022)
    yield run
    os.umask(mask)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def council(lasting_nodes: Nodes, moothall: Command, monkeypatch: pytest.MonkeyPatch) -> TestNode:
    """A council that is set up, the same for all tests of a module; commands run against it."""
    one = lasting_nodes.started[0] if lasting_nodes.started else lasting_nodes.start("aldermoor")
    for name in ("base_url", "database_url", "secret_key"):
        monkeypatch.setenv(ENVIRONMENT_PREFIX + name.upper(), str(getattr(one.node.settings, name)))
    return one
