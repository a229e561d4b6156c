"""The only way to run something later.

A job is a name and a function without arguments that works off rows with a state. The rows are the
queue; the engine (Huey) only carries wake-ups between processes, so an engine that loses its memory
or cannot be reached loses nothing: each job also runs every minute by itself, in each process that
works jobs off.
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
from node.db import UNAVAILABLE_ERRORS, connection_timeouts
from node.errors import DependencyUnreachableError, SettingsError
from node.logs import DATABASE_LOGGER, JOB_ENGINE_LOGGER
from node.settings import Settings

# Huey loads what every engine of its needs, if it is there: 15 MB that most nodes never use.
UNNEEDED_MODULES = tuple(name for name in ("redis", "psycopg") if name not in sys.modules)
sys.modules.update(dict.fromkeys(UNNEEDED_MODULES))  # type: ignore[arg-type]  # None: it is not there
try:
    from huey import MemoryHuey, PostgresHuey, RedisHuey, SqliteHuey, storage
    from huey.api import Huey
    from huey.consumer import Consumer
    from huey.serializer import SignedSerializer
finally:
    for name in UNNEEDED_MODULES:
        del sys.modules[name]

# What its engine of that name needs of redis.
HUEY_REDIS_NAMES = ("ConnectionPool", "Redis", "ConnectionError", "TimeoutError")
log = structlog.get_logger(__name__)

# An idle node looks for wake-ups of other processes this often, in seconds.
IDLE_POLL_SECONDS = 0.25
# Seconds between two runs of a job that nobody wakes.
SWEEP_INTERVAL_SECONDS = 60.0
# A delivery or a fetch that has begun ends within its own 10 seconds.
STOP_TIMEOUT_SECONDS = 15.0
# Seconds that a process which ends waits for wake-ups that are still on their way to the engine.
DRAIN_TIMEOUT_SECONDS = 3.0
# Seconds that an engine has to accept a connection, and to answer.
CONNECT_TIMEOUT_SECONDS, RESPONSE_TIMEOUT_SECONDS = 2, 5


class Jobs:
    """The named jobs of this node, and the engine that carries wake-ups to whoever works them off.

    Raises `SettingsError` for an engine that cannot be used, `UnreachableError` for one that does
    not answer.
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
        # Set when this process is about to end: whoever works rows off takes no more of them.
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
        """Let `name` be woken, and run it every minute besides: `gather_seconds` after it is woken,
        so that one run does what comes together.
        """
        runner = self._runners[name] = JobRunner(name, function, self.stopping, coalesce_seconds)

        def arrive() -> None:
            if self._consumer is not None:
                runner.woken.set()
            else:
                runner.run()

        self._tasks[name] = self._huey.task(name=name)(arrive)

    def wake(self, name: str, delay: timedelta = timedelta()) -> None:
        """Have `name` run soon, or after `delay`; returns at once, whatever the engine does.

        A failing engine is logged: the job runs each minute anyway. Where this process alone works
        the jobs off, a run that has yet to begin will do: it sees all that is committed by then.
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
        """Work the jobs off, in threads of this process, until `stop`: each at once, for what an
        earlier process left.
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
        """Let what has been begun end, begin nothing more, and wait for that."""
        self.stopping.set()
        if self._consumer is not None:
            self._consumer.stop()
        until = monotonic() + STOP_TIMEOUT_SECONDS
        for runner in self._runners.values():
            runner.woken.set()
        for runner in self._runners.values():
            runner.join(max(0.0, until - monotonic()))

    def close(self) -> None:
        """Let go of the engine, once it has what it was to be given."""
        self._wake_up_sender.close()
        self._huey.storage.close()

    def run_pending(self) -> int:
        """Run what waits in a memory engine; for tests. Returns how many tasks ran."""
        ran = 0
        while (task := self._huey.dequeue()) is not None:
            self._huey.execute(task)
            ran += 1
        return ran

    def _send(self, what: tuple[str, timedelta], send: Callable[[], Any]) -> None:
        """Give the engine a wake-up: at once where it is on this machine, else without waiting."""
        if self._is_remote:
            self._wake_up_sender.put(what, send)
        else:
            _try_send(send)


class JobRunner:
    """Runs one job in a thread of its own: when it is woken, and each minute. So no process has two
    runs of a job at once, and none that waits for slow servers holds up another.
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
        """One run, which fails alone: the rows keep their state, and the next run finds them."""
        self.woken.clear()
        try:
            self._function()
        except UNAVAILABLE_ERRORS as error:
            DATABASE_LOGGER.error("A job could not use the database: %s", error)
        except Exception:
            log.exception("job failed", job=self._name)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            if self.woken.wait(SWEEP_INTERVAL_SECONDS) and self._coalesce_seconds:
                self._stopping.wait(self._coalesce_seconds)
            if not self._stopping.is_set():
                self.run()


class WakeUpSender:
    """Wake-ups on their way to an engine that is reached over a network, sent by a thread of their
    own: it may not answer, and nobody waits for it. Each is sent once, however often it is put here
    meanwhile.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, timedelta], Callable[[], Any]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closing = False

    def put(self, what: tuple[str, timedelta], send: Callable[[], Any]) -> None:
        with self._changed:
            self._waiting[what] = send
            if self._thread is None and not self._is_closing:
                self._thread = threading.Thread(target=self._loop, name="wake-ups", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Wait until all is sent, but not long."""
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
                what = next(iter(self._waiting))
                send = self._waiting.pop(what)
            if not _try_send(send):
                with self._changed:  # all of it runs within a minute anyway
                    self._waiting.clear()


def _try_send(send: Callable[[], Any]) -> bool:
    """Whether the engine took a wake-up. A failure is logged: the job runs each minute anyway."""
    try:
        send()
    except Exception as error:  # noqa: BLE001 -- any engine's own error
        JOB_ENGINE_LOGGER.error("The job engine does not take wake-ups: %s", error)
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
            # What the address says itself counts.
            limits = {
                "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
                "socket_timeout": RESPONSE_TIMEOUT_SECONDS,
            }
            pool = redis.ConnectionPool.from_url(settings.jobs, **limits)
            return RedisHuey(connection_pool=pool, **options)
    if settings.jobs == "memory":
        return MemoryHuey(**options)
    return SqliteHuey(filename=str(ensure_data_folder(settings) / "jobs.db"), **options)
