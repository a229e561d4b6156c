"""The inbox's caches of actors, keys and servers: cleared by changes that affect them only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select, update

from node.councils.models import Council
from node.federating.models import Actor, Peer
from node.federating.peers import service as peers
from node.federating.sync import actor_blocks
from node.people.models import User
from node.testing.fake_peer import FakeActor
from node.testing.fake_peer import FakePeer as Server
from node.testing.nodes import Nodes, TestNode
from tests.refusals.test_caps import like

REMEMBERED = ("FROM actor", "FROM actor_key", "FROM peer")


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def sender(nodes: Nodes, node: TestNode) -> FakeActor:
    sender = Server.join(nodes, "brackwell.test", node).actor()
    assert like(sender, node) == 202
    return sender


@contextmanager
def asked(node: TestNode) -> Iterator[list[str]]:
    """What is asked of the tables of actors, keys and servers."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        flat = " ".join(statement.split())
        found.extend(name for name in REMEMBERED if name in flat)

    event.listen(node.node.engine, "before_cursor_execute", note)
    yield found
    event.remove(node.node.engine, "before_cursor_execute", note)


def write(node: TestNode, statement: Any) -> None:
    with node.work() as work:
        work.session.execute(statement)


def test_an_unrelated_change_clears_no_cache(node: TestNode, sender: FakeActor) -> None:
    host = sender.peer.host
    assert like(sender, node) == 202
    write(node, update(User).values(name="Someone else"))
    write(node, update(Peer).where(Peer.host == host).values(failures=0))
    write(node, update(Actor).where(Actor.uri == sender.uri).values(name="A new name"))
    with asked(node) as found:
        assert like(sender, node) == 202
    assert found == []


def test_a_block_takes_effect_at_once(node: TestNode, sender: FakeActor) -> None:
    with node.work() as work:
        council = work.session.scalars(select(Council)).first()
        actor = work.session.scalars(select(Actor).where(Actor.uri == sender.uri)).one()
        assert council is not None
        block = actor_blocks.block(work, council.actor, actor)
    assert like(sender, node) == 403
    with node.work() as work:
        actor_blocks.unblock(work, work.session.merge(block))
    assert like(sender, node) == 202
    with node.work() as work:
        peers.decide(work, sender.peer.host, peers.BLOCKED)
    assert like(sender, node) == 403


def test_a_cached_document_changes_with_its_council(node: TestNode) -> None:
    def name() -> str:
        headers = {"Accept": "application/activity+json"}
        answer = node.app.test_client().get(
            "/councils/aldermoor", base_url=node.node.settings.base_url, headers=headers
        )
        assert answer.json is not None
        return str(answer.json["name"])

    before = name()
    with node.work() as work:
        council = work.session.scalars(select(Council)).first()
        assert council is not None
        council.actor.name = "Aldermoor and District"
    assert name() == "Aldermoor and District" != before
