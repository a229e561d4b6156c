"""Processes, PostgreSQL and Redis killed at random while people write: `./dev chaos SECONDS`.

One council runs three web processes and three workers on PostgreSQL and Redis; the other, on
SQLite, is one process. Each follows the other. At the end, all that was acknowledged is at both,
once and the same, all deliveries are done, and nothing is leased.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.error import URLError

import click
import psycopg
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from node.app import create_app, node_of
from node.federating import peers
from node.federating.models import Delivery, InboxItem, Queued
from node.people.permissions import OFFICER, OPERATOR
from node.projects.models import Project, State
from node.runtime import Node
from node.settings import Settings
from node.testing import postgres
from node.testing.nodes import make_founded, settings_of
from node.testing.people import People
from node.testing.processes import NodeProcess, free_port, until

WEBS, WORKERS, WRITERS = 3, 3, 2
# Settings, in seconds, with which the dead are missed sooner than a council would want.
LEASE, SWEEP = 5, 2.0
# Between two faults, about; and how long all may take to come right afterwards.
PAUSE, PATIENCE = 1.5, 240.0
HERE, THERE = "aldermoor", "brackwell"
UNREACHED = (AssertionError, URLError, OSError, StopIteration)  # the last: signed out meanwhile


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


@dataclass
class Written:
    """What people wrote, by the path of each project: the titles that it may have now. A title that
    was not acknowledged may have been saved or not.
    """

    titles: dict[str, set[str]] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1


class Chaos:
    """The two councils, and what is done to them."""

    def __init__(self, here: Node, there: Node, webs: list[Settings], server: "Victims") -> None:
        self.here, self.there, self._webs, self.victims = here, there, webs, server
        self.written = Written()
        self._over = threading.Event()

    def run(self, seconds: float, seed: int, creates: int = 1) -> None:
        """Write and kill for so long, and until so many creates are acknowledged; then wait until
        all is well, and see that it is.
        """
        moments = random.Random(seed)
        writers = [
            threading.Thread(target=self._write, args=[number, random.Random(seed + number + 1)])
            for number in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        try:
            until_then = time.monotonic() + seconds
            while time.monotonic() < until_then or len(self.written.created) < creates:
                time.sleep(moments.uniform(0.5, 1.5) * PAUSE)
                name, fault = moments.choice(self.victims.faults)
                fault(moments)
                self.written.count(name)
        finally:
            self._over.set()
            for writer in writers:
                writer.join()
        self.victims.revive()
        self._check()

    def _write(self, number: int, choices: random.Random) -> None:
        """One person who publishes projects, and changes the titles of some."""
        people = [People(HERE, settings) for settings in self._webs]
        mine: list[str] = []
        step = 0
        while not self._over.is_set():
            step += 1
            place, title = choices.randrange(len(people)), f"Project {step} of {number}"
            person = people[place]
            with suppress(*UNREACHED):
                if mine and choices.random() < 0.3:
                    self._rename(person, choices.choice(mine), f"{title}, renamed")
                else:
                    self._create(person, title)
                    mine.append(title)
                continue
            people[place] = People(HERE, self._webs[place])  # who signs in anew
            self._over.wait(0.2)

    def _create(self, person: People, title: str) -> None:
        typed = {"summary": "S", "phase": "alpha", "brief": "B", "then": "publish"}
        person.submit("/projects/new", OFFICER, title=title, **typed)
        self.written.created.add(title)
        self.written.titles[title] = {title}
        self.written.count("creates acknowledged")

    def _rename(self, person: People, first_title: str, title: str) -> None:
        known = self.written.titles[first_title]
        with self.here.reading() as session:
            token = session.scalar(select(Project.token).where(Project.title.in_(known)))
        known.add(title)
        person.submit(f"/projects/{token}/edit", OFFICER, title=title)
        known.intersection_update({title})
        self.written.count("updates acknowledged")

    def _check(self) -> None:
        until(self._is_settled, "all is delivered", PATIENCE, self._left)
        ours, theirs = titles(self.here), titles(self.there)
        assert ours == theirs, f"differing: {ours ^ theirs}"
        for node in (self.here, self.there):
            with node.reading() as session:
                found = Counter(
                    session.scalars(select(Project.title).where(Project.state == State.published))
                )
            doubled = [title for title, number in found.items() if number > 1]
            assert not doubled, f"doubled: {doubled}"
        for first, known in self.written.titles.items():
            assert known & ours, f"lost: {first}, {known}"
        self.written.counts["deliveries done"] = count(self.here, Delivery.state == "delivered")
        assert count(self.here, Delivery.state == "failed") == 0

    def _is_settled(self) -> bool:
        return not self._left()

    def _left(self) -> str:
        found = []
        for name, node in ((HERE, self.here), (THERE, self.there)):
            try:
                waiting = count(node, Delivery.state == Delivery.WAITING)
                new = count(node, InboxItem.state == InboxItem.WAITING)
                leased = sum(count(node, row.leased_until.is_not(None)) for row in QUEUES)
            except DBAPIError as error:
                return f"{name}: {error}"
            if waiting or new or leased:
                found.append(f"{name}: {waiting} to send, {new} to act on, {leased} leased")
        return "; ".join(found)


QUEUES = tuple(Queued.__subclasses__())


def count(node: Node, which: object) -> int:
    """How many rows there are; the table is that of `which`."""
    with node.reading() as session:
        return session.scalar(select(func.count()).where(which)) or 0  # type: ignore[arg-type]


def titles(node: Node) -> set[str]:
    with node.reading() as session:
        return set(session.scalars(select(Project.title).where(Project.state == State.published)))


@dataclass
class Victims:
    """Whatever can be killed, and comes back."""

    webs: list[NodeProcess]
    workers: list[NodeProcess]
    other: NodeProcess
    redis: RedisServer
    database: str

    @property
    def faults(self) -> list[tuple[str, Callable[[random.Random], None]]]:
        return [
            ("web processes killed", lambda by: self._kill(by.choice(self.webs))),
            ("workers killed", lambda by: self._kill(by.choice(self.workers))),
            ("workers killed", lambda by: self._kill(by.choice(self.workers))),
            ("the other council killed", lambda _by: self._kill(self.other)),
            ("Redis killed", lambda _by: self._kill_redis()),
            ("Redis flushed", lambda _by: self._flush_redis()),
            ("PostgreSQL crashed", lambda _by: self._crash_postgresql()),
        ]

    def revive(self) -> None:
        """Start anew whatever ended by itself meanwhile: a supervisor would."""
        for process in (*self.webs, *self.workers, self.other):
            if not process.is_alive:
                process.forget()
                process.launch()

    def _kill(self, process: NodeProcess) -> None:
        """It is back before the next fault, as far as it listens."""
        if process.is_alive:
            process.kill()
        process.forget()
        process.launch()
        if process.command == "serve":
            process.wait()

    def _kill_redis(self) -> None:
        self.redis.kill()
        time.sleep(0.5)
        self.redis.start()

    def _flush_redis(self) -> None:
        with suppress(RedisError), Redis.from_url(self.redis.url) as client:
            client.flushall()

    def _crash_postgresql(self) -> None:
        """One of its processes is killed: it ends all connections, and recovers from its log."""
        with suppress(psycopg.Error), psycopg.connect(self.database) as connection:
            os.kill(connection.info.backend_pid, signal.SIGKILL)
            connection.execute("SELECT 1")


@contextmanager
def councils(folder: Path) -> Iterator[Chaos]:
    """Two councils that run and follow each other."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres.running())
        redis = RedisServer()
        redis.start()
        stack.callback(redis.kill)
        database = server.create_database()
        urls = {HERE: server.url(database), THERE: f"sqlite:///{folder / THERE / 'moothall.db'}"}
        ports = {HERE: free_port(), THERE: free_port()}
        hosts = tuple(f"localhost:{port}" for port in ports.values())
        made: dict[str, Node] = {}
        settings: dict[str, Settings] = {}
        for name in (HERE, THERE):
            (folder / name).mkdir()
            given = {
                "base_url": f"http://localhost:{ports[name]}",
                "listen": f"127.0.0.1:{ports[name]}",
                "private_hosts": hosts,
                "jobs": redis.url if name == HERE else "inside",
                "threads": 4,
                "delivery_threads": 8,
                "lease_seconds": LEASE,
            }
            make_founded(name, urls[name], folder / name, **given)
            settings[name] = settings_of(name, urls[name], folder / name, **given)
            made[name] = node_of(create_app(settings[name]))
            stack.callback(made[name].engine.dispose)
            with made[name].work(by="chaos") as work:
                for host in hosts:
                    if host != settings[name].authority:
                        peers.decide(work, host, peers.ALLOWED)
                if name == HERE:  # the tests' server forgets what it has just committed
                    durable = f'ALTER DATABASE "{database}" SET synchronous_commit = on'
                    work.session.execute(text(durable))
        made[HERE].engine.dispose()
        webs = [settings[HERE], *(_beside(settings[HERE]) for _ in range(WEBS - 1))]
        victims = Victims(
            [NodeProcess(each, sweep_seconds=SWEEP) for each in webs],
            [
                NodeProcess(settings[HERE], command="worker", sweep_seconds=SWEEP)
                for _ in range(WORKERS)
            ],
            NodeProcess(settings[THERE], sweep_seconds=SWEEP),
            redis,
            urls[HERE].replace("+psycopg", ""),
        )
        for process in (*victims.webs, *victims.workers, victims.other):
            process.launch()
            stack.callback(process.end)
        for process in (*victims.webs, victims.other):
            process.wait()
        _follow_each_other(victims, made)
        yield Chaos(made[HERE], made[THERE], webs, victims)


def _beside(settings: Settings) -> Settings:
    """The same node at another address."""
    return replace(settings, listen=f"127.0.0.1:{free_port()}")


def _follow_each_other(victims: Victims, made: dict[str, Node]) -> None:
    here, there = (
        People(HERE, victims.webs[0].settings),
        People(THERE, victims.other.settings),
    )
    addresses = {name: f"@{name}@{node.settings.authority}" for name, node in made.items()}
    here.submit("/councils/follow", OPERATOR, address=addresses[THERE])
    there.submit("/councils/follow", OPERATOR, address=addresses[HERE])
    for node in made.values():
        until(lambda node=node: {"Follow", "Accept"} <= handled_by(node), "they follow")  # type: ignore[misc]


def handled_by(node: Node) -> set[str]:
    with node.reading() as session:
        return set(session.scalars(select(InboxItem.type).where(InboxItem.state == "done")))


def main(arguments: list[str]) -> None:
    seconds = float(arguments[0]) if arguments else 300.0
    seed = int(arguments[1]) if len(arguments) > 1 else int(time.time())
    folder = Path(tempfile.mkdtemp(prefix="moothall-chaos-"))
    click.echo(f"{seconds:.0f} seconds, with the seed {seed}")
    try:
        with councils(folder) as chaos:
            chaos.run(seconds, seed)
    except BaseException:
        click.echo(f"The logs are in {folder}")
        raise
    shutil.rmtree(folder)
    for what, number in sorted(chaos.written.counts.items()):
        click.echo(f"  {what:<28} {number}")
    click.echo("Nothing was lost, doubled or differing, and no lease is left.")


# Processes of nodes read this module too.
if __name__ == "__main__":
    main(sys.argv[1:])
