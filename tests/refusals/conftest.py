"""One node that lasts, peers that it allows, and its operator."""

import pytest

from node.testing.nodes import Nodes, TestNode
from node.testing.peer import Peer
from node.testing.visitor import Visitor


@pytest.fixture(scope="module")
def node(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(scope="module")
def peer(lasting_nodes: Nodes, node: TestNode) -> Peer:
    return Peer.join(lasting_nodes, "brackwell.test", node)


@pytest.fixture(scope="module")
def other(lasting_nodes: Nodes, node: TestNode) -> Peer:
    return Peer.join(lasting_nodes, "cragford.test", node)


@pytest.fixture(scope="module")
def operator(node: TestNode) -> Visitor:
    return node.visitor("operator")
