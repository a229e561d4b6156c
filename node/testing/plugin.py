"""The pytest plugin of Moothall, for its own tests and for those of plugins.

Fixtures: `nodes`, `lasting_nodes`, `database_url`, `postgres`, `redis_url`, `browser`, `open_page`.
No test may connect to another machine. A test whose requirements this machine lacks is reported as
"not run", never as passed; in CI it fails.
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
from node.testing.nodes import _app_pool, _on_postgresql, _on_sqlite, lasting_nodes, nodes
from node.testing.redis import redis_url
from node.testing.requirements import NOT_RUN_PREFIX, end_as_not_run

__all__ = [
    "_app_pool",
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
    # The default renderer would print all local variables with each traceback.
    plain_renderer = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain_renderer])
    cheap_passwords.use_cheap_hashing()
    cached_routes.install()
    cached_migrations.install()
    memory_folder.use_for_temporary_files()


def pytest_collection_finish() -> None:
    """Exempt everything loaded so far from garbage collection, which saves time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Pass the folder of the shared PostgreSQL server to each pytest-xdist worker."""
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
    """Fail a test that tried to connect to another machine, even if it caught the error."""
    loopback.blocked_attempts.clear()
    yield
    if loopback.blocked_attempts:
        pytest.fail(f"tried to reach off the machine: {', '.join(loopback.blocked_attempts)}")


@pytest.fixture(scope="session", name="postgres")
def _postgres(request: pytest.FixtureRequest) -> Iterator[postgres.PostgresServer]:
    """The PostgreSQL server of this run."""
    shared_folder = getattr(request.config, "workerinput", {}).get("postgres")
    if shared_folder:
        with closing(postgres.PostgresServer(Path(shared_folder))) as server:
            yield server
        return
    try:
        with postgres.run_server() as server:
            yield server
    except postgres.PostgresMissingError as error:
        end_as_not_run(str(error))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The SQLAlchemy URL of a new, empty database; runs the test on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server: postgres.PostgresServer = request.getfixturevalue("postgres")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    if (
        report.skipped
        and isinstance(report.longrepr, tuple)
        and NOT_RUN_PREFIX in report.longrepr[2]
    ):
        return "not run", "N", "NOT RUN"
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List each missing requirement once, above the summary line."""
    for reason in sorted({report.longrepr[2] for report in terminalreporter.getreports("not run")}):
        terminalreporter.write_line(reason.removeprefix("Skipped: "), yellow=True)
