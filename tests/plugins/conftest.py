"""Plugins as strangers make them: a module and an entry point, found on the path."""

import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from textwrap import dedent

import pytest

from node import schema_migrations
from node.app import create_app, get_node
from node.runtime import Node
from node.settings import Settings
from node.testing.databases import Databases, PostgresqlDatabases, SqliteDatabases
from tests.cli.conftest import moothall  # noqa: F401 -- a fixture of these tests too

Install = Callable[..., str]

HEAD = """
from node.api import *
from flask import Blueprint

@hookimpl
def plugin_details():
    return PluginDetails("{name}", "A label", "1.0", {api_version}, "About it")
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a plugin made of `code`, after the usual head; returns its name."""
    folder = tmp_path / "installed"
    modules: list[str] = []

    def make(
        name: str, code: str = "", *, head: str = HEAD, api_version: int = 1, target: str = ""
    ) -> str:
        module = f"plugin_{name}".lower()
        modules.append(module)
        metadata = folder / f"{module}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(
            f"[moothall.plugins]\n{name} = {module}{target}\n"
        )
        text = head.format(name=name, api_version=api_version) + dedent(code)
        (folder / f"{module}.py").write_text(text)
        monkeypatch.syspath_prepend(folder)
        return name

    yield make
    for module in modules:
        sys.modules.pop(module, None)


def migrate(_name: str, url: str, folder: Path) -> None:
    """Bring a database up to date that knows of no plugin."""
    settings = Settings(data_dir=folder, database_url=url, jobs="memory", plugins=())
    node = get_node(create_app(settings))
    schema_migrations.upgrade(node.engine, node.hooks)
    node.engine.dispose()


@pytest.fixture(scope="session")
def migrated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Databases]:
    """Databases of a kind (sqlite, postgresql) that are up to date: copies of one."""
    new_folder = partial(tmp_path_factory.mktemp, "migrated")

    @cache
    def of(kind: str) -> Databases:
        if kind == "sqlite":
            return SqliteDatabases(new_folder, migrate)
        return PostgresqlDatabases(request.getfixturevalue("postgres"), new_folder, migrate)

    return of


@pytest.fixture(params=["sqlite", "postgresql"])
def start(
    request: pytest.FixtureRequest, migrated: Callable[[str], Databases], tmp_path: Path
) -> Iterator[Callable[..., Node]]:
    """Start a node with these plugins on an up-to-date database."""
    started: list[Node] = []
    databases = migrated(request.param)
    url = databases.create("migrated")

    def make(*plugins: str) -> Node:
        settings = Settings(
            data_dir=tmp_path / "data", database_url=url, jobs="memory", plugins=plugins
        )
        node = get_node(create_app(settings))
        started.append(node)
        schema_migrations.upgrade(node.engine, node.hooks)
        return node

    yield make
    for node in started:
        node.engine.dispose()
    databases.drop(url)
