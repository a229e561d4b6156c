"""The only way to run something later.

A job is a name and a function without arguments that works off rows with a state. The rows are the
queue; the engine (Huey) only wakes somebody up, so an engine that loses its memory loses nothing.
`wake` is called after the commit, and each job also runs every minute by itself, which is the
sweeper.
"""

import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import structlog

from node.data_folder import data_folder
from node.errors import SettingsError
from node.settings import Settings

# Huey loads what every engine of its needs, if it is there: 15 MB that most nodes never use.
UNUSED = tuple(name for name in ("redis", "psycopg") if name not in sys.modules)
sys.modules.update(dict.fromkeys(UNUSED))  # type: ignore[arg-type]  # None: it is not there
try:
    from huey import MemoryHuey, PostgresHuey, RedisHuey, SqliteHuey, crontab, storage
    from huey.api import Huey
    from huey.consumer import Consumer
    from huey.serializer import SignedSerializer
finally:
    for name in UNUSED:
        del sys.modules[name]

# What its engine of that name needs of redis.
OF_REDIS = ("ConnectionPool", "Redis", "ConnectionError", "TimeoutError")
log = structlog.get_logger(__name__)

# An idle node looks for work this often, in seconds: the upper bound of what a wake-up may take on
# SQLite.
IDLE_POLL = 0.25
# A delivery or a fetch that has begun ends within its own 10 seconds.
STOP_SECONDS = 15.0


class Jobs:
    """The named jobs of this node, and the engine that wakes whoever works them off.

    Raises `SettingsError` for an engine that does not answer.
    """

    def __init__(self, settings: Settings, secret: str) -> None:
        try:
            self._huey = _engine(settings, secret)
        except Exception as error:  # any engine's own error
            raise SettingsError(f"The job engine cannot be used: {error}") from error
        self._tasks: dict[str, Any] = {}
        self._functions: dict[str, Callable[[], None]] = {}
        # Set when this process is about to end: whoever works rows off takes no more of them.
        self.stopping = threading.Event()
        self._consumer: QuietConsumer | None = None
        self._busy: dict[str, threading.Lock] = {}
        self._asked: dict[str, threading.Event] = {}
        self._engine = settings.jobs
        self._woken: dict[str, threading.Event] = {}

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._functions)

    @property
    def _is_alone(self) -> bool:
        """Whether whatever is woken will be run by this process and no other."""
        return self._engine == "memory" or (self._engine == "inside" and self._consumer is not None)

    def register(self, name: str, function: Callable[[], None]) -> None:
        """Let `name` be woken, and run it every minute besides."""
        self._functions[name] = function
        self._busy[name], self._asked[name] = threading.Lock(), threading.Event()
        self._woken[name] = threading.Event()
        self._tasks[name] = self._huey.task(name=name)(self._guarded(name))
        self._huey.periodic_task(crontab(), name=f"{name}-sweep")(self._guarded(name))

    def wake(self, name: str, delay: timedelta = timedelta()) -> None:
        """Have `name` run soon, or after `delay`.

        A failing engine is logged: the sweeper makes up for it. Where this process alone works the
        jobs off, a run that has yet to begin will do: it sees all that is committed by then.
        """
        task = self._tasks[name]
        try:
            if delay > timedelta():
                task.schedule(delay=delay.total_seconds())
            elif not (self._is_alone and self._woken[name].is_set()):
                self._woken[name].set()
                task()
        except Exception:  # any engine's own error
            log.exception("job engine did not take a wake-up", job=name)

    def start(self) -> None:
        """Work the jobs off, in threads of this process, until `stop`."""
        self._consumer = QuietConsumer(
            self._huey,
            # Each job can run while all the others do.
            workers=len(self._functions),
            max_delay=IDLE_POLL,
            initial_delay=0.05,
            check_worker_health=False,
            shutdown_timeout=STOP_SECONDS,
        )
        self._consumer.start()

    def stop(self) -> None:
        """Let what has been begun end, begin nothing more, and wait for that."""
        self.stopping.set()
        if self._consumer is not None:
            self._consumer.stop(graceful=True)

    def close(self) -> None:
        """Let go of the engine."""
        self._huey.storage.close()

    def work_off(self) -> int:
        """Run what waits in a memory engine; for tests. Returns how many tasks ran."""
        ran = 0
        while (task := self._huey.dequeue()) is not None:
            self._huey.execute(task)
            ran += 1
        return ran

    def _guarded(self, name: str) -> Callable[[], None]:
        """A run of `name` that fails alone, and of which this process has no two at once.

        Otherwise one job that waits for slow servers would take up every worker.
        """
        busy, asked, woken = self._busy[name], self._asked[name], self._woken[name]

        def run() -> None:
            woken.clear()
            asked.set()
            while asked.is_set() and busy.acquire(blocking=False):
                try:
                    asked.clear()
                    self._functions[name]()
                except Exception:  # the rows keep their state, and the sweeper comes back to them
                    log.exception("job failed", job=name)
                finally:
                    busy.release()

        run.__name__ = name.replace("-", "_")
        return run


class QuietConsumer(Consumer):  # type: ignore[misc]  # Huey has no types
    """Huey's consumer without its signal handlers: the process that embeds it has its own."""

    def _set_signal_handlers(self) -> None:
        return


def _engine(settings: Settings, secret: str) -> Huey:
    options: dict[str, Any] = {
        "name": "moothall",
        "results": False,
        "serializer": SignedSerializer(secret=secret, salt="moothall-jobs"),
    }
    match urlsplit(settings.jobs).scheme:
        case "postgresql":
            storage.psycopg = import_module("psycopg")
            return PostgresHuey(dsn=settings.jobs, **options)
        case "redis" | "rediss":
            redis = import_module("redis")
            for name in OF_REDIS:
                setattr(storage, name, getattr(redis, name))
            storage.RedisStorage.redis_client = redis.Redis
            return RedisHuey(url=settings.jobs, **options)
    if settings.jobs == "memory":
        return MemoryHuey(**options)
    return SqliteHuey(filename=str(data_folder(settings) / "jobs.db"), **options)
