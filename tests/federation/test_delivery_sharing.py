"""A Delete reaches all who got the object, and that they took it is kept (must 31)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from node.federating.models import Disclosure, Follow
from node.federating.outbound import disclosures
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
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
        rows = session.scalars(select(Disclosure).where(Disclosure.object_uri == about))
        return {row.host: (row.type, row.deleted_at is not None) for row in rows}


def test_must_31_who_got_it_hears_that_it_is_gone_and_the_answer_is_kept(
    nodes: Nodes, node: TestNode
) -> None:
    there, _ = follower(nodes, node, HOST)
    about = say(node)
    nodes.run_until_idle()
    assert ledger(node, about) == {HOST: ("Create", False)}
    say(node, "Update", about)
    nodes.run_until_idle()
    assert ledger(node, about) == {HOST: ("Update", False)}
    with node.work() as work:
        for follow in work.session.scalars(select(Follow)):
            work.session.delete(follow)
    there.response_status = 503
    say(node, "Delete", about)
    nodes.run_until_idle()
    assert ledger(node, about) == {HOST: ("Update", False)}, "it has not said so"
    there.response_status = 202
    send_due(nodes, node, timedelta(minutes=1))
    assert there.kinds() == ["Create", "Update", "Delete", "Delete"]
    assert ledger(node, about) == {HOST: ("Update", True)}


def test_must_31_whoever_fetched_it_hears_that_it_is_gone(nodes: Nodes, node: TestNode) -> None:
    there = FakePeer.join(nodes, HOST, node)
    actor = there.actor()
    assert actor.send(actor.build_activity("Like", node.council_uri), node).status_code == 202
    nodes.run_until_idle()
    about = say(node)
    with node.work() as work:
        disclosures.record_fetch(work.session, about, HOST)
        disclosures.record_fetch(work.session, about, HOST)
    assert ledger(node, about) == {HOST: (disclosures.FETCH_TYPE, False)}
    say(node, "Delete", about)
    nodes.run_until_idle()
    assert [document["object"]["id"] for document in there.received_of_type("Delete")] == [about]
    assert ledger(node, about) == {HOST: (disclosures.FETCH_TYPE, True)}


def test_what_is_no_object_is_not_in_the_ledger(nodes: Nodes, node: TestNode) -> None:
    follower(nodes, node, HOST)
    assert ledger(node, node.council_uri) == {}
    with node.reading() as session:
        assert session.scalar(select(Disclosure.id)) is None
