"""Test nodes are reused without traces of the test before."""

from collections.abc import Iterator
from dataclasses import MISSING, fields

import pytest
from sqlalchemy import func, inspect, select

from node.audit import AuditEntry
from node.database.tables import Base
from node.moderation import views as moderation
from node.people import forms
from node.runtime import Node
from node.testing.app_pool import LIMITER_FACTORIES, STATELESS_EXTENSIONS, AppPool
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode


@pytest.fixture
def others(nodes: Nodes) -> Iterator[Nodes]:
    """Nodes with a pool of their own. `release_all` does what happens at the end of a test."""
    others = Nodes(nodes.databases, AppPool(), nodes.folder)
    yield others
    others.release_all()


def use(nodes: Nodes) -> TestNode:
    """Start a node and fill all its state: rows, messages, refusals, attempts, counters."""
    one = nodes.start("aldermoor", federation="open")
    officer = one.visitor("officer")
    officer.visit("/projects/new")
    typed = {"title": "Bins", "summary": "S", "phase": "alpha", "brief": "B"}
    officer.submit("new", then="publish", **typed)
    peer = FakePeer.join(nodes, "brackwell.test").actor("brackwell")
    peer.send(peer.build_activity("Follow", f"https://{one.host}/councils/{one.name}"), one)
    peer.sign(b"{}", one).with_headers(date=None).send(one)
    stranger = one.visitor()
    stranger.visit("/sign-in")
    stranger.submit("sign-in", email="nobody@example.org", password="a guess that is wrong")
    for counter in (forms.EXTENSION_KEY, moderation.LIMITER_KEY):
        assert vars(one.app.extensions[counter])
    one.node.jobs.stopping.set()
    return one


def rows(one: TestNode) -> dict[str, int]:
    with one.reading() as session:
        # Other tests may have defined tables that this database does not have.
        there = set(inspect(session.get_bind()).get_table_names())
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
            if name in there
        }


def test_reused_node_has_empty_database(others: Nodes) -> None:
    before = rows(others.start("aldermoor"))
    used = use(others)
    numbers = rows(used)
    assert numbers["project"] == 1
    others.release_all()
    again = others.start("aldermoor", federation="open")
    assert again.app is used.app
    assert rows(again) == before
    with again.work() as work:
        work.audit("test", "it can be written to")
    with again.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == (
            before["audit_entry"] + 1
        )


def test_state_of_reused_node_is_reset(others: Nodes) -> None:
    used = use(others)
    held = {part.name: getattr(used.node, part.name) for part in fields(Node)}
    counters = {name: used.app.extensions[name] for name in LIMITER_FACTORIES}
    others.release_all()
    again = others.start("aldermoor", federation="open")
    for part in fields(Node):
        forgets = part.default_factory is not MISSING or part.name in {"jobs", "outbound"}
        assert (getattr(again.node, part.name) is held[part.name]) is not forgets, part.name
    for name, counter in counters.items():
        assert again.app.extensions[name] is not counter
    assert not again.node.jobs.stopping.is_set()
    assert again.node.jobs.run_pending() == 0


@pytest.mark.parametrize("what", ["config", "a view", "a hook", "an extension"])
def test_app_changed_by_test_is_not_reused(what: str, others: Nodes) -> None:
    used = others.start("aldermoor")
    match what:
        case "config":
            used.app.config["WTF_CSRF_ENABLED"] = False
        case "a view":
            used.app.view_functions["pages.home"] = str
        case "a hook":
            used.app.before_request_funcs[None].append(lambda: None)
        case _:
            used.app.extensions["moothall-of-a-test"] = object()
    others.release_all()
    again = others.start("aldermoor")
    assert again.app is not used.app


def test_every_extension_is_stateless_or_a_counter(others: Nodes) -> None:
    """If this fails, add the new extension to `STATELESS_EXTENSIONS` or `LIMITER_FACTORIES`."""
    names = others.start("aldermoor").app.extensions
    assert {
        name for name in names if name.startswith("moothall")
    } == STATELESS_EXTENSIONS | LIMITER_FACTORIES.keys()
