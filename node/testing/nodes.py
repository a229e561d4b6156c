"""Whole nodes in one process: one in a line, or several that federate without sockets.

Their databases are copies, and their applications were used before: see `databases`, `kept_apps`.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from node import schema_migrations
from node.app import create_app, get_node
from node.councils import service as councils
from node.councils.first_run import FirstRunInput, set_up
from node.federating import fetching, peers
from node.outbound import InProcessTransport, Outbound
from node.people import service as people
from node.people.permissions import OFFICER, OPERATOR
from node.plugin_loading import installed_plugins
from node.projects import service as projects
from node.projects.validation import ProjectInput
from node.runtime import Node, UnitOfWork
from node.settings import Settings
from node.testing import quick_sign_in, shared_sql_cache
from node.testing.app_pool import AppPool, PooledApp
from node.testing.databases import Databases, PostgresqlDatabases, SqliteDatabases
from node.testing.postgres import PostgresServer
from node.testing.visitor import Visitor

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PASSWORD = "a moot hall of oak"  # noqa: S105 -- of nobody
# So many rounds settle any honest exchange; more mean that two nodes go on for ever.
MAX_ROUNDS = 100


@dataclass
class TestNode:
    """One council's node. `name` is the council's short name; the host is `<name>.test`."""

    __test__ = False

    name: str
    app: Flask

    @property
    def node(self) -> Node:
        return get_node(self.app)

    @property
    def host(self) -> str:
        return self.node.settings.authority

    @property
    def address(self) -> str:
        """`@name@host`."""
        return f"@{self.name}@{self.host}"

    @property
    def council_uri(self) -> str:
        return f"{self.node.settings.base_url}/councils/{self.name}"

    def visitor(self, role: str | None = None) -> Visitor:
        """Somebody who looks at the node; signed in if a role is named (officer, operator)."""
        visitor = Visitor(self.app.test_client())
        if role:
            quick_sign_in.sign_in(visitor, role_email(role, self.name))
        return visitor

    @contextmanager
    def work(self) -> Iterator[UnitOfWork]:
        with self.app.app_context(), self.node.work(by="test") as work:
            yield work

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.node.reading() as session:
            yield session

    def publish(self, title: str, phase: str = "alpha") -> str:
        """A new project of the council, for everybody to see. Returns its token."""
        with self.work() as work:
            text = ProjectInput(title=title, summary=title, phase=phase, brief=title)
            project = projects.create(work, councils.require_own(work.session), text)
            projects.publish(work, project)
            return project.token

    def follow(self, other: "TestNode") -> None:
        """The council asks to follow another, which the other's node answers when it is settled."""
        with self.app.app_context():
            document = fetching.find_actor(self.node, other.address)
        with self.work() as work:
            councils.follow(work, document)

    def allow(self, other: "TestNode") -> None:
        with self.work() as work:
            peers.decide(work, other.host, peers.ALLOWED)


@dataclass
class Nodes:
    """Makes nodes that can reach each other, and whatever else answers in `apps`, by host."""

    databases: Databases
    app_pool: AppPool
    folder: Path
    apps: "dict[str, WSGIApplication]" = field(default_factory=dict)
    made: list[TestNode] = field(default_factory=list)
    _used: list[tuple[str, PooledApp]] = field(default_factory=list)

    def start(self, name: str, **settings: object) -> TestNode:
        """A node with its council, an officer and an operator. `settings` are the node's."""
        private_hosts: tuple[str, ...] = settings.get("private_hosts", ())  # type: ignore[assignment]
        outbound = Outbound(
            user_agent="Moothall test",
            private_hosts=private_hosts,
            transport=InProcessTransport(self.apps),
        )
        plugins: tuple[str, ...] = settings.get("plugins", ())  # type: ignore[assignment]
        made_with = repr(
            (type(self.databases), name, sorted(settings.items()), _plugin_locations(plugins))
        )
        kept = self.app_pool.acquire(made_with)
        if kept is None:
            url = self.databases.create(name)
            app = create_app(make_settings(name, url, self.folder, **settings), outbound)
            shared_sql_cache.share_compiled(get_node(app).engine)
            app.testing = True
            kept = PooledApp(app, url)
        else:
            self.databases.reset(name, kept.url)
            kept.reset(outbound)
        self._used.append((made_with, kept))
        one = TestNode(name, kept.app)
        if plugins:
            schema_migrations.upgrade(one.node.engine, one.node.hooks)
        self.apps[one.host] = kept.app
        self.made.append(one)
        return one

    def release_all(self) -> None:
        """No test uses them any more."""
        while self._used:
            made_with, kept = self._used.pop()
            for url in self.app_pool.release(made_with, kept):
                self.databases.drop(url)

    def pair(self, **settings: object) -> tuple[TestNode, TestNode]:
        """Two councils that allow each other. `settings` are those of both."""
        here, there = (self.start(name, **settings) for name in ("aldermoor", "brackwell"))
        here.allow(there)
        there.allow(here)
        return here, there

    def run_until_idle(self) -> None:
        """Let every node do what waits, until nothing does."""
        for _ in range(MAX_ROUNDS):
            if not sum(one.node.jobs.run_pending() for one in self.made):
                return
        raise AssertionError("the nodes do not settle")


def _plugin_locations(plugins: Iterable[str]) -> list[str]:
    """Where plugins are installed: one of the same name elsewhere is another."""
    found = installed_plugins() if plugins else {}
    dists = [found[name].dist for name in plugins if name in found]
    return [str(dist.locate_file("")) for dist in dists if dist]


def role_email(role: str, name: str) -> str:
    return f"{role}@{name}.example"


def make_settings(name: str, database_url: str, folder: Path, **more: object) -> Settings:
    values: dict[str, object] = {
        "base_url": f"https://{name}.test",
        "data_dir": folder,
        "database_url": database_url,
        "jobs": "memory",
        "secret_key": "of no use outside tests, and long enough",
        "log_level": "ERROR",
    }
    return Settings(**(values | more))  # type: ignore[arg-type]  # as the caller says


def set_up_database(name: str, database_url: str, folder: Path, **more: object) -> None:
    """A database that is migrated and holds the council `name`, its officer and its operator."""
    app = create_app(make_settings(name, database_url, folder, **more))
    node = get_node(app)
    shared_sql_cache.share_compiled(node.engine)
    schema_migrations.upgrade(node.engine, node.hooks)
    with app.app_context(), node.work(by="test") as work:
        if councils.own(work.session) is None:
            operator = role_email(OPERATOR, name)
            title = f"{name.title()} Council"
            set_up(work, FirstRunInput(title, name, "", "", "Olu Operator", operator, PASSWORD))
            people.create(
                work,
                name="Ola Officer",
                email=role_email(OFFICER, name),
                password=PASSWORD,
                role=OFFICER,
            )
    node.engine.dispose()


@pytest.fixture(scope="session")
def _kept_apps() -> AppPool:
    return AppPool()


@pytest.fixture(scope="session")
def _on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    return SqliteDatabases(partial(tmp_path_factory.mktemp, "node"), set_up_database)


@pytest.fixture(scope="session")
def _on_postgresql(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> PostgresqlDatabases:
    return PostgresqlDatabases(
        postgres, partial(tmp_path_factory.mktemp, "founded"), set_up_database
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def nodes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _kept_apps: AppPool
) -> Iterator[Nodes]:
    """Nodes on SQLite, and again on PostgreSQL: `nodes.start("aldermoor")`, `nodes.pair()`."""
    with _make_nodes(request, tmp_path_factory, _kept_apps) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def lasting_nodes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _kept_apps: AppPool
) -> Iterator[Nodes]:
    """As `nodes`, kept for all tests of a module: for many that leave nothing behind."""
    with _make_nodes(request, tmp_path_factory, _kept_apps) as made:
        yield made


@contextmanager
def _make_nodes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, kept: AppPool
) -> Iterator[Nodes]:
    databases = request.getfixturevalue(f"_on_{request.param}")
    made = Nodes(databases, kept, tmp_path_factory.getbasetemp() / "data")
    yield made
    made.release_all()
