"""A database created from cached statements is the same as a migrated one."""

import re
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from node import schema_migrations
from node.database.engine import prepare_engine
from node.plugin_api.hooks import Hooks
from node.settings import Settings
from node.testing import cached_migrations
from node.testing.postgres import PostgresServer, programs_folder

HOOKS = Hooks(Settings(plugins=()))
# Random text in the output of pg_dump.
RANDOM = re.compile(r"^\\(un)?restrict .*$", re.MULTILINE)


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[str]]:
    """Three empty databases of one kind."""
    if request.param == "sqlite":
        yield [f"sqlite:///{tmp_path / name}.db" for name in ("a", "b", "c")]
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    names = [server.create_database() for _ in range(3)]
    yield [server.url(name) for name in names]
    for name in names:
        server.drop_database(name)


def migrate(url: str) -> list[str]:
    engine = create_engine(url)
    prepare_engine(engine)
    done = schema_migrations.upgrade(engine, HOOKS)
    assert schema_migrations.find_schema_differences(engine, HOOKS) == []
    engine.dispose()
    return done


def content(request: pytest.FixtureRequest, url: str) -> list[str]:
    """The dump of a database, as sorted lines, since SQLite lists constraints in any order."""
    return sorted(line.strip(" \t,") for line in _dumped(request, url).splitlines())


def _dumped(request: pytest.FixtureRequest, url: str) -> str:
    database = make_url(url).database or ""
    if url.startswith("sqlite"):
        with sqlite3.connect(database) as connection:
            return "\n".join(connection.iterdump())
    server: PostgresServer = request.getfixturevalue("postgres")
    done = subprocess.run(
        [programs_folder() / "pg_dump", f"--host={server.folder}", "--username=postgres", database],
        check=True,
        capture_output=True,
        text=True,
    )
    return RANDOM.sub("", done.stdout)


def test_cached_database_is_same_as_migrated_one(
    request: pytest.FixtureRequest, urls: list[str]
) -> None:
    with cached_migrations.without_cache():
        done = migrate(urls[0])
    assert [migrate(url) for url in urls[1:]] == [done, done]  # the last uses cached statements
    whole = content(request, urls[0])
    assert len(whole) > 500
    assert content(request, urls[2]) == whole
