"""Faults of every kind at random while people write: `./dev chaos [SECONDS [SEED]]`.

One council runs three web processes and three workers on PostgreSQL and Redis; the other, on
SQLite, is one process. Each follows the other. At the end, everything that was acknowledged is at
both councils, once and the same, all deliveries are done, and no row is leased.
"""

import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path
from urllib.error import URLError

import click
from sqlalchemy import and_, func, select, text
from sqlalchemy.exc import DBAPIError

from node.access.permissions import OFFICER, OPERATOR
from node.app import create_app, get_node
from node.database.tables import now
from node.federating.models import Comparison, Delivery, InboxItem, OutboxActivity
from node.federating.peers import service as peers
from node.principal import Principal
from node.projects.models import Project, ProjectState
from node.queue.mixins import QueueMixin
from node.runtime import Node
from node.settings import Settings
from node.testing import postgres
from node.testing.clocks import MovableClock
from node.testing.http_users import HttpUsers
from node.testing.nodes import make_settings, set_up_database
from node.testing.processes import NodeProcess, free_port, wait_until
from tests.faults.victims import ANSWER, CONNECT, Fault, RedisServer, Victims

WEBS, WORKERS, WRITERS = 3, 3, 2
# Seconds after which the work of a dead process is taken over, and between two runs of a job: less
# than a council would want.
LEASE, SWEEP = 5, 2.0
CONSTANTS = {
    "node.database.engine.RESPONSE_TIMEOUT_SECONDS": ANSWER,
    "node.database.engine.CONNECT_TIMEOUT_SECONDS": CONNECT,
}
# Seconds between two faults, on average; and how long everything may take to recover afterwards.
PAUSE, PATIENCE = 1.5, 240.0
HERE, THERE = "aldermoor", "brackwell"
# What a person meets while something is down; StopIteration: they are no longer signed in.
UNREACHED = (AssertionError, URLError, OSError, StopIteration, DBAPIError)


@dataclass
class Written:
    """What people wrote: the titles that each project may have now, by its first. A title that was
    not acknowledged may have been saved or not.
    """

    titles: dict[str, set[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    @property
    def acknowledged(self) -> int:
        return self.counts["creates acknowledged"] + self.counts["updates acknowledged"]


class Chaos:
    """The two councils, the people who write at the first, and what happens to both."""

    def __init__(self, here: Node, there: Node, victims: Victims) -> None:
        self.here, self.there, self.victims = here, there, victims
        self.written = Written()
        self._over = threading.Event()

    def run(self, seconds: float, seed: int, *, pause: float = PAUSE, creates: int = 1) -> None:
        """Write and cause faults for so long, until each kind happened and so many creates were
        acknowledged; then wait until everything has recovered, and check it.
        """
        choices = random.Random(seed)
        writers = [
            threading.Thread(target=self._write, args=[number, random.Random(seed + number + 1)])
            for number in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        began = time.monotonic()
        try:
            for number, (name, fault) in enumerate(_shuffled(self.victims.faults, choices)):
                lasted = time.monotonic() - began
                is_enough = (
                    number >= len(self.victims.faults) and len(self.written.titles) >= creates
                )
                if lasted > seconds and is_enough:
                    break
                assert lasted < seconds + PATIENCE, f"too little happened: {self.written.counts}"
                time.sleep(choices.uniform(0.5, 1.5) * pause)
                self._wait_for_a_write()
                fault(choices)
                self.written.count(name)
        finally:
            self._over.set()
            for writer in writers:
                writer.join()
        self.victims.revive()
        self.check()

    def _wait_for_a_write(self) -> None:
        """So that there is something to lose: what was acknowledged now is being delivered."""
        before = self.written.acknowledged
        wait_until(lambda: self.written.acknowledged > before, "something is written")

    def _write(self, number: int, choices: random.Random) -> None:
        """One person who publishes projects, and changes the titles of some."""
        settings = [web.settings for web in self.victims.webs]
        people = [HttpUsers(HERE, each) for each in settings]
        mine: list[str] = []
        step = 0
        while not self._over.is_set():
            step += 1
            place, title = choices.randrange(len(people)), f"Project {step} of {number}"
            person = people[place]
            with suppress(*UNREACHED):
                if mine and choices.random() < 0.3:
                    self.rename(person, choices.choice(mine), f"{title}, renamed")
                else:
                    self.create(person, title)
                    mine.append(title)
                continue
            people[place] = HttpUsers(HERE, settings[place])  # who signs in again
            self._over.wait(0.2)

    def people(self, name: str) -> HttpUsers:
        """People of one of the two councils; nobody has signed in."""
        process = self.victims.webs[0] if name == HERE else self.victims.other
        return HttpUsers(name, process.settings)

    def create(self, person: HttpUsers, title: str) -> None:
        """Publish a project; raises where that is not acknowledged."""
        typed = {"summary": "S", "phase": "alpha", "brief": "B", "then": "publish"}
        person.submit("/projects/new", OFFICER, title=title, **typed)
        self.written.titles[title] = {title}
        self.written.count("creates acknowledged")

    def rename(self, person: HttpUsers, first_title: str, title: str) -> None:
        known = self.written.titles[first_title]
        with self.here.reading() as session:
            token = session.scalar(select(Project.token).where(Project.title.in_(known)))
        known.add(title)
        person.submit(f"/projects/{token}/edit", OFFICER, title=title)
        known.intersection_update({title})
        self.written.count("updates acknowledged")

    def check(self) -> None:
        """Wait until nothing is under way; then nothing is lost, doubled or different."""
        wait_until(
            lambda: not self._under_way(), "everything is delivered", PATIENCE, self._under_way
        )
        ours, theirs = titles(self.here), titles(self.there)
        assert ours == theirs, f"different: {(ours - theirs) | (theirs - ours)}"
        doubled = [title for title, number in ours.items() if number > 1]
        assert not doubled, f"doubled: {doubled}"
        lost = [first for first, known in self.written.titles.items() if not known & set(ours)]
        assert not lost, f"lost: {lost}"
        for sender, receiver in permutations((self.here, self.there)):
            missing = delivered(sender) - received(receiver)
            assert not missing, f"answered with 202 and not stored: {missing}"
            assert count(sender, Delivery.state == "failed") == 0
        self.written.counts["deliveries done"] = count(self.here, Delivery.state == "delivered")

    def _under_way(self) -> str:
        """What is still to be done, in words; empty where nothing is."""
        found = []
        for name, node in ((HERE, self.here), (THERE, self.there)):
            try:
                waiting = count(node, Delivery.state == Delivery.WAITING_STATE)
                new = count(node, InboxItem.state == InboxItem.WAITING_STATE)
                due = Comparison.state == Comparison.WAITING_STATE, Comparison.due_at <= now()
                compared = count(node, and_(*due))
                leased = sum(count(node, row.leased_until.is_not(None)) for row in QUEUES)
            except DBAPIError as error:
                return f"{name}: {error}"
            numbers = {
                "to send": waiting,
                "to act on": new,
                "to compare": compared,
                "leased": leased,
            }
            if any(numbers.values()):
                found.append(f"{name}: {numbers}")
        return "; ".join(found)


QUEUES = tuple(QueueMixin.__subclasses__())


def count(node: Node, which: object) -> int:
    """How many rows there are; the table is that of `which`."""
    with node.reading() as session:
        return session.scalar(select(func.count()).where(which)) or 0  # type: ignore[arg-type]


def titles(node: Node) -> Counter[str]:
    """The titles of published projects, and how many have each."""
    with node.reading() as session:
        return Counter(
            session.scalars(select(Project.title).where(Project.state == ProjectState.published))
        )


def delivered(node: Node) -> set[str]:
    """The ids of the activities that another server answered with success."""
    query = select(OutboxActivity.uri).join(Delivery).where(Delivery.state == "delivered")
    with node.reading() as session:
        return set(session.scalars(query))


def received(node: Node) -> set[str]:
    """The ids of the activities that were stored."""
    with node.reading() as session:
        return set(session.scalars(select(InboxItem.uri)))


def _shuffled(
    faults: list[tuple[str, Fault]], choices: random.Random
) -> Iterator[tuple[str, Fault]]:
    """Every fault once in any order, then every fault again in another, without end."""
    while True:
        yield from choices.sample(faults, len(faults))


@contextmanager
def councils(folder: Path, webs: int = WEBS, workers: int = WORKERS) -> Iterator[Chaos]:
    """Two councils that run and follow each other."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres.run_server())
        redis = RedisServer()
        redis.start()
        stack.callback(redis.kill)
        database = server.create_database()
        urls = {HERE: server.url(database), THERE: f"sqlite:///{folder / THERE / 'moothall.db'}"}
        made = dict(_found(folder, urls, redis))
        for node in made.values():
            stack.callback(node.engine.dispose)
        with made[HERE].work(by=Principal.job("chaos")) as work:
            # The tests' server may forget what it has just committed; this one may not.
            durable = f'ALTER DATABASE "{database}" SET synchronous_commit = on'
            work.session.execute(text(durable))
        made[HERE].engine.dispose()
        here, there = (made[name].settings for name in (HERE, THERE))
        clocks = {HERE: MovableClock(), THERE: MovableClock()}

        def process(settings: Settings, clock: MovableClock, command: str = "serve") -> NodeProcess:
            return NodeProcess(
                settings, command=command, sweep_seconds=SWEEP, constants=CONSTANTS, clock=clock
            )

        listening = [here, *(_beside(here) for _ in range(webs - 1))]
        victims = Victims(
            [process(each, clocks[HERE]) for each in listening],
            [process(here, clocks[HERE], "worker") for _ in range(workers)],
            process(there, clocks[THERE]),
            redis,
            server,
            urls[HERE].replace("+psycopg", ""),
            clocks[HERE],
            clocks[THERE],
        )
        for each in (*victims.webs, *victims.workers, victims.other):
            each.launch()
            stack.callback(each.ensure_killed)
        for each in (*victims.webs, victims.other):
            each.wait()
        _follow_each_other(victims, made)
        yield Chaos(made[HERE], made[THERE], victims)


def _found(folder: Path, urls: dict[str, str], redis: RedisServer) -> Iterator[tuple[str, Node]]:
    """The two councils, each founded and allowed by the other."""
    ports = {name: free_port() for name in urls}
    hosts = tuple(f"localhost:{port}" for port in ports.values())
    for name, url in urls.items():
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
        set_up_database(name, url, folder / name, **given)
        settings = make_settings(name, url, folder / name, **given)
        node = get_node(create_app(settings))
        with node.work(by=Principal.job("chaos")) as work:
            for host in set(hosts) - {settings.authority}:
                peers.decide(work, host, peers.ALLOWED)
        yield name, node


def _beside(settings: Settings) -> Settings:
    """The same node at another address."""
    return replace(settings, listen=f"127.0.0.1:{free_port()}")


def _follow_each_other(victims: Victims, made: dict[str, Node]) -> None:
    here = HttpUsers(HERE, victims.webs[0].settings)
    there = HttpUsers(THERE, victims.other.settings)
    addresses = {name: f"@{name}@{node.settings.authority}" for name, node in made.items()}
    here.submit("/councils/follow", OPERATOR, address=addresses[THERE])
    there.submit("/councils/follow", OPERATOR, address=addresses[HERE])
    for node in made.values():
        wait_until(lambda node=node: {"Follow", "Accept"} <= handled_by(node), "they follow")  # type: ignore[misc]


def handled_by(node: Node) -> set[str]:
    """The types of the activities that were acted on."""
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
        click.echo(f"  {what:<32} {number}")
    click.echo("Nothing was lost, doubled or different, and no row is leased.")


# Processes of nodes read this module too.
if __name__ == "__main__":
    main(sys.argv[1:])
