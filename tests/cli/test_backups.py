"""`moothall backup` and `moothall restore`, on both databases."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.schema_migrations import find_heads
from node.settings import ENVIRONMENT_PREFIX
from node.testing.nodes import TestNode
from node.testing.postgres import programs_folder
from node.testing.processes import free_port
from tests.cli.conftest import Command

BASE_URL = "https://aldermoor.test"
PASSPHRASE = "an oak table of seven legs"
PROJECT = "---\ntitle: {title}\nsummary: S\nphase: beta\n---\nB"
PROGRAM = "from node.cli import main; main()"


@pytest.fixture(autouse=True)
def _postgresql_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client programs of the version of the tests' server."""
    monkeypatch.setenv("PATH", f"{programs_folder()}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def node(moothall: Command, database_url: str, tmp_path: Path) -> dict[str, str]:
    """The settings of a node that has one project, "Bins"."""
    settings = {"base_url": BASE_URL, "database_url": database_url, "silent_days": "40"}
    done = moothall(
        *("init", "--name=Aldermoor", "--slug=aldermoor"),
        *("--operator-name=Olu", "--operator-email=olu@aldermoor.example"),
        password="three random words",
        **settings,
    )
    assert done.code == 0, done
    publish(moothall, tmp_path, "Bins", settings)
    return settings


def publish(moothall: Command, folder: Path, title: str, settings: dict[str, str]) -> None:
    (folder / "project.md").write_text(PROJECT.format(title=title))
    assert moothall("project", "publish", folder / "project.md", **settings).code == 0


def titles(moothall: Command, settings: dict[str, str]) -> list[str]:
    listed = moothall("project", "list", **settings)
    assert listed.code == 0, listed
    return sorted(line.split("\t")[-1] for line in listed.out.splitlines())


@pytest.fixture
def other_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """Another empty database of the same kind."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'other.db'}"
        return
    server = request.getfixturevalue("postgres")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


def test_a_restored_node_is_what_was_backed_up(
    moothall: Command, node: dict[str, str], other_url: str, tmp_path: Path
) -> None:
    """On a machine that has the file, an empty database and the passphrase, if there is one."""
    encrypted = {"backup_passphrase": PASSPHRASE} if "sqlite" in other_url else {}
    secret = (tmp_path / "data" / "secret-key").read_text()
    file = tmp_path / "aldermoor.backup"
    taken = moothall("backup", file, **node, **encrypted)
    assert (taken.code, taken.err) == (0, "")
    assert taken.out == f"Backed up {BASE_URL} to {file}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (b"silent_days" in file.read_bytes()) is False, "compressed or encrypted"
    publish(moothall, tmp_path, "Written after the backup", node)
    shutil.rmtree(tmp_path / "data")

    settings = {"database_url": other_url}  # all else comes with the backup
    restored = moothall("restore", file, **settings, **encrypted)
    assert (restored.code, restored.err) == (0, ""), restored
    assert restored.out.startswith(f"Restored {BASE_URL} as it was at ")
    assert "The settings of the backup are in moothall.toml." in restored.out
    assert "FAIL" not in restored.out
    assert (tmp_path / "data" / "secret-key").read_text() == secret
    assert "silent_days = 40" in (tmp_path / "moothall.toml").read_text()
    assert titles(moothall, settings) == ["Bins"]
    publish(moothall, tmp_path, "Written after the restore", settings)
    assert titles(moothall, settings) == ["Bins", "Written after the restore"]


def changed(content: bytes) -> bytes:
    """Changed in the middle, in so many bytes that no compression makes the same of them."""
    middle = len(content) // 2
    wrong = bytes(byte ^ 0xFF for byte in content[middle : middle + 64])
    return content[:middle] + wrong + content[middle + 64 :]


def test_a_backup_that_is_damaged_or_of_another_node_is_refused(
    council: TestNode, moothall: Command, tmp_path: Path
) -> None:
    """The doctor says so too, and nothing is changed."""
    file = tmp_path / "aldermoor.backup"
    encrypted = tmp_path / "encrypted.backup"
    assert moothall("backup", file).code == 0
    assert moothall("backup", encrypted, backup_passphrase=PASSPHRASE).code == 0
    settings = {"database_url": f"sqlite:///{tmp_path / 'other.db'}"}
    whole, locked = file.read_bytes(), encrypted.read_bytes()

    def refusal(content: bytes, **more: str) -> str:
        file.write_bytes(content)
        checked = moothall("doctor", "--backup", file, **settings, **more)
        refused = moothall("restore", file, **settings, **more).refusal
        assert (checked.code, checked.out) == (
            1,
            f"FAIL  aldermoor.backup can be restored: {refused}\n",
        )
        return refused

    damaged = "aldermoor.backup is not a backup, or is damaged."
    assert refusal(whole[: len(whole) // 2]) == damaged
    assert refusal(b"no backup at all" * 100) == damaged
    assert refusal(b"") == damaged
    assert "damaged" in refusal(changed(whole))
    assert "decrypted" in refusal(changed(locked), backup_passphrase=PASSPHRASE)
    assert refusal(locked, backup_passphrase="of another") == "The passphrase is not correct."
    with tarfile.open(file, "w:gz") as archive:
        archive.add(__file__, "../outside.py")
    assert refusal(file.read_bytes()) == (
        "This is not a backup: it does not start with a manifest."
    )
    assert not (tmp_path / "other.db").exists()

    file.write_bytes(whole)
    assert moothall("doctor", "--backup", file).out == "ok    aldermoor.backup can be restored\n"
    elsewhere = moothall("restore", file, **settings, base_url="https://brackwell.test").refusal
    assert elsewhere.startswith(f"This backup is of {BASE_URL}, and base_url is https://brackwell")
    assert moothall("restore", file).refusal == (
        "This server is not empty. A backup can only be restored to an empty server."
    )
    if council.node.engine.dialect.name == "postgresql":
        assert "another kind of database" in moothall("restore", file, **settings).refusal


@pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True)
def test_a_backup_replaces_no_file_and_leaves_none_where_it_fails(
    council: TestNode, moothall: Command, tmp_path: Path
) -> None:
    file = tmp_path / "aldermoor.backup"
    assert moothall("backup", file).code == 0
    before = file.read_bytes()
    assert moothall("backup", file).refusal == f"{file} already exists. Choose a new file name."
    assert file.read_bytes() == before
    other = {"database_url": f"sqlite:///{tmp_path / 'other.db'}"}
    assert moothall("backup", tmp_path / "empty.backup", **other).refusal == (
        "There is nothing to back up: this server has not been set up yet."
    )
    missing = tmp_path / "nowhere" / "aldermoor.backup"
    assert "cannot be written" in moothall("backup", missing).refusal
    made = {path.name for path in tmp_path.iterdir()}
    assert {name for name in made if "backup" in name or name.startswith(".")} == {file.name}


@pytest.mark.parametrize(
    "revision, reason",
    [
        ("later", "This backup was made by a newer version of Moothall"),
        (
            "0034",
            "This backup is at migration 0034, from before version 0.1.0. Restore it with the",
        ),
    ],
)
def test_a_backup_of_a_newer_or_much_older_version_is_refused(
    council: TestNode, moothall: Command, tmp_path: Path, revision: str, reason: str
) -> None:
    file = tmp_path / "aldermoor.backup"
    with council.node.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    try:
        assert moothall("backup", file).code == 0
    finally:
        with council.node.engine.begin() as connection:
            known = find_heads(council.node.hooks)["core"]
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{known}'")
    refused = moothall("restore", file, database_url=f"sqlite:///{tmp_path / 'other.db'}").refusal
    assert refused.startswith(reason)


@pytest.fixture
def serve(tmp_path: Path) -> "Callable[[dict[str, str]], subprocess.Popen[str]]":
    """Start `moothall serve` and wait until it listens."""

    def start(settings: dict[str, str]) -> "subprocess.Popen[str]":
        outside = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(ENVIRONMENT_PREFIX)
        }
        given = {"data_dir": str(tmp_path / "data"), "log_level": "ERROR"} | settings
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "serve"],
            env=outside
            | {f"{ENVIRONMENT_PREFIX}{key.upper()}": value for key, value in given.items()},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        assert process.stdout.readline().startswith("Listening")
        return process

    return start


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_running_node_is_backed_up_and_loses_no_tables(
    moothall: Command,
    node: dict[str, str],
    tmp_path: Path,
    serve: "Callable[[dict[str, str]], subprocess.Popen[str]]",
) -> None:
    process = serve(node | {"listen": f"localhost:{free_port()}"})
    file = tmp_path / "aldermoor.backup"
    # On another machine than the node, as far as its data folder tells.
    elsewhere = node | {"data_dir": str(tmp_path / "elsewhere")}
    settings = node if node["database_url"].startswith("sqlite") else elsewhere
    try:
        assert moothall("backup", file, **node).code == 0
        for command in (("restore", file), ("plugin", "purge", "checklists", "--yes")):
            assert moothall(*command, **settings).refusal == (
                "The server is running. Stop each of its processes first."
            )
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert moothall("restore", file, **settings).refusal.startswith("This server is not empty.")
