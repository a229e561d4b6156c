"""Messages taken in, stored and acted on by a node as people run it.

The node is `moothall serve` with its worker inside, or beside it on PostgreSQL. It knows a thousand
actors of other servers, who comment on its projects, like them, follow its council and change
projects that it follows; of twenty messages nine are about nothing that it knows. A round ends when
the last message was acted on.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, create_engine, func, select

from bench.correspondents import Post, introduce, invent, new_keys
from bench.load import answers, load
from bench.memory import resident
from bench.servers import LOADER, Server, bare_server, node_server, on_processor, worker
from bench.turns import processor_seconds
from node.app import create_app, node_of
from node.conversations.models import Comment
from node.federating.models import Follow, InboxItem, Reaction
from node.settings import Settings
from node.testing import postgres
from node.testing.nodes import make_founded, settings_of
from node.testing.processes import free_port, until

SERVERS = (20, 1_000)
# How many send at once, and how many messages they send in a round.
SENDERS = {1: 400, 8: 1_200, 32: 1_200}
ROUNDS = 7
DRAIN_SECONDS = 120.0
Line = tuple[str, str]


@dataclass
class Figures:
    """Of each round: messages a second, milliseconds of processor for each, and the 99th percentile
    of how long its answer took (ms).
    """

    rates: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)

    def told(self, limit: "Figures | None" = None) -> str:
        """The medians and the lowest and highest rate; the share of the rate of `limit`."""
        words = (
            f"{median(self.rates):7,.0f} /s  ({min(self.rates):,.0f} to {max(self.rates):,.0f})"
            f"  p99 {median(self.slowest):4.0f} ms  {median(self.processor):5.2f} ms of processor"
        )
        if limit is None:
            return words
        return f"{words}  {median(self.rates) / median(limit.rates):5.0%}"


def measure() -> Iterator[Line]:
    keys = new_keys()
    for servers in SERVERS:
        for senders, number in SENDERS.items():
            with _node(servers, keys) as (settings, post):
                what = f"{senders} senders of {servers:,} servers"
                yield from _rounds(what, settings, post, senders, number)
    with postgres.running() as database, _node(SERVERS[0], keys, database) as (settings, post):
        for senders, number in SENDERS.items():
            what = f"{senders} senders, PostgreSQL and a worker beside"
            yield from _rounds(what, settings, post, senders, number)


@contextmanager
def _node(
    servers: int, keys: Sequence[str], database: postgres.Postgres | None = None
) -> Iterator[tuple[Settings, Post]]:
    """A node that knows the correspondents, whose servers listen; and what they send."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        correspondents = invent(servers, port, keys)
        url = f"sqlite:///{folder / 'bench.db'}"
        if database is not None:
            url = database.url(database.create_database())
        given = {"private_hosts": tuple({one.host for one in correspondents}), "jobs": "inside"}
        if database is not None:
            given["jobs"] = url.replace("+psycopg", "")
        make_founded("aldermoor", url, folder)
        settings = settings_of("aldermoor", url, folder, **given)
        node = node_of(create_app(settings))
        projects = introduce(node, correspondents)
        node.engine.dispose()
        (folder / "key.pem").write_text(keys[0])
        stack.enter_context(_listening(folder, port, servers))
        yield settings, Post(correspondents, projects)


@contextmanager
def _listening(folder: Path, port: int, servers: int) -> Iterator[None]:
    """The servers of the correspondents."""
    command = [sys.executable, "-m", "bench.followed", str(folder), str(port), str(servers)]
    with on_processor(LOADER):
        process = subprocess.Popen(command)
    try:
        until(lambda: answers(port), "listening")
        yield
    finally:
        process.kill()
        process.wait()


def _rounds(what: str, settings: Settings, post: Post, senders: int, number: int) -> Iterator[Line]:
    bare, ours = Figures(), Figures()
    engine = create_engine(settings.database)
    with ExitStack() as stack:
        limit = stack.enter_context(bare_server())
        node = stack.enter_context(node_server(settings))
        processes = [node.process]
        if settings.jobs != "inside":
            processes.append(stack.enter_context(worker(settings)))
        small, shown, expected = resident(node.process), _shown(engine), 0
        for _ in range(ROUNDS):
            letters, visible = post.take(number)
            expected += visible
            _play(bare, limit, letters, senders, [limit.process], lambda: True)
            _play(ours, node, letters, senders, processes, lambda: not _waiting(engine))
        large, shown = resident(node.process), _shown(engine) - shown
    ends = _ends(engine)
    engine.dispose()
    yield f"a bare Flask view, {senders} senders", bare.told()
    yield what, ours.told(limit=bare)
    yield "  its memory, before and after", small + large
    yield "  shown, of those that are about something here", f"{shown:,} of {expected:,}"
    yield "  how all ended", ", ".join(f"{words}: {count:,}" for words, count in ends)


def _play(
    figures: Figures,
    server: Server,
    letters: Sequence[bytes],
    senders: int,
    processes: Sequence[int],
    is_done: Callable[[], bool],
) -> None:
    """One round: all are sent, and acted on."""
    used = sum(processor_seconds(each) for each in processes)
    started = time.perf_counter()
    outcome = load(server.port, iter(letters), DRAIN_SECONDS, senders)
    while not is_done():
        assert time.perf_counter() - started < DRAIN_SECONDS, "not all was acted on"
        time.sleep(0.005)
    seconds = time.perf_counter() - started
    assert outcome.statuses == Counter({202: len(letters)}), outcome.statuses
    used = sum(processor_seconds(each) for each in processes) - used
    figures.rates.append(len(letters) / seconds)
    figures.processor.append(1000 * used / len(letters))
    figures.slowest.append(outcome.percentile(0.99))


def _waiting(engine: Engine) -> int:
    waits = select(func.count()).select_from(InboxItem).where(InboxItem.state == InboxItem.WAITING)
    with engine.connect() as connection:
        return connection.scalar(waits) or 0


def _shown(engine: Engine) -> int:
    """How many comments, likes, followers and changed projects there are."""
    with engine.connect() as connection:
        count = sum(
            connection.scalar(select(func.count()).select_from(each)) or 0
            for each in (Comment, Reaction, Follow)
        )
        updates = InboxItem.type == "Update", InboxItem.state == "done"
        return count + (
            connection.scalar(select(func.count()).select_from(InboxItem).where(*updates)) or 0
        )


def _ends(engine: Engine) -> list[tuple[str, int]]:
    with engine.connect() as connection:
        state = select(InboxItem.state, InboxItem.outcome, func.count()).group_by(
            InboxItem.state, InboxItem.outcome
        )
        rows = connection.execute(state).all()
    return [(f"{row[0]} {row[1]}".strip(), row[2]) for row in sorted(rows, key=lambda r: -r[2])]
