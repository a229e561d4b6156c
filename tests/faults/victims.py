"""What happens in the chaos run: to processes, PostgreSQL, Redis, a disk and clocks."""

import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from node.testing.clocks import MovableClock
from node.testing.postgres import PostgresServer
from node.testing.processes import NodeProcess, free_port

# Seconds after which a process gives up a database that hangs, instead of those of the product:
# for its answer, and for a connection, where 2 is the least that libpq allows.
ANSWER, CONNECT = 1, 2
# Seconds that Redis is down, that a server hangs, and that a disk is full or a clock is wrong.
DOWN, HANGS, WRONG = 0.5, ANSWER + CONNECT + 1.0, 1.5
# Seconds that a clock jumps: further ahead than signatures may be.
JUMP = 3_660.0

Fault = Callable[[random.Random], None]


@dataclass
class RedisServer:
    """A Redis that keeps nothing, at a port of its own."""

    port: int = field(default_factory=free_port)
    _running: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = ("--bind", "127.0.0.1", "--port", str(self.port), "--save", "")
        self._running = subprocess.Popen(
            ["redis-server", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Inside, it hangs: connections stay open, and nothing is answered."""
        if self._running is None:
            raise AssertionError("Redis does not run")
        self._running.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._running.send_signal(signal.SIGCONT)


@dataclass
class Victims:
    """The processes and servers of two councils, and what can happen to them."""

    webs: list[NodeProcess]
    workers: list[NodeProcess]
    other: NodeProcess
    redis: RedisServer
    postgres: PostgresServer
    database: str
    clock: MovableClock
    clock_of_other: MovableClock

    @property
    def faults(self) -> list[tuple[str, Fault]]:
        """Each kind with its name."""
        return [
            ("web processes killed", lambda by: self._kill(by.choice(self.webs))),
            ("workers killed", lambda by: self._kill(by.choice(self.workers))),
            ("the other council killed", lambda _by: self._kill(self.other)),
            ("the other council's disk full", lambda _by: self._fill_disk()),
            ("the other council's clock moved", lambda by: _move(self.clock_of_other, by)),
            ("clock moved", lambda by: _move(self.clock, by)),
            ("Redis killed", lambda _by: self._kill_redis()),
            ("Redis flushed", lambda _by: self._flush_redis()),
            ("Redis stopped", lambda _by: self._stop_redis()),
            ("PostgreSQL crashed", lambda _by: self._crash_postgresql()),
            ("PostgreSQL killed", lambda _by: self._kill_postgresql()),
            ("PostgreSQL stopped", lambda _by: self._stop_postgresql()),
        ]

    def revive(self) -> None:
        """Start every process that ended by itself, as a supervisor would."""
        for process in (*self.webs, *self.workers, self.other):
            if not process.is_alive:
                process.mark_ended()
                process.launch()

    def _kill(self, process: NodeProcess) -> None:
        """Kill and start again; a web process listens before the next fault."""
        if process.is_alive:
            process.kill()
        process.mark_ended()
        process.launch()
        if process.command == "serve":
            process.wait()

    def _kill_redis(self) -> None:
        self.redis.kill()
        time.sleep(DOWN)
        self.redis.start()

    def _flush_redis(self) -> None:
        with suppress(RedisError), Redis.from_url(self.redis.url) as client:
            client.flushall()

    def _stop_redis(self) -> None:
        with self.redis.stopped():
            time.sleep(HANGS)

    def _crash_postgresql(self) -> None:
        """One of its processes is killed: it ends all connections, and recovers from its log."""
        with suppress(psycopg.Error), psycopg.connect(self.database) as connection:
            os.kill(connection.info.backend_pid, signal.SIGKILL)
            connection.execute("SELECT 1")

    def _kill_postgresql(self) -> None:
        self.postgres.kill()
        time.sleep(DOWN)
        self.postgres.start()

    def _stop_postgresql(self) -> None:
        with self.postgres.suspended():
            time.sleep(HANGS)

    def _fill_disk(self) -> None:
        with no_room(self.other):
            time.sleep(WRONG)


@contextmanager
def no_room(process: NodeProcess) -> Iterator[None]:
    """Inside, a process can write to no file beyond its first byte."""
    before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)


def _move(clock: MovableClock, by: random.Random) -> None:
    """An hour and a minute forward or back, and after a while right again."""
    clock.offset_seconds = by.choice((JUMP, -JUMP))
    time.sleep(WRONG)
    clock.offset_seconds = 0.0
