"""Runs nodes in processes of their own, which tests can kill at any moment and start again."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import cache
from importlib import import_module
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from federation import retry
from node import jobs, logs
from node.app import create_app, get_node
from node.settings import ENVIRONMENT_PREFIX, Settings
from node.testing import cheap_passwords
from node.testing.clocks import MovableClock
from node.web_server import run_worker, serve

# Only reached by a process that hangs; a start has taken over a minute on a busy machine.
START_SECONDS = 300.0
# Until an action in one process shows in another, on slow machines too. Longer than the first
# cool-down of a failed host.
MAX_WAIT_SECONDS = 100.0
# The cool-down of a failed host, short because tests wait for it.
SHORT_RETRY_DELAY = timedelta(seconds=2)
MOOTHALL_PROGRAM = "import sys; from node.cli import main; main(sys.argv[1:])"


@dataclass
class NodeProcess:
    """A process of a node: a web server at `settings.listen_address`, or with the command `worker`
    one that runs jobs.

    `runs_program` starts it as `moothall serve`. Otherwise it is forked from a process that has
    imported the node already, which is faster; then jobs run every `sweep_seconds`, `constants`
    overrides constants such as `node.database.engine.LOCK_TIMEOUT_SECONDS`, and the time is that of
    `clock`.
    """

    settings: Settings
    runs_program: bool = False
    command: str = "serve"
    sweep_seconds: float = jobs.SWEEP_INTERVAL_SECONDS
    constants: Mapping[str, object] = field(default_factory=dict)
    clock: MovableClock = field(default_factory=MovableClock)
    _running: "BaseProcess | subprocess.Popen[bytes] | None" = None

    def launch(self, **changes: object) -> None:
        """Start the process, with `changes` to the settings for this run."""
        if self._running is not None:
            raise AssertionError("it runs already")
        settings = Settings(**(_settings_values(self.settings) | changes))  # type: ignore[arg-type]
        if self.runs_program:
            with self.log.open("ab") as log:
                self._running = subprocess.Popen(
                    [sys.executable, "-c", MOOTHALL_PROGRAM, self.command],
                    env={**_foreign_environment(), **_environment(settings)},
                    cwd=settings.data_dir,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
        else:
            self._running = _fork_server().Process(
                target=_run_node,
                args=(self.command, settings, self.log, self.clock),
                kwargs={"node.jobs.SWEEP_INTERVAL_SECONDS": self.sweep_seconds, **self.constants},
            )
            self._running.start()

    def wait(self) -> None:
        """Wait until the process accepts connections."""
        host, _, port = self.settings.listen_address.rpartition(":")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.is_alive:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"the node does not answer:\n{self.log.read_text()[-4000:]}")

    def start(self, **changes: object) -> None:
        self.launch(**changes)
        self.wait()

    def kill(self) -> None:
        """Kill the process as `kill -9` does, without any clean-up."""
        if self._running is None:
            raise AssertionError("it does not run")
        os.kill(self._running.pid or 0, signal.SIGKILL)
        if isinstance(self._running, subprocess.Popen):
            self._running.wait(10)
        else:
            self._running.join(10)
        self._running = None

    def stop(self) -> None:
        """Stop the process as a supervisor does, with SIGTERM, and wait for its end."""
        os.kill(self.pid, signal.SIGTERM)
        if isinstance(self._running, subprocess.Popen):
            self._running.wait(MAX_WAIT_SECONDS)
        elif self._running is not None:
            self._running.join(MAX_WAIT_SECONDS)
        if self.is_alive:
            raise AssertionError("it does not stop")
        self._running = None

    def mark_ended(self) -> None:
        """Note that the process has ended, so that it can be started again."""
        if self.is_alive:
            raise AssertionError("it runs")
        self._running = None

    def ensure_killed(self) -> None:
        """Kill the process if it still runs."""
        if self.is_alive:
            self.kill()

    @property
    def is_alive(self) -> bool:
        if isinstance(self._running, subprocess.Popen):
            return self._running.poll() is None
        return self._running is not None and self._running.is_alive()

    @property
    def pid(self) -> int:
        """The process id; 0 if the process does not run."""
        return (self._running and self._running.pid) or 0

    @property
    def log(self) -> Path:
        return self.settings.data_dir / "log"


def wait_until(
    condition: Callable[[], bool],
    description: str,
    timeout: float = MAX_WAIT_SECONDS,
    describe_state: Callable[[], str] = lambda: "",
) -> None:
    """Poll `condition` until it holds; fail with `description` after `timeout` seconds.
    `describe_state` describes the state for the failure message.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"after {timeout:.0f} seconds: not {description}. {describe_state()}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def _fork_server() -> ForkServerContext:
    """Forks processes from one that has a single thread and has imported the node."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _run_node(
    command: str, settings: Settings, log: Path, clock: MovableClock, **constants: object
) -> None:
    with log.open("ab") as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
    logs.configure(settings)
    cheap_passwords.use_cheap_hashing()
    retry.COOL_DOWN = retry.RetryPolicy(SHORT_RETRY_DELAY)
    for path, value in constants.items():
        module, _, name = path.rpartition(".")
        setattr(import_module(module), name, value)
    clock.install()
    app = create_app(settings)
    if command == "worker":
        with app.app_context():
            run_worker(get_node(app))
    else:
        serve(app)


def _settings_values(settings: Settings) -> dict[str, object]:
    return {item.name: getattr(settings, item.name) for item in fields(Settings)}


def _foreign_environment() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)
    }


def _environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables."""
    values = {
        name: ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in _settings_values(settings).items()
    }
    return {ENVIRONMENT_PREFIX + name.upper(): value for name, value in values.items()}
