"""Whole nodes in one process: one in a line, or several that federate without sockets.

The databases are copies of one that was migrated and founded once, since that is what takes the
time.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from node import migrating
from node.app import create_app, node_of
from node.councils import service as councils
from node.councils.founding import Founding, found
from node.federating import peers
from node.outbound import InProcess, Outbound
from node.people import service as people
from node.people.permissions import OFFICER, OPERATOR
from node.runtime import Node, UnitOfWork
from node.settings import Settings
from node.testing.postgres import Postgres
from node.testing.visitor import Visitor

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PASSWORD = "a moot hall of oak"  # noqa: S105 -- of nobody
# So many rounds settle any honest exchange; more mean that two nodes go on for ever.
MOST_ROUNDS = 100


@dataclass
class TestNode:
    """One council's node. `name` is the council's short name; the host is `<name>.test`."""

    __test__ = False

    name: str
    app: Flask

    @property
    def node(self) -> Node:
        return node_of(self.app)

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
            visitor.visit("/sign-in")
            visitor.submit("sign-in", email=email(role, self.name), password=PASSWORD)
        return visitor

    @contextmanager
    def work(self) -> Iterator[UnitOfWork]:
        with self.app.app_context(), self.node.work(by="test") as work:
            yield work

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.node.reading() as session:
            yield session

    def allow(self, other: "TestNode") -> None:
        with self.work() as work:
            peers.decide(work, other.host, peers.ALLOWED)


@dataclass
class Nodes:
    """Makes nodes that can reach each other, and whatever else answers in `apps`, by host."""

    make_database: Callable[[str], str]
    folder: Path
    apps: "dict[str, WSGIApplication]" = field(default_factory=dict)
    made: list[TestNode] = field(default_factory=list)

    def start(self, name: str, **settings: object) -> TestNode:
        """A node with its council, an officer and an operator. `settings` are the node's."""
        given = settings_of(name, self.make_database(name), self.folder, **settings)
        outbound = Outbound(user_agent="Moothall test", transport=InProcess(self.apps))
        app = create_app(given, outbound)
        app.testing = True
        one = TestNode(name, app)
        self.apps[one.host] = app
        self.made.append(one)
        return one

    def pair(self) -> tuple[TestNode, TestNode]:
        """Two councils that allow each other."""
        here, there = self.start("aldermoor"), self.start("brackwell")
        here.allow(there)
        there.allow(here)
        return here, there

    def settle(self) -> None:
        """Let every node do what waits, until nothing does."""
        for _ in range(MOST_ROUNDS):
            if not sum(one.node.jobs.work_off() for one in self.made):
                return
        raise AssertionError("the nodes do not settle")


def email(role: str, name: str) -> str:
    return f"{role}@{name}.example"


def settings_of(name: str, database_url: str, folder: Path, **more: object) -> Settings:
    values: dict[str, object] = {
        "base_url": f"https://{name}.test",
        "data_dir": folder,
        "database_url": database_url,
        "jobs": "memory",
        "secret_key": "of no use outside tests",
        "log_level": "ERROR",
    }
    return Settings(**(values | more))  # type: ignore[arg-type]  # as the caller says


def make_founded(name: str, database_url: str, folder: Path, **more: object) -> None:
    """A database that is migrated and holds the council `name`, its officer and its operator."""
    app = create_app(settings_of(name, database_url, folder, **more))
    node = node_of(app)
    migrating.upgrade(node.engine, node.hooks)
    with app.app_context(), node.work(by="test") as work:
        if councils.own(work.session) is None:
            operator = email(OPERATOR, name)
            title = f"{name.title()} Council"
            found(work, Founding(title, name, "", "", "Olu Operator", operator, PASSWORD))
            people.create(
                work,
                name="Ola Officer",
                email=email(OFFICER, name),
                password=PASSWORD,
                role=OFFICER,
            )
    node.engine.dispose()


@pytest.fixture(scope="session")
def _founded() -> dict[tuple[str, str], str]:
    """The founded databases of this run, by engine and council: a file's path, or a template's
    name.
    """
    return {}


@pytest.fixture(params=["sqlite", "postgresql"])
def nodes(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    _founded: dict[tuple[str, str], str],
) -> Iterator[Nodes]:
    """Nodes on SQLite, and again on PostgreSQL: `nodes.start("aldermoor")`, `nodes.pair()`."""
    with _making(request, tmp_path_factory, _founded) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def lasting_nodes(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    _founded: dict[tuple[str, str], str],
) -> Iterator[Nodes]:
    """As `nodes`, kept for all tests of a module: for many that leave nothing behind."""
    with _making(request, tmp_path_factory, _founded) as made:
        yield made


@contextmanager
def _making(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    founded: dict[tuple[str, str], str],
) -> Iterator[Nodes]:
    used: list[str] = []

    def on_sqlite(name: str) -> str:
        if ("sqlite", name) not in founded:
            template = tmp_path_factory.mktemp("founded") / f"{name}.db"
            make_founded(name, f"sqlite:///{template}", template.parent)
            founded["sqlite", name] = str(template)
        copy = tmp_path_factory.mktemp("node") / f"{name}.db"
        shutil.copy(founded["sqlite", name], copy)
        return f"sqlite:///{copy}"

    def on_postgresql(name: str) -> str:
        server: Postgres = request.getfixturevalue("postgres")
        if ("postgresql", name) not in founded:
            template = server.create_database()
            make_founded(name, server.url(template), tmp_path_factory.mktemp("founded"))
            founded["postgresql", name] = template
        used.append(server.create_database(founded["postgresql", name]))
        return server.url(used[-1])

    folder = tmp_path_factory.getbasetemp() / "data"
    made = Nodes(on_sqlite if request.param == "sqlite" else on_postgresql, folder)
    yield made
    for one in made.made:
        one.node.engine.dispose()
        one.node.outbound.close()
    for database in used:
        request.getfixturevalue("postgres").drop_database(database)
