"""A real Redis for tests: the machine's `redis-server` on a free port, without persistence."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from node.testing.processes import START_SECONDS, free_port
from node.testing.requirements import end_as_not_run

PROGRAM = "redis-server"


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis that starts empty and lasts as long as the run."""
    program = shutil.which(PROGRAM)
    if program is None:
        end_as_not_run("there is no redis-server on this machine")
    port = free_port()
    with subprocess.Popen(
        [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"],
        cwd=tmp_path_factory.mktemp("redis"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait(port, process)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("Redis does not answer")
