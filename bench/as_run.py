"""Messages taken in, stored and acted on by a node as people run it.

The node is `moothall serve` with its worker inside, or beside it on PostgreSQL. It knows a thousand
actors of other servers, who comment on its projects, like them, follow its council and change
projects that it follows; of twenty messages eight are about nothing that it knows. A round ends
when the last message was acted on. A bare Flask view, another checkout of this program if one is
given, and pubby where `./dev test` has installed it are sent the same messages by turns.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, create_engine, func, select, text

from bench.correspondents import NODE, Correspondent, Post, Target, introduce, invent, new_keys
from bench.load import answers, load
from bench.memory import resident
from bench.servers import LOADER, SERVER, Server, bare_server, node_server, on_processor, worker
from bench.turns import processor_seconds
from federation.signatures import PublicKey, public_pem
from federation.vocabulary import ActorDocument
from node.app import create_app, get_node
from node.conversations.models import Comment
from node.federating.models import Follow, InboxItem, Reaction
from node.settings import Settings
from node.testing import postgres
from node.testing.nodes import make_settings, set_up_database
from node.testing.processes import free_port, wait_until

SERVERS = (20, 1_000)
# How many send at once, and how many messages they send in a round.
SENDERS = {1: 400, 8: 1_200, 32: 1_200}
ROUNDS = 7
DRAIN_SECONDS = 120.0
INTEROP = Path(__file__).parents[1] / ".interop"
TABLES = ("inbox_item", "comment")
PUBBY = Target("pubby.test", "https://pubby.test/ap/actor", "/ap/inbox")
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


@dataclass
class Contestant:
    """A server that is sent messages: its processes, what it is sent, and when it has acted on all.
    `shown` counts what it shows, and `ends` says how its messages ended.
    """

    name: str
    server: Server
    processes: Sequence[int]
    post: Post
    is_done: Callable[[], bool] = lambda: True
    shown: Callable[[], int] = lambda: 0
    ends: Callable[[], str] = lambda: ""
    figures: Figures = field(default_factory=Figures)
    expected: int = 0

    def play(self, senders: int, number: int) -> None:
        """One round: all are sent, and acted on."""
        letters, relevant = self.post.take(number)
        self.expected += relevant
        used = self._used()
        started = time.perf_counter()
        outcome = load(self.server.port, iter(letters), DRAIN_SECONDS, senders)
        while not self.is_done():
            assert time.perf_counter() - started < DRAIN_SECONDS, "not all was acted on"
            time.sleep(0.005)
        seconds = time.perf_counter() - started
        assert outcome.statuses == Counter({202: len(letters)}), outcome.statuses
        self.figures.rates.append(len(letters) / seconds)
        self.figures.processor.append(1000 * (self._used() - used) / len(letters))
        self.figures.slowest.append(outcome.percentile(0.99))

    def _used(self) -> float:
        return sum(processor_seconds(process) for process in self.processes)


def measure(words: Sequence[str] = ()) -> Iterator[Line]:
    wanted = _wanted(words)
    keys = new_keys()
    for beside in wanted.database:
        for servers in wanted.servers:
            for senders in wanted.senders:
                yield from _rounds(wanted, keys, beside, servers, senders)


def _wanted(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("./dev bench inbox --as-run")
    parser.add_argument("--against", type=Path, help="another checkout, run by turns with this")
    parser.add_argument("--senders", type=int, nargs="+", default=list(SENDERS))
    parser.add_argument("--servers", type=int, nargs="+", default=list(SERVERS))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--stored", type=int, default=0, help="messages that came before")
    parser.add_argument(
        "--database", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"]
    )
    return parser.parse_args(words)


def _rounds(
    wanted: argparse.Namespace, keys: Sequence[str], database: str, servers: int, senders: int
) -> Iterator[Line]:
    yield f"{senders} senders of {servers:,} servers, {database}", ""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        (folder / "key.pem").write_text(keys[0])
        correspondents = invent(servers, port, keys)
        stack.enter_context(_listening(folder, port, servers))
        limit = stack.enter_context(bare_server())
        post = Post(correspondents, [NODE.actor], NODE)
        bare = Contestant("a bare Flask view", limit, [limit.process], post)
        taking_part = [bare]
        code = {"this node": None}
        if wanted.against:
            code[str(wanted.against)] = wanted.against.resolve()
        for who, place in code.items():
            contestant = _node(who, folder, correspondents, database, place, wanted.stored)
            taking_part.append(stack.enter_context(contestant))
        if database == "sqlite" and (INTEROP / "bin" / "python").exists():
            taking_part.append(stack.enter_context(_pubby(folder, correspondents)))
        shown = [each.shown() for each in taking_part]
        memory = [_memory(each) for each in taking_part]
        for turn in range(wanted.rounds):
            for each in taking_part[turn % 2 :] + taking_part[: turn % 2]:
                each.play(senders, SENDERS.get(senders, 1_200))
        if database == "sqlite":
            yield "  sqlite3 alone, a transaction for each message", f"{_raw_sql(folder):7,.0f} /s"
        for each, small, there in zip(taking_part, memory, shown, strict=True):
            yield f"  {each.name}", each.figures.told(None if each is bare else bare.figures)
            if each is not bare:
                yield "    memory, before and after", f"{small} {_memory(each)}"
                yield "    became visible", f"{each.shown() - there:,} of {each.expected:,}"
                yield "    how all ended", each.ends()


def _raw_sql(folder: Path) -> float:
    """The rows of messages and comments that a node made, inserted into a new file: messages a
    second.
    """
    made = sqlite3.connect(next(folder.glob("*/bench.db")))
    schema = "SELECT sql FROM sqlite_master WHERE tbl_name IN (?, ?) AND sql IS NOT NULL"
    rows = {table: made.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}  # noqa: S608 -- ours
    with closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as new:
        for (statement,) in made.execute(schema, TABLES):
            new.execute(statement)
        new.execute("PRAGMA journal_mode=WAL")
        new.execute("PRAGMA synchronous=NORMAL")
        inserts = [
            f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[table][0]))})"  # noqa: S608
            for table in TABLES
        ]
        messages, comments = rows.values()
        started = time.perf_counter()
        for message, comment in zip_longest(messages, comments):
            new.execute("BEGIN IMMEDIATE")
            new.execute(inserts[0], message)
            if comment is not None:
                new.execute(inserts[1], comment)
            new.execute("COMMIT")
        rate = len(messages) / (time.perf_counter() - started)
    made.close()
    return rate


def _memory(contestant: Contestant) -> str:
    return " +".join(resident(process) for process in contestant.processes)


@contextmanager
def _node(
    name: str,
    parent: Path,
    correspondents: Sequence[Correspondent],
    database: str,
    code: Path | None,
    stored: int,
) -> Iterator[Contestant]:
    """A node that knows the correspondents, from whom so many messages came before; its program is
    that in the folder `code`, or ours.
    """
    with ExitStack() as stack, TemporaryDirectory(dir=parent) as here:
        folder = Path(here)
        hosts = tuple({one.host for one in correspondents})
        url, jobs = f"sqlite:///{folder / 'bench.db'}", "inside"
        if database == "postgresql":
            running = stack.enter_context(postgres.run_server())
            url = running.url(running.create_database())
            jobs = url.replace("+psycopg", "")
        set_up_database("aldermoor", url, folder)
        settings = make_settings("aldermoor", url, folder, private_hosts=hosts, jobs=jobs)
        node = get_node(create_app(settings))
        projects = introduce(node, correspondents, stored)
        node.engine.dispose()
        with _program(code):
            server = stack.enter_context(node_server(settings))
            processes = [server.process]
            if jobs != "inside":
                processes.append(stack.enter_context(worker(settings)))
        engine = create_engine(settings.sqlalchemy_url)
        yield Contestant(
            name,
            server,
            processes,
            Post(correspondents, projects, NODE),
            is_done=lambda: not _waiting(engine),
            shown=partial(_shown, engine),
            ends=partial(_ends, engine),
        )
        engine.dispose()


@contextmanager
def _program(code: Path | None) -> Iterator[None]:
    """Processes that are started meanwhile run the program in this folder."""
    if code is None:
        yield
        return
    os.environ["PYTHONPATH"] = str(code)
    try:
        yield
    finally:
        del os.environ["PYTHONPATH"]


@contextmanager
def _pubby(parent: Path, correspondents: Sequence[Correspondent]) -> Iterator[Contestant]:
    """pubby, which acts on each message before it answers, and knows the correspondents too."""
    with TemporaryDirectory(dir=parent) as here:
        folder, port = Path(here), free_port()
        (folder / "actors.json").write_text(
            json.dumps({one.uri: _document(one) for one in correspondents})
        )
        packages = sysconfig.get_path("purelib")
        script = [INTEROP / "bin" / "python", Path(__file__).with_name("pubby_server.py")]
        command = [*script, folder, port, Settings.threads, packages]
        with on_processor(SERVER):
            process = subprocess.Popen([str(word) for word in command])
        try:
            wait_until(lambda: answers(port), "listening")
            engine = create_engine(f"sqlite:///{folder / 'pubby.db'}")
            server = Server(port, process.pid)
            notes = [f"https://pubby.test/notes/{number}" for number in range(20)]
            post = Post(correspondents, notes, PUBBY)
            shown = partial(_stored_by_pubby, engine)
            yield Contestant("pubby", server, [process.pid], post, shown=shown)
            engine.dispose()
        finally:
            process.kill()
            process.wait()


def _document(one: Correspondent) -> dict[str, object]:
    key = PublicKey(one.key.key_id, one.uri, public_pem(one.key.pem))
    inbox = f"http://{one.host}/inbox"
    return ActorDocument(one.uri, "Organization", inbox, public_keys=(key,)).dump()


def _stored_by_pubby(engine: Engine) -> int:
    with engine.connect() as connection:
        counts = (
            connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0  # noqa: S608 -- ours
            for table in ("ap_interactions", "ap_followers")
        )
        return sum(counts)


@contextmanager
def _listening(folder: Path, port: int, servers: int) -> Iterator[None]:
    """The servers of the correspondents."""
    command = [sys.executable, "-m", "bench.followed", str(folder), str(port), str(servers)]
    with on_processor(LOADER):
        process = subprocess.Popen(command)
    try:
        wait_until(lambda: answers(port), "listening")
        yield
    finally:
        process.kill()
        process.wait()


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


def _ends(engine: Engine) -> str:
    with engine.connect() as connection:
        state = select(InboxItem.state, InboxItem.outcome, func.count()).group_by(
            InboxItem.state, InboxItem.outcome
        )
        rows = sorted(connection.execute(state).all(), key=lambda row: -row[2])
    return ", ".join(f"{f'{row[0]} {row[1]}'.strip()}: {row[2]:,}" for row in rows)
