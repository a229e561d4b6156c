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

from bench.alternating_load import cpu_seconds
from bench.load_generator import is_listening, send_requests
from bench.memory import describe_resident_memory
from bench.remote_actors import (
    NODE_TARGET,
    InboxTarget,
    MessageSource,
    RemoteActor,
    create_actors,
    generate_keys,
    store_actors,
)
from bench.servers import (
    LOADER_PROCESSOR,
    SERVER_PROCESSOR,
    RunningServer,
    baseline_server,
    node_server,
    pinned_to_processor,
    running_worker,
)
from federation.signatures import PublicKey, public_pem
from federation.vocabulary import ActorDocument
from node.app import create_app, get_node
from node.conversations.models import Comment
from node.federating.models import Follow, InboxItem, Reaction
from node.settings import Settings
from node.testing import postgres
from node.testing.nodes import make_settings, set_up_database
from node.testing.processes import free_port, wait_until

SERVER_COUNTS = (20, 1_000)
# How many send at once, and how many messages they send in a round.
MESSAGES_BY_SENDER_COUNT = {1: 400, 8: 1_200, 32: 1_200}
ROUNDS = 7
MAX_DRAIN_SECONDS = 120.0
INTEROP_ENVIRONMENT = Path(__file__).parents[1] / ".interop"
MESSAGE_TABLES = ("inbox_item", "comment")
PUBBY = InboxTarget("pubby.test", "https://pubby.test/ap/actor", "/ap/inbox")
ResultLine = tuple[str, str]


@dataclass
class RoundResults:
    """Of each round: messages a second, milliseconds of processor for each, and the 99th percentile
    of how long its answer took (ms).
    """

    rates: list[float] = field(default_factory=list)
    cpu_milliseconds: list[float] = field(default_factory=list)
    p99_milliseconds: list[float] = field(default_factory=list)

    def summarise(self, limit: "RoundResults | None" = None) -> str:
        """The medians and the lowest and highest rate; the share of the rate of `limit`."""
        words = (
            f"{median(self.rates):7,.0f} /s  ({min(self.rates):,.0f} to {max(self.rates):,.0f})"
            f"  p99 {median(self.p99_milliseconds):4.0f} ms"
            f"  {median(self.cpu_milliseconds):5.2f} ms of processor"
        )
        if limit is None:
            return words
        return f"{words}  {median(self.rates) / median(limit.rates):5.0%}"


@dataclass
class MeasuredServer:
    """A server that is sent messages: its processes, what it is sent, and when it has acted on all.
    `shown` counts what it shows, and `ends` says how its messages ended.
    """

    name: str
    server: RunningServer
    processes: Sequence[int]
    message_source: MessageSource
    is_done: Callable[[], bool] = lambda: True
    count_shown: Callable[[], int] = lambda: 0
    describe_outcomes: Callable[[], str] = lambda: ""
    results: RoundResults = field(default_factory=RoundResults)
    expected: int = 0

    def run_round(self, senders: int, number: int) -> None:
        """One round: all are sent, and acted on."""
        letters, relevant = self.message_source.next_requests(number)
        self.expected += relevant
        used = self._cpu_seconds()
        started = time.perf_counter()
        outcome = send_requests(self.server.port, iter(letters), MAX_DRAIN_SECONDS, senders)
        while not self.is_done():
            assert time.perf_counter() - started < MAX_DRAIN_SECONDS, "not all was acted on"
            time.sleep(0.005)
        seconds = time.perf_counter() - started
        assert outcome.statuses == Counter({202: len(letters)}), outcome.statuses
        self.results.rates.append(len(letters) / seconds)
        self.results.cpu_milliseconds.append(1000 * (self._cpu_seconds() - used) / len(letters))
        self.results.p99_milliseconds.append(outcome.percentile(0.99))

    def _cpu_seconds(self) -> float:
        return sum(cpu_seconds(process) for process in self.processes)


def measure(words: Sequence[str] = ()) -> Iterator[ResultLine]:
    wanted = _parse_arguments(words)
    keys = generate_keys()
    for beside in wanted.database:
        for servers in wanted.servers:
            for senders in wanted.senders:
                yield from _measure_rounds(wanted, keys, beside, servers, senders)


def _parse_arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("./dev bench inbox --as-run")
    parser.add_argument("--against", type=Path, help="another checkout, run by turns with this")
    parser.add_argument("--senders", type=int, nargs="+", default=list(MESSAGES_BY_SENDER_COUNT))
    parser.add_argument("--servers", type=int, nargs="+", default=list(SERVER_COUNTS))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--stored", type=int, default=0, help="messages that came before")
    parser.add_argument(
        "--database", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"]
    )
    return parser.parse_args(words)


def _measure_rounds(
    wanted: argparse.Namespace, keys: Sequence[str], database: str, servers: int, senders: int
) -> Iterator[ResultLine]:
    yield f"{senders} senders of {servers:,} servers, {database}", ""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        (folder / "key.pem").write_text(keys[0])
        correspondents = create_actors(servers, port, keys)
        stack.enter_context(_running_remote_servers(folder, port, servers))
        limit = stack.enter_context(baseline_server())
        post = MessageSource(correspondents, [NODE_TARGET.actor], NODE_TARGET)
        bare = MeasuredServer("a bare Flask view", limit, [limit.process_id], post)
        taking_part = [bare]
        code = {"this node": None}
        if wanted.against:
            code[str(wanted.against)] = wanted.against.resolve()
        for who, place in code.items():
            contestant = _running_node(who, folder, correspondents, database, place, wanted.stored)
            taking_part.append(stack.enter_context(contestant))
        if database == "sqlite" and (INTEROP_ENVIRONMENT / "bin" / "python").exists():
            taking_part.append(stack.enter_context(_running_pubby(folder, correspondents)))
        shown = [each.count_shown() for each in taking_part]
        memory = [_describe_memory(each) for each in taking_part]
        for turn in range(wanted.rounds):
            for each in taking_part[turn % 2 :] + taking_part[: turn % 2]:
                each.run_round(senders, MESSAGES_BY_SENDER_COUNT.get(senders, 1_200))
        if database == "sqlite":
            yield (
                "  sqlite3 alone, a transaction for each message",
                f"{_measure_raw_sql(folder):7,.0f} /s",
            )
        for each, small, there in zip(taking_part, memory, shown, strict=True):
            yield f"  {each.name}", each.results.summarise(None if each is bare else bare.results)
            if each is not bare:
                yield "    memory, before and after", f"{small} {_describe_memory(each)}"
                yield "    became visible", f"{each.count_shown() - there:,} of {each.expected:,}"
                yield "    how all ended", each.describe_outcomes()


def _measure_raw_sql(folder: Path) -> float:
    """The rows of messages and comments that a node made, inserted into a new file: messages a
    second.
    """
    made = sqlite3.connect(next(folder.glob("*/bench.db")))
    schema = "SELECT sql FROM sqlite_master WHERE tbl_name IN (?, ?) AND sql IS NOT NULL"
    rows = {table: made.execute(f"SELECT * FROM {table}").fetchall() for table in MESSAGE_TABLES}  # noqa: S608 -- ours
    with closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as new:
        for (statement,) in made.execute(schema, MESSAGE_TABLES):
            new.execute(statement)
        new.execute("PRAGMA journal_mode=WAL")
        new.execute("PRAGMA synchronous=NORMAL")
        inserts = [
            f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[table][0]))})"  # noqa: S608
            for table in MESSAGE_TABLES
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


def _describe_memory(contestant: MeasuredServer) -> str:
    return " +".join(describe_resident_memory(process) for process in contestant.processes)


@contextmanager
def _running_node(
    name: str,
    parent: Path,
    correspondents: Sequence[RemoteActor],
    database: str,
    source_folder: Path | None,
    stored: int,
) -> Iterator[MeasuredServer]:
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
        projects = store_actors(node, correspondents, stored)
        node.engine.dispose()
        with _use_source_folder(source_folder):
            server = stack.enter_context(node_server(settings))
            processes = [server.process_id]
            if jobs != "inside":
                processes.append(stack.enter_context(running_worker(settings)))
        engine = create_engine(settings.sqlalchemy_url)
        yield MeasuredServer(
            name,
            server,
            processes,
            MessageSource(correspondents, projects, NODE_TARGET),
            is_done=lambda: not _count_waiting(engine),
            count_shown=partial(_count_shown, engine),
            describe_outcomes=partial(_describe_outcomes, engine),
        )
        engine.dispose()


@contextmanager
def _use_source_folder(source_folder: Path | None) -> Iterator[None]:
    """Processes that are started meanwhile run the program in this folder."""
    if source_folder is None:
        yield
        return
    os.environ["PYTHONPATH"] = str(source_folder)
    try:
        yield
    finally:
        del os.environ["PYTHONPATH"]


@contextmanager
def _running_pubby(parent: Path, correspondents: Sequence[RemoteActor]) -> Iterator[MeasuredServer]:
    """pubby, which acts on each message before it answers, and knows the correspondents too."""
    with TemporaryDirectory(dir=parent) as here:
        folder, port = Path(here), free_port()
        (folder / "actors.json").write_text(
            json.dumps({one.uri: _build_actor_document(one) for one in correspondents})
        )
        packages = sysconfig.get_path("purelib")
        script = [
            INTEROP_ENVIRONMENT / "bin" / "python",
            Path(__file__).with_name("pubby_server.py"),
        ]
        command = [*script, folder, port, Settings.threads, packages]
        with pinned_to_processor(SERVER_PROCESSOR):
            process = subprocess.Popen([str(word) for word in command])
        try:
            wait_until(lambda: is_listening(port), "listening")
            engine = create_engine(f"sqlite:///{folder / 'pubby.db'}")
            server = RunningServer(port, process.pid)
            notes = [f"https://pubby.test/notes/{number}" for number in range(20)]
            post = MessageSource(correspondents, notes, PUBBY)
            shown = partial(_count_stored_by_pubby, engine)
            yield MeasuredServer("pubby", server, [process.pid], post, count_shown=shown)
            engine.dispose()
        finally:
            process.kill()
            process.wait()


def _build_actor_document(one: RemoteActor) -> dict[str, object]:
    key = PublicKey(one.key.key_id, one.uri, public_pem(one.key.pem))
    inbox = f"http://{one.host}/inbox"
    return ActorDocument(one.uri, "Organization", inbox, public_keys=(key,)).dump()


def _count_stored_by_pubby(engine: Engine) -> int:
    with engine.connect() as connection:
        counts = (
            connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0  # noqa: S608 -- ours
            for table in ("ap_interactions", "ap_followers")
        )
        return sum(counts)


@contextmanager
def _running_remote_servers(folder: Path, port: int, servers: int) -> Iterator[None]:
    """The servers of the correspondents."""
    command = [sys.executable, "-m", "bench.followed_servers", str(folder), str(port), str(servers)]
    with pinned_to_processor(LOADER_PROCESSOR):
        process = subprocess.Popen(command)
    try:
        wait_until(lambda: is_listening(port), "listening")
        yield
    finally:
        process.kill()
        process.wait()


def _count_waiting(engine: Engine) -> int:
    waits = (
        select(func.count())
        .select_from(InboxItem)
        .where(InboxItem.state == InboxItem.WAITING_STATE)
    )
    with engine.connect() as connection:
        return connection.scalar(waits) or 0


def _count_shown(engine: Engine) -> int:
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


def _describe_outcomes(engine: Engine) -> str:
    with engine.connect() as connection:
        state = select(InboxItem.state, InboxItem.outcome, func.count()).group_by(
            InboxItem.state, InboxItem.outcome
        )
        rows = sorted(connection.execute(state).all(), key=lambda row: -row[2])
    return ", ".join(f"{f'{row[0]} {row[1]}'.strip()}: {row[2]:,}" for row in rows)
