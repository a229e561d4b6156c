"""What a reader waits for: pages and searches beside 1,000 and 100,000 projects, on both databases.

Requests are made inside this process, so that a figure is the node's own time.
"""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import func, insert, select, text

from node import logs
from node.access.visibility import Visibility
from node.app import create_app, get_node
from node.councils import service as councils
from node.database.tables import now
from node.principal import Principal
from node.projects.details import Budget, Collaboration, Details, Output
from node.projects.models import Phase, Project, ProjectState, new_revision, new_token
from node.projects.taxonomy import BUSINESS_AREA_LABELS, CAPABILITY_LABELS
from node.queue import batched_writes
from node.runtime import Node
from node.search import indexing
from node.search.models import ProjectIndexEntry
from node.settings import Settings
from node.testing import postgres
from node.testing.nodes import make_settings, set_up_database

PROJECT_COUNTS = (1_000, 100_000)
INSERT_BATCH_SIZE = 5_000
ROUNDS = 15
# What is asked for, by what a reader would call it.
PAGES = {
    "the front page": "/",
    "all projects": "/projects",
    "all projects, the last page": "/projects?page=50",
    "a phase": "/projects?phase=beta",
    "three facets": "/projects?phase=alpha&budget=50k-100k&capability=pay",
    "a tag that one in 1,000 has": "/projects?tag=tag+7",
    "a word that half of them have": "/projects?q=bins",
    "a word that half of them have, by title": "/projects?q=bins&sort=title",
    "a word that one in 500 has": "/projects?q=allotment7",
    "two words and a facet": "/projects?q=bins+parking&phase=live",
    "a phrase": "/projects?q=%22missed+bins%22",
    "the beginning of a word": "/projects?q=allot*",
    "without a word": "/projects?q=bins+-parking",
    "changed between two days": "/projects?updated_from=2026-03-01&updated_to=2026-03-14",
    "ending next": "/projects?sort=ends",
    "nothing at all": "/projects?q=nowhere",
    "type-ahead": "/search/suggest?q=report+mis",
    "the catalogue for reuse": "/reuse",
    "the catalogue, a word": "/reuse?q=form",
}
COMMON_WORDS = ("bins", "parking", "council", "report", "online", "residents", "service", "form")


def measure() -> Iterator[tuple[str, str]]:
    with postgres.run_server() as server, TemporaryDirectory() as name:
        folder = Path(name)
        places = [
            (f"{engine}, {size:,}", url, folder, size)
            for size in PROJECT_COUNTS
            for engine, url in (
                ("SQLite", f"sqlite:///{folder / str(size)}.db"),
                ("PostgreSQL", server.url(server.create_database())),
            )
        ]
        # Both databases of a size at once, as each has a processor to itself.
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            made = list(pool.map(_prepare_database, *zip(*places, strict=True)))
        for (where, url, _folder, _size), figures in zip(places, made, strict=True):
            yield from figures
            yield from _measure_pages(where, url, folder)


def _prepare_database(where: str, url: str, folder: Path, size: int) -> list[tuple[str, str]]:
    """Fill a node, and have all of it indexed."""
    logs.configure(Settings(log_level="ERROR"))
    set_up_database("aldermoor", url, folder)
    settings = make_settings("aldermoor", url, folder)
    node = get_node(create_app(settings))
    _fill_projects(settings, node, size)
    began, worked = time.perf_counter(), time.process_time()
    batched_writes.run_job(node, [indexing.REBUILD_INDEX])
    indexing.run_job(node, pause_factor=0)
    with node.reading() as session:
        indexed = session.scalar(select(func.count()).select_from(ProjectIndexEntry))
        assert indexed == size, f"{indexed} of {size} projects are indexed"
    taken, worked = time.perf_counter() - began, time.process_time() - worked
    if node.engine.dialect.name == "postgresql":
        # As it does by itself, sooner or later.
        with node.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                text("VACUUM ANALYZE")
            )
    node.engine.dispose()
    each = f"{worked / size * 1_000_000:,.0f} µs of the processor each"
    return [(f"{where}: indexed", f"{size / taken:8,.0f} /s, {each}")]


def _measure_pages(where: str, url: str, folder: Path) -> Iterator[tuple[str, str]]:
    app = create_app(make_settings("aldermoor", url, folder))
    client = app.test_client()
    for what, address in PAGES.items():
        yield f"{where}: {what}", _measure_times(partial(_get_page, client, address))
    get_node(app).engine.dispose()


def _get_page(client: Any, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status)


def _measure_times(action: Callable[[], object]) -> str:
    action()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        action()
        taken.append((time.perf_counter() - began) * 1000)
    return f"{statistics.median(taken):7.1f} ms, slowest {max(taken):7.1f}"


def _fill_projects(settings: Settings, node: Node, size: int) -> None:
    """So many published projects, all different, without telling anybody."""
    dice = random.Random(7)
    with node.work(by=Principal.job("bench")) as work:
        council_id = councils.require_own(work.session).id
        for start in range(0, size, INSERT_BATCH_SIZE):
            rows = [
                _project_row(dice, number, size)
                for number in range(start, min(start + INSERT_BATCH_SIZE, size))
            ]
            for row in rows:
                uri = f"{settings.base_url}/projects/{row['token']}"
                row |= {"uri": uri, "url": uri, "council_id": council_id}
            work.session.connection().execute(insert(Project), rows)
        indexing.rebuild(work)


def _project_row(dice: random.Random, number: int, size: int) -> dict[str, Any]:
    moment = now() - timedelta(minutes=number * 500_000 // size)
    words = dice.sample(COMMON_WORDS, 4)
    content = "".join(
        f"<p>{' '.join(dice.choices(VOCABULARY, cum_weights=WEIGHTS, k=60))}.</p>" for _ in range(5)
    )
    output = Output(
        token=str(number), title=f"A {words[0]} form", licence=dice.choice(("MIT", "OGL-UK-3.0"))
    )
    said = Details(
        starts_on=moment.date(),
        ends_on=moment.date() + timedelta(days=dice.randrange(900)),
        budget=dice.choice(list(Budget)),
        collaboration=dice.choice(list(Collaboration)),
        capability=dice.choice(list(CAPABILITY_LABELS)),
        business_area=dice.choice(list(BUSINESS_AREA_LABELS)),
        lgsl=dice.randrange(1, 1800),
        tags=(f"tag {dice.randrange(1000)}", dice.choice(("web", "data", "forms"))),
        skills=(dice.choice(("user research", "python", "content design")),),
        outputs=(output,) if number % 5 == 0 else (),
    )
    return {
        "token": new_token(),
        "title": f"Report missed {words[0]} {number}",
        "summary": f"For {words[1]} and {words[2]}, allotment{dice.randrange(500)}.",
        "phase": dice.choice(list(Phase)),
        "content": content + f"<p>Of {' and '.join(words)}: missed bins.</p>" * (number % 2),
        "state": ProjectState.published,
        "visibility": Visibility.public,
        "details": said,
        "language": "en",
        "revision": new_revision(),
        "created_at": moment,
        "changed_at": moment,
        "published_at": moment,
    }


def _build_vocabulary(size: int) -> list[str]:
    """Made-up words, as many as a language has."""
    dice = random.Random(1)
    syllables = [a + b for a in "bcdfglmnprst" for b in ("a", "e", "i", "o", "u", "ing", "er")]
    return ["".join(dice.choices(syllables, k=dice.randrange(2, 4))) for _ in range(size)]


VOCABULARY = _build_vocabulary(20_000)
# A few are used all the time, most hardly ever.
WEIGHTS = list(accumulate(1 / (rank + 5) for rank in range(len(VOCABULARY))))
