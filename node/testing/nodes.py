"""Whole nodes in one process: a single one, or several that federate without sockets.

Their databases are copies and their applications are reused: see `databases` and `app_pool`.
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
from node.access.permissions import OFFICER, OPERATOR
from node.app import create_app, get_node
from node.councils import service as councils
from node.councils.first_run import FirstRunInput, set_up
from node.federating.peers import fetching
from node.federating.peers import service as peers
from node.outbound import InProcessTransport, OutboundClient
from node.people import service as people
from node.plugin_api.loader import installed_plugins
from node.principal import Principal
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

PASSWORD = "a moot hall of oak"  # noqa: S105 -- of test accounts only
# Rounds of jobs after which nodes are taken to exchange messages for ever.
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
        """A visitor of the node; signed in if a role (officer, operator) is given."""
        visitor = Visitor(self.app.test_client())
        if role:
            quick_sign_in.sign_in(visitor, role_email(role, self.name))
        return visitor

    @contextmanager
    def work(self) -> Iterator[UnitOfWork]:
        with self.app.app_context(), self.node.work(by=Principal.job("test")) as work:
            yield work

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.node.reading() as session:
            yield session

    def publish(self, title: str, phase: str = "alpha") -> str:
        """Publish a new public project of the council. Returns its token."""
        with self.work() as work:
            text = ProjectInput(title=title, summary=title, phase=phase, brief=title)
            project = projects.create(work, councils.require_own(work.session), text)
            projects.publish(work, project)
            return project.token

    def follow(self, other: "TestNode") -> None:
        """Request to follow another council; `Nodes.run_until_idle` has that answer."""
        with self.app.app_context():
            document = fetching.fetch_actor_by_address(self.node, other.address)
        with self.work() as work:
            councils.follow(work, document)

    def allow(self, other: "TestNode") -> None:
        with self.work() as work:
            peers.decide(work, other.host, peers.ALLOWED)


@dataclass
class Nodes:
    """Starts nodes that can reach each other and the other WSGI applications in `apps`, by host."""

    databases: Databases
    app_pool: AppPool
    folder: Path
    apps: "dict[str, WSGIApplication]" = field(default_factory=dict)
    started: list[TestNode] = field(default_factory=list)
    _used: list[tuple[str, PooledApp]] = field(default_factory=list)

    def start(self, name: str, **settings: object) -> TestNode:
        """Start a node with a council, an officer and an operator. `settings` are the node's."""
        private_hosts: tuple[str, ...] = settings.get("private_hosts", ())  # type: ignore[assignment]
        outbound = OutboundClient(
            user_agent="Moothall test",
            private_hosts=private_hosts,
            transport=InProcessTransport(self.apps),
        )
        plugins: tuple[str, ...] = settings.get("plugins", ())  # type: ignore[assignment]
        pool_key = repr(
            (type(self.databases), name, sorted(settings.items()), _plugin_locations(plugins))
        )
        pooled = self.app_pool.acquire(pool_key)
        if pooled is None:
            url = self.databases.create(name)
            app = create_app(make_settings(name, url, self.folder, **settings), outbound)
            shared_sql_cache.share_compiled_sql(get_node(app).engine)
            app.testing = True
            pooled = PooledApp(app, url)
        else:
            self.databases.reset(name, pooled.url)
            pooled.reset(outbound)
        self._used.append((pool_key, pooled))
        test_node = TestNode(name, pooled.app)
        if plugins:
            schema_migrations.upgrade(test_node.node.engine, test_node.node.hooks)
        self.apps[test_node.host] = pooled.app
        self.started.append(test_node)
        return test_node

    def release_all(self) -> None:
        """Return all applications to the pool, and drop databases that are not reused."""
        while self._used:
            pool_key, pooled = self._used.pop()
            for url in self.app_pool.release(pool_key, pooled):
                self.databases.drop(url)

    def pair(self, **settings: object) -> tuple[TestNode, TestNode]:
        """Start two nodes that allow each other, both with `settings`."""
        here, there = (self.start(name, **settings) for name in ("aldermoor", "brackwell"))
        here.allow(there)
        there.allow(here)
        return here, there

    def run_until_idle(self) -> None:
        """Run the pending jobs of all nodes until there are none."""
        for _ in range(MAX_ROUNDS):
            if not sum(test_node.node.jobs.run_pending() for test_node in self.started):
                return
        raise AssertionError("the nodes do not settle")


def _plugin_locations(plugins: Iterable[str]) -> list[str]:
    """The folders that plugins are installed in, to tell plugins of the same name apart."""
    installed = installed_plugins() if plugins else {}
    dists = [installed[name].dist for name in plugins if name in installed]
    return [str(dist.locate_file("")) for dist in dists if dist]


def role_email(role: str, name: str) -> str:
    return f"{role}@{name}.example"


def make_settings(name: str, database_url: str, folder: Path, **changes: object) -> Settings:
    defaults: dict[str, object] = {
        "base_url": f"https://{name}.test",
        "data_dir": folder,
        "database_url": database_url,
        "jobs": "memory",
        "secret_key": "of no use outside tests, and long enough",
        "log_level": "ERROR",
    }
    return Settings(**(defaults | changes))  # type: ignore[arg-type]  # as the caller says


def set_up_database(name: str, database_url: str, folder: Path, **changes: object) -> None:
    """Migrate an empty database and create the council `name`, its officer and its operator."""
    app = create_app(make_settings(name, database_url, folder, **changes))
    node = get_node(app)
    shared_sql_cache.share_compiled_sql(node.engine)
    schema_migrations.upgrade(node.engine, node.hooks)
    with app.app_context(), node.work(by=Principal.job("test")) as work:
        if councils.get_own(work.session) is None:
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
def _app_pool() -> AppPool:
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
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _app_pool: AppPool
) -> Iterator[Nodes]:
    """Starts nodes: `nodes.start("aldermoor")`, `nodes.pair()`. Runs the test on SQLite and on
    PostgreSQL.
    """
    with _make_nodes(request, tmp_path_factory, _app_pool) as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def lasting_nodes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _app_pool: AppPool
) -> Iterator[Nodes]:
    """Like `nodes`, but shared by the tests of a module, which must not depend on each other."""
    with _make_nodes(request, tmp_path_factory, _app_pool) as started:
        yield started


@contextmanager
def _make_nodes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, app_pool: AppPool
) -> Iterator[Nodes]:
    databases = request.getfixturevalue(f"_on_{request.param}")
    started = Nodes(databases, app_pool, tmp_path_factory.getbasetemp() / "data")
    yield started
    started.release_all()
