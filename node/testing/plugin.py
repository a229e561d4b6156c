"""The pytest plugin of Moothall, for its own tests and for those of plugins.

Fixtures: `nodes`, `lasting_nodes`, `database_url`, `postgres`, `redis_url`, `browser`, `open_page`.
Rules: no test reaches off the machine, and what this machine cannot run is reported as "not run"
beside passed and failed, never as passed. In CI that is a failure.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import structlog

from node.testing import (
    cached_migrations,
    cached_routes,
    cheap_passwords,
    loopback,
    memory_folder,
    postgres,
)
from node.testing.browser import browser, chromium, open_page
from node.testing.nodes import _kept_apps, _on_postgresql, _on_sqlite, lasting_nodes, nodes
from node.testing.redis import redis_url
from node.testing.requirements import NOT_RUN, end_as_not_run

__all__ = [
    "_kept_apps",
    "_on_postgresql",
    "_on_sqlite",
    "browser",
    "chromium",
    "lasting_nodes",
    "nodes",
    "open_page",
    "redis_url",
]

SERVER_KEY = pytest.StashKey[postgres.PostgresServer]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "browser(**options): options of the browser context, as Playwright names them"
    )
    sys.addaudithook(loopback.block_external_access)
    # Otherwise each error that is logged is drawn with all that its functions held.
    plainly = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plainly])
    cheap_passwords.use_cheap_hashing()
    cached_routes.install()
    cached_migrations.install()
    memory_folder.use_for_temporary_files()


def pytest_collection_finish() -> None:
    """What was loaded by now stays: the collector of garbage need not look at it each time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each pytest-xdist worker where the one server is that all of them share."""
    config = node.config
    if SERVER_KEY not in config.stash:
        server = postgres.run_server()
        try:
            config.stash[SERVER_KEY] = server.__enter__()
        except postgres.PostgresMissingError:
            return
        config.add_cleanup(lambda: server.__exit__(None, None, None))
    node.workerinput["postgres"] = str(config.stash[SERVER_KEY].folder)


@pytest.fixture(autouse=True)
def _only_loopback() -> Iterator[None]:
    """Fail a test that tried to reach off the machine, even where the attempt was caught."""
    loopback.attempts.clear()
    yield
    if loopback.attempts:
        pytest.fail(f"tried to reach off the machine: {', '.join(loopback.attempts)}")


@pytest.fixture(scope="session", name="postgres")
def _postgres(request: pytest.FixtureRequest) -> Iterator[postgres.PostgresServer]:
    """The PostgreSQL server of this run."""
    shared = getattr(request.config, "workerinput", {}).get("postgres")
    if shared:
        with closing(postgres.PostgresServer(Path(shared))) as server:
            yield server
        return
    try:
        with postgres.run_server() as server:
            yield server
    except postgres.PostgresMissingError as error:
        end_as_not_run(str(error))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The SQLAlchemy address of a new, empty database: on SQLite, and again on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server: postgres.PostgresServer = request.getfixturevalue("postgres")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    if report.skipped and isinstance(report.longrepr, tuple) and NOT_RUN in report.longrepr[2]:
        return "not run", "N", "NOT RUN"
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was missing, once each, above the summary line."""
    for reason in sorted({report.longrepr[2] for report in terminalreporter.getreports("not run")}):
        terminalreporter.write_line(reason.removeprefix("Skipped: "), yellow=True)
