"""Servers of other software, each in a process of its own, and what a test tells them to do."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from node.testing.processes import START_SECONDS, free_port
from node.testing.requirements import end_as_not_run
from tests.interop.front import Front

HERE = Path(__file__).parent
# What `./dev test` builds, from the lock files in .ci/lock.
ENVIRONMENT = HERE.parents[1] / ".interop"
MODULES = ENVIRONMENT / "fedify" / "node_modules"
# The contexts as their authors publish them, which Fedify brings along.
CONTEXTS = MODULES / "@fedify" / "vocab-runtime" / "src" / "contexts"
# What a server may need to reach us and us alone.
NAMES = HERE / "names"
ANSWER_SECONDS = 30


@dataclass(frozen=True)
class Neighbour:
    """A server of other software, with one actor whose short name is `who`."""

    name: str
    who: str
    authority: str
    control_port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def address(self) -> str:
        """`@name@host:port`, as people type it."""
        return f"@{self.who}@{self.authority}"

    def wait(self) -> None:
        """Wait until it does what it is told."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.do("seen")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"{self.name} does not answer:\n{self.log.read_text()[-4000:]}")

    def do(self, command: str, **given: Any) -> Any:
        """Tell it to do something, and wait until that is done; its answer."""
        connection = HTTPConnection("127.0.0.1", self.control_port, timeout=ANSWER_SECONDS)
        try:
            connection.request("POST", "/", json.dumps({"do": command, **given}))
            answer = connection.getresponse()
            body = answer.read().decode()
        finally:
            connection.close()
        assert answer.status == 200, f"{self.name} cannot {command}: {body}"
        return json.loads(body)


@contextmanager
def fedify(front: Front, folder: Path, trusted: Path) -> Iterator[Neighbour]:
    """A server made with Fedify on Node.js."""
    _require_environment()
    # A module is looked for beside the file that imports it.
    program = folder / "server.mjs"
    shutil.copy(HERE / "fedify" / program.name, program)
    (folder / "node_modules").symlink_to(MODULES)
    command = (ENVIRONMENT / "bin" / "node", "--require", NAMES / "names.cjs", program)
    more = {"NODE_EXTRA_CA_CERTS": str(trusted)}
    with _running("fedify", "fedify", command, front, folder, **more) as running:
        yield running


@contextmanager
def bovine(front: Front, folder: Path, trusted: Path) -> Iterator[Neighbour]:
    """A server made with bovine-herd on Python. It shows its actor to signed requests only."""
    _require_environment()
    command = (ENVIRONMENT / "bin" / "python", HERE / "bovine" / "server.py")
    more = {
        "SSL_CERT_FILE": str(trusted),
        "PYTHONPATH": str(NAMES),
        "CONTEXTS": str(CONTEXTS),
    }
    with _running("bovine", "herd", command, front, folder, **more) as running:
        yield running


@contextmanager
def pubby(front: Front, folder: Path, trusted: Path) -> Iterator[Neighbour]:
    """A server made with pubby on Flask."""
    _require_environment()
    command = (ENVIRONMENT / "bin" / "python", HERE / "pubby" / "server.py")
    more = {"REQUESTS_CA_BUNDLE": str(trusted), "PYTHONPATH": str(NAMES)}
    with _running("pubby", "blog", command, front, folder, **more) as running:
        yield running


@contextmanager
def _running(
    name: str, who: str, command: Sequence[str | Path], front: Front, folder: Path, **more: str
) -> Iterator[Neighbour]:
    port, control = free_port(), free_port()
    authority = front.authority(f"{name}.test")
    log = folder / "log"
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "ORIGIN": f"https://{authority}",
        "PORT": str(port),
        "CONTROL_PORT": str(control),
        "STRANGE_NAMES": str(folder.parent / "strange-names"),
        **more,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    front.backends[f"{name}.test"] = port
    try:
        yield Neighbour(name, who, authority, control, process, log)
    finally:
        process.kill()
        process.wait(10)


def _require_environment() -> None:
    """It is whole once its stamp says what it was made from."""
    stamp = ENVIRONMENT / "moothall-environment.json"
    if not stamp.exists() or stamp.read_text() == "{}":
        end_as_not_run(
            "the servers of other software, which ./dev test builds where the network allows"
        )
