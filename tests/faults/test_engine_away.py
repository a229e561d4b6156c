"""The job engine is down, or hangs: nobody waits for it, and all jobs run."""

import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from node.federating.models import Delivery
from node.jobs import Jobs
from node.testing.nodes import Nodes, make_settings
from node.testing.processes import free_port, wait_until


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a Redis that accepts connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)
def test_nobody_waits_for_an_engine_that_hangs(nodes: Nodes, hanging: str) -> None:
    node = nodes.start("aldermoor", jobs=hanging)

    def wake_many() -> str:
        token = node.publish("Bins")
        for seconds in range(20):
            node.node.jobs.wake(Delivery.JOB, timedelta(seconds=seconds))
        return token

    with ThreadPoolExecutor(1) as pool:
        token = pool.submit(wake_many).result(30)
    assert "Bins" in node.visitor().visit(f"/projects/{token}").text


def test_each_job_runs_by_itself_while_the_engine_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One that fails, too; and what the engine's own threads say of it is a line a minute."""
    monkeypatch.setattr("node.jobs.SWEEP_INTERVAL_SECONDS", 0.05)
    down = f"redis://127.0.0.1:{free_port()}/0"
    jobs = Jobs(make_settings("aldermoor", "", tmp_path, jobs=down), "a secret of tests")
    runs, failures = count(), count()

    def work() -> None:
        next(runs)
        jobs.wake("failing")

    def fail() -> None:
        next(failures)
        raise RuntimeError("no")

    jobs.register("working", work)
    jobs.register("failing", fail)
    with caplog.at_level(logging.ERROR):
        jobs.start()
        wait_until(lambda: repr(runs) > "count(40)" and repr(failures) > "count(40)", "both run")
        jobs.stop()
        jobs.close()
    of_engine = [record for record in caplog.records if record.name.startswith("huey")]
    assert len(of_engine) <= 1
    assert all(record.exc_info is None for record in of_engine)
