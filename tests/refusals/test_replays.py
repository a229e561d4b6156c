"""What was said once is not acted on again, also when nobody remembers that it was (must 22)."""

from datetime import timedelta

import pytest

from federation.proofs import add_proof
from federation.signatures import PrivateKey, SignatureScheme
from node.database.tables import now
from node.federating.models import InboxItem
from node.testing.fake_peer import FakeActor, FakePeer, private_key_pem
from node.testing.nodes import Nodes, TestNode
from tests.federation.test_proofs import lists
from tests.jobs.pruning import prune
from tests.refusals.test_belief import follow
from tests.refusals.test_caps import count, like

EARLIER = timedelta(hours=1)


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    """It keeps few of the messages that it acted on."""
    return nodes.start("aldermoor", most_handled=2)


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "brackwell.test", node)


def forget(nodes: Nodes, node: TestNode, sender: FakeActor) -> None:
    """So many other messages come that earlier ones are not kept."""
    assert [like(sender, node) for _ in range(3)] == [202] * 3
    nodes.run_until_idle()
    prune(node)
    node.node.inbox_history_cache.clear()  # a second has passed
    assert count(node, InboxItem) == 2


@pytest.mark.parametrize("scheme", SignatureScheme)
def test_must_22_a_message_that_was_forgotten_is_not_taken_again(
    scheme: SignatureScheme, nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = peer.actor()
    message = sender.sign(
        sender.build_activity("Like", "x"), node, at=now() - EARLIER, scheme=scheme
    )
    assert message.send(node).status_code == 202
    assert message.send(node).status_code == 202, "it is known"
    forget(nodes, node, sender)
    assert message.send(node).status_code == 401
    assert count(node, InboxItem) == 2
    assert like(sender, node) == 202, "what is said now is heard"


def test_must_22_nor_is_one_that_somebody_passes_on(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender, forwarder = peer.actor(), FakePeer.join(nodes, "coldmere.test", node).actor()
    lists(sender, private_key_pem("ed25519"))
    follow(node, sender)
    key = PrivateKey(f"{sender.uri}#ed25519-key", private_key_pem("ed25519"))
    proven = add_proof(sender.build_activity("Like", "x"), key, now() - EARLIER)
    assert forwarder.send(proven, node).status_code == 202
    forget(nodes, node, sender)
    assert forwarder.send(proven, node).status_code == 401
