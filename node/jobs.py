"""Background jobs.

A job is a name and a function without arguments that processes rows with a state. The rows are the
queue; the engine (Huey) only carries wake-ups between processes, so an engine that loses its data
or cannot be reached loses nothing: each job also runs every minute, in each process that runs jobs.
"""

import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import structlog

from node.data_folder import ensure_data_folder
from node.database.engine import UNAVAILABLE_ERRORS, connection_timeouts
from node.errors import DependencyUnreachableError, SettingsError
from node.logs import DATABASE_LOGGER, JOB_ENGINE_LOGGER
from node.settings import Settings

# Huey imports the clients of all its engines if they are installed: 15 MB that most nodes never
# use. None in `sys.modules` makes these imports fail.
UNNEEDED_MODULES = tuple(name for name in ("redis", "psycopg") if name not in sys.modules)
sys.modules.update(dict.fromkeys(UNNEEDED_MODULES))  # type: ignore[arg-type]
try:
    from huey import MemoryHuey, PostgresHuey, RedisHuey, SqliteHuey, storage
    from huey.api import Huey
    from huey.consumer import Consumer
    from huey.serializer import SignedSerializer
finally:
    for name in UNNEEDED_MODULES:
        del sys.modules[name]

# What Huey's Redis engine uses of the module `redis`.
HUEY_REDIS_NAMES = ("ConnectionPool", "Redis", "ConnectionError", "TimeoutError")
log = structlog.get_logger(__name__)

# How often an idle process polls for wake-ups from other processes.
IDLE_POLL_SECONDS = 0.25
# Between two runs of a job that is not woken.
SWEEP_INTERVAL_SECONDS = 60.0
# Longer than the time limit of a delivery or a fetch, 10 seconds.
STOP_TIMEOUT_SECONDS = 15.0
# How long a process that ends waits until the engine has its last wake-ups.
DRAIN_TIMEOUT_SECONDS = 3.0
# For the engine to accept a connection, and to respond.
CONNECT_TIMEOUT_SECONDS, RESPONSE_TIMEOUT_SECONDS = 2, 5


class Jobs:
    """The jobs of this node by name, and the engine that wakes them in the processes that run them.

    Raises `SettingsError` if the engine cannot be used, `DependencyUnreachableError` if it does not
    respond.
    """

    def __init__(self, settings: Settings, secret: str) -> None:
        self._is_remote = settings.jobs not in {"memory", "inside"}
        try:
            self._huey = _create_huey(settings, secret)
        except Exception as error:  # any engine's own error
            kind = DependencyUnreachableError if self._is_remote else SettingsError
            raise kind(f"The job engine cannot be used: {error}") from error
        self._tasks: dict[str, Any] = {}
        self._runners: dict[str, JobRunner] = {}
        # Set when this process is about to end: jobs then start no more rows.
        self.stopping = threading.Event()
        self._consumer: QuietConsumer | None = None
        self._engine = settings.jobs
        self._wake_up_sender = WakeUpSender()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._runners)

    def register(
        self, name: str, function: Callable[[], None], coalesce_seconds: float = 0.0
    ) -> None:
        """Add a job, which runs every minute and when woken. A run starts `coalesce_seconds` after
        the wake-up, so that it covers the wake-ups of that time.
        """
        runner = self._runners[name] = JobRunner(name, function, self.stopping, coalesce_seconds)

        def on_wake_up() -> None:
            if self._consumer is not None:
                runner.woken.set()
            else:
                runner.run()

        self._tasks[name] = self._huey.task(name=name)(on_wake_up)

    def wake(self, name: str, delay: timedelta = timedelta()) -> None:
        """Have the job run soon, or after `delay`. Returns at once.

        An engine that fails is logged: the job runs each minute anyway. If this process alone runs
        jobs, wake-ups before the next run are merged, as that run sees everything committed by
        then.
        """
        task, runner = self._tasks[name], self._runners[name]
        if delay > timedelta():
            self._send((name, delay), lambda: task.schedule(delay=delay.total_seconds()))
        elif self._engine == "inside" and self._consumer is not None:
            runner.woken.set()
        elif self._engine != "memory" or not runner.woken.is_set():
            runner.woken.set()
            self._send((name, delay), task)

    def start(self) -> None:
        """Run the jobs in threads of this process until `stop`. Each runs at once, since an earlier
        process may have left rows.
        """
        self._consumer = QuietConsumer(
            self._huey,
            workers=1,
            periodic=False,
            max_delay=IDLE_POLL_SECONDS,
            initial_delay=0.05,
            check_worker_health=False,
            shutdown_timeout=RESPONSE_TIMEOUT_SECONDS,
        )
        self._consumer.start()
        for runner in self._runners.values():
            runner.start()

    def stop(self) -> None:
        """Start no more runs, and wait up to `STOP_TIMEOUT_SECONDS` for those in progress."""
        self.stopping.set()
        if self._consumer is not None:
            self._consumer.stop()
        deadline = monotonic() + STOP_TIMEOUT_SECONDS
        for runner in self._runners.values():
            runner.woken.set()
        for runner in self._runners.values():
            runner.join(max(0.0, deadline - monotonic()))

    def close(self) -> None:
        """Send the remaining wake-ups and close the connection to the engine."""
        self._wake_up_sender.close()
        self._huey.storage.close()

    def run_pending(self) -> int:
        """Run the tasks in a memory engine; for tests. Returns the number of tasks."""
        count = 0
        while (task := self._huey.dequeue()) is not None:
            self._huey.execute(task)
            count += 1
        return count

    def _send(self, wake_up: tuple[str, timedelta], send: Callable[[], Any]) -> None:
        """Send a wake-up to the engine; in another thread if the engine is remote."""
        if self._is_remote:
            self._wake_up_sender.put(wake_up, send)
        else:
            _try_send(send)


class JobRunner:
    """Runs one job in a thread of its own, when it is woken and each minute. A process therefore
    never has two runs of a job at once, and a job that waits for slow servers delays no other.
    """

    def __init__(
        self,
        name: str,
        function: Callable[[], None],
        stopping: threading.Event,
        coalesce_seconds: float,
    ) -> None:
        self._name, self._function, self._stopping = name, function, stopping
        self._coalesce_seconds = coalesce_seconds
        self.woken = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"job {name}", daemon=True)

    def start(self) -> None:
        self.woken.set()
        self._thread.start()

    def join(self, seconds: float) -> None:
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def run(self) -> None:
        """Run the job once. If it fails, the rows keep their state for the next run."""
        self.woken.clear()
        try:
            self._function()
        except UNAVAILABLE_ERRORS as error:
            DATABASE_LOGGER.error("Database unavailable to a job: %s", error)
        except Exception:
            log.exception("job failed", job=self._name)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            if self.woken.wait(SWEEP_INTERVAL_SECONDS) and self._coalesce_seconds:
                self._stopping.wait(self._coalesce_seconds)
            if not self._stopping.is_set():
                self.run()


class WakeUpSender:
    """Sends wake-ups to a remote engine in a thread of its own, since the engine may not respond.
    Equal wake-ups that wait at the same time are sent once.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, timedelta], Callable[[], Any]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closing = False

    def put(self, wake_up: tuple[str, timedelta], send: Callable[[], Any]) -> None:
        with self._changed:
            self._waiting[wake_up] = send
            if self._thread is None and not self._is_closing:
                self._thread = threading.Thread(target=self._loop, name="wake-ups", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Wait up to `DRAIN_TIMEOUT_SECONDS` until all wake-ups are sent."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(DRAIN_TIMEOUT_SECONDS)

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closing)
                if not self._waiting:
                    return
                wake_up = next(iter(self._waiting))
                send = self._waiting.pop(wake_up)
            if not _try_send(send):
                with self._changed:  # the jobs run within a minute anyway
                    self._waiting.clear()


def _try_send(send: Callable[[], Any]) -> bool:
    """Send a wake-up, and return whether the engine accepted it. A failure is only logged."""
    try:
        send()
    except Exception as error:  # noqa: BLE001 -- any engine's own error
        JOB_ENGINE_LOGGER.error("The job engine does not accept wake-ups: %s", error)
        return False
    return True


class QuietConsumer(Consumer):  # type: ignore[misc]  # Huey has no types
    """Huey's consumer without its signal handlers: the process that embeds it has its own."""

    def _set_signal_handlers(self) -> None:
        return


def _create_huey(settings: Settings, secret: str) -> Huey:
    options: dict[str, Any] = {
        "name": "moothall",
        "results": False,
        "serializer": SignedSerializer(secret=secret, salt="moothall-jobs"),
    }
    match urlsplit(settings.jobs).scheme:
        case "postgresql":
            storage.psycopg = import_module("psycopg")
            return PostgresHuey(dsn=settings.jobs, **connection_timeouts(settings.jobs), **options)
        case "redis" | "rediss":
            redis = import_module("redis")
            for name in HUEY_REDIS_NAMES:
                setattr(storage, name, getattr(redis, name))
            storage.RedisStorage.redis_client = redis.Redis
            # Parameters in the URL take precedence.
            limits = {
                "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
                "socket_timeout": RESPONSE_TIMEOUT_SECONDS,
            }
            pool = redis.ConnectionPool.from_url(settings.jobs, **limits)
            return RedisHuey(connection_pool=pool, **options)
    if settings.jobs == "memory":
        return MemoryHuey(**options)
    return SqliteHuey(filename=str(ensure_data_folder(settings) / "jobs.db"), **options)
