"""A Delete reaches all who got the object, and that they took it is kept (must 31)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from node.federating import sharing
from node.federating.models import Follow, Shared
from node.testing.nodes import Nodes, TestNode
from node.testing.peer import Peer
from tests.federation.delivering import follower, say, send_due

HOST = "brackwell.test"


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


def ledger(node: TestNode, about: str) -> dict[str, tuple[str, bool]]:
    """Of each host that got an object the latest way, and whether it acknowledged that it is
    gone.
    """
    with node.reading() as session:
        rows = session.scalars(select(Shared).where(Shared.object_uri == about))
        return {row.host: (row.type, row.deleted_at is not None) for row in rows}


def test_must_31_who_got_it_hears_that_it_is_gone_and_the_answer_is_kept(
    nodes: Nodes, node: TestNode
) -> None:
    there, _ = follower(nodes, node, HOST)
    about = say(node)
    nodes.settle()
    assert ledger(node, about) == {HOST: ("Create", False)}
    say(node, "Update", about)
    nodes.settle()
    assert ledger(node, about) == {HOST: ("Update", False)}
    with node.work() as work:
        for follow in work.session.scalars(select(Follow)):
            work.session.delete(follow)
    there.answers = 503
    say(node, "Delete", about)
    nodes.settle()
    assert ledger(node, about) == {HOST: ("Update", False)}, "it has not said so"
    there.answers = 202
    send_due(nodes, node, timedelta(minutes=1))
    assert there.kinds() == ["Create", "Update", "Delete", "Delete"]
    assert ledger(node, about) == {HOST: ("Update", True)}


def test_must_31_whoever_fetched_it_hears_that_it_is_gone(nodes: Nodes, node: TestNode) -> None:
    there = Peer.join(nodes, HOST, node)
    actor = there.actor()
    assert actor.send(actor.says("Like", node.council_uri), node).status_code == 202
    nodes.settle()
    about = say(node)
    with node.work() as work:
        sharing.fetched(work.session, about, HOST)
        sharing.fetched(work.session, about, HOST)
    assert ledger(node, about) == {HOST: (sharing.FETCHED, False)}
    say(node, "Delete", about)
    nodes.settle()
    assert [document["object"]["id"] for document in there.heard("Delete")] == [about]
    assert ledger(node, about) == {HOST: (sharing.FETCHED, True)}


def test_what_is_no_object_is_not_in_the_ledger(nodes: Nodes, node: TestNode) -> None:
    follower(nodes, node, HOST)
    assert ledger(node, node.council_uri) == {}
    with node.reading() as session:
        assert session.scalar(select(Shared.id)) is None
