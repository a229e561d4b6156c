"""Reading all that a council has, and finding out that two nodes hold the same.

The council whose projects they are is a process of its own, reached over sockets; who follows it is
this process. Both are on SQLite, the files on the same disc.
"""

import gc
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import func, insert, select, update

from bench.memory import describe_resident_memory
from bench.servers import LOADER_PROCESSOR, SERVER_PROCESSOR, pinned_to_processor
from node.access.visibility import Visibility
from node.app import create_app, get_node
from node.councils import service as councils
from node.database.tables import now
from node.federating.identity import actors
from node.federating.models import Backfill, Comparison, Follow
from node.federating.peers import fetching
from node.federating.peers import service as peers
from node.federating.sync import backfill
from node.outbound import OutboundClient, OutboundResponse
from node.plugin_admin import jobs as plugins
from node.principal import Principal
from node.projects import bucket_digests, review_dates
from node.projects.details import Freshness
from node.projects.models import Phase, Project, ProjectState, new_revision, new_token
from node.runtime import Node
from node.settings import Settings
from node.sync import comparison
from node.testing.nodes import make_settings, set_up_database
from node.testing.processes import NodeProcess, free_port

PROJECT_COUNTS = (1_000, 100_000)
BRIEF = "## Why\n\nWhoever *reports* a missed bin waits [too long](https://example.org/). " + (
    "The form asks for what we know already, and nobody hears what came of it.\n\n" * 6
)
CONTENT = "<h2>Why</h2>\n" + "".join(
    f"<p>Whoever <em>reports</em> a missed bin waits too long: part {part}. The form asks for what"
    " we know already, and nobody hears what came of it.</p>\n"
    for part in range(6)
)
INSERT_BATCH_SIZE = 5_000


@dataclass
class TrafficMeter:
    """What a node asks of others: how often, and how much it is answered."""

    outbound: OutboundClient
    requests: int = 0
    received: int = 0
    _get: Any = field(init=False)

    def __post_init__(self) -> None:
        self._get = self.outbound.get
        self.outbound.get = self.get  # type: ignore[method-assign]  # of this one object

    def get(self, *given: Any, **more: Any) -> OutboundResponse:
        answer: OutboundResponse = self._get(*given, **more)
        self.requests += 1
        self.received += len(answer.body)
        return answer

    def describe_since(self, requests: int = 0, received: int = 0) -> str:
        kilobytes = (self.received - received) / 1024
        return f"{self.requests - requests:,} requests, {kilobytes:,.0f} kB"


def measure() -> Iterator[tuple[str, str]]:
    for size in PROJECT_COUNTS:
        with TemporaryDirectory() as folder:
            yield from _measure(Path(folder), size)


def _measure(folder: Path, size: int) -> Iterator[tuple[str, str]]:
    yield (
        f"{size:,} rows inserted by sqlite3 alone",
        _format_rate(size, _measure_raw_sql(folder, size)),
    )
    port = free_port()
    hosts = {"private_hosts": (f"localhost:{port}", "localhost:1")}
    there = _create_node(folder / "there", "brackwell", f"http://localhost:{port}", **hosts)
    here = _create_node(folder / "here", "aldermoor", "http://localhost:1", **hosts)
    _fill_projects(there, size)
    served, follower = get_node(create_app(there)), get_node(create_app(here))
    for one, other in ((served, here), (follower, there)):
        with one.work(by=Principal.job("bench")) as work:
            peers.decide(work, other.authority, peers.ALLOWED)
    meter = TrafficMeter(follower.outbound)
    _store_follow(served, follower)
    gc.collect()
    gc.freeze()  # as a node that serves does once it has begun
    with _running_node(there) as process:
        yield "the council's own node, before", describe_resident_memory(process)
        yield "the follower, before", describe_resident_memory()
        here_before, there_before = _cpu_seconds(), _cpu_seconds(process)
        seconds = _measure_seconds(lambda: backfill.run_job(follower))
        _check_backfill(follower, size)
        yield "backfill: served, fetched, sanitised, stored", _format_rate(size, seconds)
        yield "  processor time of the follower", _format_rate(size, _cpu_seconds() - here_before)
        served_in = _cpu_seconds(process) - there_before
        yield "  processor time of the council's own node", _format_rate(size, served_in)
        yield "  asked", meter.describe_since()
        yield "the council's own node, after", describe_resident_memory(process)
        yield "the follower, after", describe_resident_memory()
        yield "first comparison: both make all digests", _measure_comparison(follower, meter)
        yield "what is equal, compared", _measure_comparison(follower, meter)
        _invalidate_one_bucket(served)
        yield "a digest document with one emptied bucket", _measure_digest(follower, there)
        _change_projects(served, size // 100)
        yield "1 % changed, compared until equal", _measure_comparison(follower, meter)
        yield "what is equal again, compared", _measure_comparison(follower, meter)
        yield "the follower, at the end", describe_resident_memory()
    for one in (served, follower):
        one.engine.dispose()


@contextmanager
def _running_node(settings: Settings) -> Iterator[int]:
    """A node as operators run it, this process being on the other processor. Gives its number."""
    process = NodeProcess(settings, runs_program=True)
    with pinned_to_processor(SERVER_PROCESSOR):
        process.launch()
    try:
        process.wait()
        with pinned_to_processor(LOADER_PROCESSOR):
            yield process.pid
    finally:
        process.ensure_killed()


def _create_node(folder: Path, name: str, base_url: str, **more: Any) -> Settings:
    folder.mkdir()
    database = f"sqlite:///{folder / 'moothall.db'}"
    given = {"base_url": base_url, **more}
    set_up_database(name, database, folder, **given)
    return replace(make_settings(name, database, folder, **given), jobs="inside")


def _project_row(number: int, size: int) -> dict[str, Any]:
    """One of `size` projects that were published over two years, evenly."""
    token = new_token()
    return {
        "token": token,
        "title": f"Report a missed bin in one step ({number})",
        "summary": "One form for every kind of waste, which asks only for what is not known yet.",
        "phase": Phase.alpha,
        "brief": BRIEF,
        "content": CONTENT,
        "state": ProjectState.published,
        "visibility": Visibility.public,
        "published_at": now() - timedelta(days=730) * (number / size),
        # As publishing does; who looks after projects leaves these alone.
        "freshness": Freshness.fresh,
        "confirmed_on": review_dates.today(),
        "review_on": review_dates.today() + timedelta(weeks=26),
    }


def _fill_projects(settings: Settings, size: int) -> None:
    """So many published projects, without telling anybody: of a council whose node was there before
    them, with its plugins, and has no index of them left to make.
    """
    node = get_node(create_app(settings))
    plugins.run_job(node)
    with node.work(by=Principal.job("bench")) as work:
        council_id = councils.require_own(work.session).id
        for start in range(0, size, INSERT_BATCH_SIZE):
            rows = [
                _project_row(number, size)
                for number in range(start, min(start + INSERT_BATCH_SIZE, size))
            ]
            for row in rows:
                uri = f"{settings.base_url}/projects/{row['token']}"
                row |= {"uri": uri, "url": uri, "council_id": council_id}
            work.session.connection().execute(insert(Project.__table__), rows)  # type: ignore[arg-type]
    node.engine.dispose()


def _store_follow(served: Node, follower: Node) -> None:
    """One follows the other, and nothing of it had to be sent."""
    with served.reading() as session:
        council = councils.require_own(session).actor
        followed = actors.build_document(served.settings, council)
    with follower.work(by=Principal.job("bench")) as work:
        ours = councils.require_own(work.session).actor
        documents = [
            actors.build_document(work.settings, actors.get_node_actor(work.session, work.settings))
        ]
        documents.append(actors.build_document(work.settings, ours))
        theirs = councils.upsert(work, followed).actor
        uri = f"{work.settings.base_url}/activities/1"
        follow = {"uri": uri, "state": "accepted", "answered_at": now()}
        work.session.add(Follow(follower=ours, followed=theirs, **follow))
        backfill.start(work, theirs)
    with served.work(by=Principal.job("bench")) as work:
        known = [actors.upsert(work.session, document) for document in documents]
        council = councils.require_own(work.session).actor
        work.session.add(Follow(follower=known[1], followed=council, **follow))


def _measure_raw_sql(folder: Path, size: int) -> float:
    """How long SQLite takes for as many rows of the same length, with an index on one column."""
    rows = [
        (f"https://brackwell.test/projects/{number}", CONTENT, BRIEF[:200])
        for number in range(size)
    ]
    with closing(sqlite3.connect(folder / "raw.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(
            "CREATE TABLE raw (id INTEGER PRIMARY KEY, uri TEXT UNIQUE, a TEXT, b TEXT)"
        )
        connection.commit()
        statement = "INSERT INTO raw (uri, a, b) VALUES (?, ?, ?)"

        def write() -> None:
            for start in range(0, size, 500):
                connection.executemany(statement, rows[start : start + 500])
                connection.commit()

        return _measure_seconds(write)


def _check_backfill(follower: Node, size: int) -> None:
    with follower.reading() as session:
        row = session.scalars(select(Backfill)).one()
        held = session.scalar(select(func.count()).where(Project.state == ProjectState.published))
        if (row.state, held) != ("done", size):
            raise AssertionError(f"{row.state}, {row.outcome}: {held} of {size}")


def _measure_comparison(follower: Node, meter: TrafficMeter) -> str:
    """Compare, until both are the same."""
    requests, received = meter.requests, meter.received
    with follower.work(by=Principal.job("bench")) as work:
        work.session.execute(update(Comparison).values(due_at=now(), agreed_at=None))

    def agree() -> None:
        comparison.run_job(follower)
        with follower.reading() as session:
            row = session.scalars(select(Comparison)).one()
            if row.agreed_at is None:
                raise AssertionError(row.outcome)

    return f"{_measure_seconds(agree):10.2f} s, {meter.describe_since(requests, received)}"


def _invalidate_one_bucket(served: Node) -> None:
    with served.work(by=Principal.job("bench")) as work:
        project = work.session.scalars(select(Project).limit(1)).one()
        bucket_digests.invalidate(work.session, project.council_id, [project.bucket])


def _measure_digest(follower: Node, there: Settings) -> str:
    url = f"{there.base_url}/councils/brackwell/projects/digest"
    return f"{1000 * _measure_seconds(lambda: fetching.fetch_document(follower, url)):10.1f} ms"


def _change_projects(served: Node, count: int) -> None:
    """New revisions of projects here and there."""
    with served.work(by=Principal.job("bench")) as work:
        ids = random.sample(list(work.session.scalars(select(Project.id))), count)
        for project_id in ids:
            project = work.session.get_one(Project, project_id)
            project.revision, project.title = new_revision(), "Report a missed bin at once"


def _cpu_seconds(process: int | str = "self") -> float:
    """Seconds for which a process had a processor, whoever else wanted it. Linux only."""
    ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _measure_seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _format_rate(count: int, seconds: float) -> str:
    return f"{count / seconds:10,.0f} /s ({seconds:.1f} s)"
