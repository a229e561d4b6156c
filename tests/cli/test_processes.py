"""Real processes: a node that is started for the first time, and a worker that delivers."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis

from node.settings import ENVIRONMENT_PREFIX
from node.testing.postgres import PostgresServer
from node.testing.processes import free_port
from tests.cli.conftest import Command

PROGRAM = "from node.cli import main; main()"
# A slow machine, not a fast one, decides this.
PATIENCE = 60.0

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start `moothall` with these settings."""
    running: list[subprocess.Popen[str]] = []

    def make(settings: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
        outside = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(ENVIRONMENT_PREFIX)
        }
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            env=outside
            | {f"{ENVIRONMENT_PREFIX}{key.upper()}": value for key, value in settings.items()},
            cwd=settings["data_dir"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield make
    for process in running:
        process.kill()
        process.communicate()


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline()


def settings_for(folder: Path, name: str, ports: tuple[int, int], **more: str) -> dict[str, str]:
    """The settings of a node at the first of two ports, which may speak with the second."""
    data = folder / name
    data.mkdir()
    return {
        "base_url": f"http://localhost:{ports[0]}",
        "data_dir": str(data),
        "private_hosts": f"localhost:{ports[0]},localhost:{ports[1]}",
        "log_level": "ERROR",
        **more,
    }


def set_up(moothall: Command, settings: dict[str, str], name: str) -> None:
    done = moothall(
        "init",
        f"--name={name.title()} Council",
        f"--slug={name}",
        "--operator-name=Olu",
        f"--operator-email=olu@{name}.example",
        password="three random words",
        **settings,
    )
    assert done.code == 0, done


def test_a_new_node_says_where_to_set_it_up_and_stops_when_asked(
    tmp_path: Path, start: Start
) -> None:
    port = free_port()
    listen = f"127.0.0.1:{port}"
    process = start(settings_for(tmp_path, "aldermoor", (port, port), listen=listen), "serve")
    assert first_line(process) == f"Listening on {listen} for http://localhost:{port}\n"
    invitation = first_line(process)
    assert invitation.startswith(f"Set up the server at http://localhost:{port}/first-run?token=")
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=PATIENCE) == ("", "")
    assert process.returncode == 0


def test_a_password_costs_who_guesses_it_what_argon2_asks_for(tmp_path: Path, start: Start) -> None:
    """The other tests make it cheap; a council's program does not."""
    settings = settings_for(tmp_path, "aldermoor", (443, 443), password="three random words")
    names = ["--name=Aldermoor", "--slug=aldermoor", "--operator-name=Olu"]
    process = start(settings, "init", *names, "--operator-email=olu@aldermoor.example")
    assert process.communicate(timeout=PATIENCE)[1] == ""
    with closing(sqlite3.connect(Path(settings["data_dir"]) / "moothall.db")) as database:
        ((hashed,),) = database.execute("SELECT password FROM users").fetchall()
    # OWASP's Password Storage Cheat Sheet: 19 MiB, two passes.
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_node_needs_its_address_for_itself(tmp_path: Path, start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = settings_for(tmp_path, "aldermoor", (port, port), listen=f"127.0.0.1:{port}")
        process = start(settings, "serve")
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"moothall: Cannot listen on 127.0.0.1:{port}: ")


@pytest.mark.parametrize("engine", ["postgresql", "redis"])
def test_a_worker_on_postgresql_sends_and_receives(
    engine: str,
    tmp_path: Path,
    moothall: Command,
    start: Start,
    postgres: PostgresServer,
    request: pytest.FixtureRequest,
) -> None:
    """What one council's commands put into its database, its worker takes to the other council.

    Which engine wakes the worker is a setting, and nothing else.
    """
    database = postgres.create_database()
    ports = free_port(), free_port()
    at = {"database_url": postgres.url(database)}
    in_database = at["database_url"].replace("+psycopg", "")
    is_redis = engine == "redis"
    jobs = {"jobs": request.getfixturevalue("redis_url") if is_redis else in_database}
    ours = settings_for(tmp_path, "aldermoor", ports, **at, **jobs)
    theirs = settings_for(tmp_path, "brackwell", (ports[1], ports[0]))
    set_up(moothall, ours, "aldermoor")
    set_up(moothall, theirs, "brackwell")
    moothall("peer", "allow", f"localhost:{ports[0]}", **theirs)
    (tmp_path / "project.md").write_text("---\ntitle: Bins\nsummary: S\nphase: beta\n---\nB")
    uri = moothall("project", "publish", tmp_path / "project.md", **theirs).out.strip()

    programs = [(theirs, "serve"), (ours, "serve"), (ours, "worker")]
    there, here, worker = (start(settings, name) for settings, name in programs)
    assert first_line(there).endswith(f" for http://localhost:{ports[1]}\n")
    assert first_line(here).endswith(f" for http://localhost:{ports[0]}\n")
    assert first_line(worker) == "The worker is running\n"
    asked = moothall("peer", "follow", f"@brackwell@localhost:{ports[1]}", **ours)
    assert asked.out == f"Asked to follow Brackwell Council (@brackwell@localhost:{ports[1]})\n"
    deadline = time.monotonic() + PATIENCE
    listed = ""
    while not listed and time.monotonic() < deadline:
        time.sleep(0.2)  # between two looks; nothing waits for its length
        listed = moothall("project", "list", **ours).out
    assert listed == f"{uri}\tbeta\tBrackwell Council\tBins\n"
    assert moothall("peer", "list", **ours).out.startswith(f"localhost:{ports[1]}\tallowed\t")
    if is_redis:
        with closing(Redis.from_url(jobs["jobs"])) as client:
            asked_for = client.info("commandstats")
        assert {"cmdstat_lpush", "cmdstat_brpop"} <= asked_for.keys(), "woken through it"
    worker.send_signal(signal.SIGTERM)
    assert worker.communicate(timeout=PATIENCE) == ("", "")
    assert worker.returncode == 0
    here.kill()
    here.communicate()
    postgres.drop_database(database)
