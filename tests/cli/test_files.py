"""The files of a node: where they are made, and who may read them."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from node.settings import ENVIRONMENT_PREFIX

PROGRAM = "import os; os.umask(0o022); from node.cli import main; main()"
INIT = (
    "init",
    "--name=Brackwell",
    "--slug=brackwell",
    "--operator-name=Olu",
    "--operator-email=olu@brackwell.example",
)


def run(folder: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run one command in `folder`, by an account whose files everybody may read."""
    outside = {
        key: value for key, value in os.environ.items() if not key.startswith(ENVIRONMENT_PREFIX)
    }
    given = {"password": "three random words", "log_level": "ERROR"} | settings
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=outside | {f"{ENVIRONMENT_PREFIX}{key.upper()}": value for key, value in given.items()},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_reads_what_is_made_in_a_folder_that_was_open(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    run(tmp_path, *INIT, data_dir="data")
    assert mode(data) == 0o700
    made = [path for path in data.rglob("*") if path.is_file()]
    assert {"moothall.db", "jobs.db", "secret-key"} <= {path.name for path in made}
    assert {path.name: oct(mode(path)) for path in made if mode(path) & 0o077} == {}


@pytest.mark.parametrize("address", ["", "sqlite:///other.db"])
def test_nothing_is_made_outside_the_data_folder(tmp_path: Path, address: str) -> None:
    run(tmp_path, *INIT, data_dir="data", database_url=address)
    listed = run(tmp_path, "doctor", data_dir="data", database_url=address).stdout
    assert "ok    the council is set up" in listed
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    names = {path.name for path in (tmp_path / "data").iterdir()}
    assert (address.removeprefix("sqlite:///") or "moothall.db") in names
    assert "instance" not in names
