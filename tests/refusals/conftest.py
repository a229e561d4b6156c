"""One node that lasts, peers that it allows, and its operator."""

import pytest

from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor


@pytest.fixture(scope="module")
def node(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(autouse=True)
def _a_minute_passed(request: pytest.FixtureRequest) -> None:
    """Tests of one module share a node, but not how often it may ask for keys."""
    if "node" in request.fixturenames:
        request.getfixturevalue("node").node.key_fetch_limiter.reset()


@pytest.fixture(scope="module")
def peer(lasting_nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(lasting_nodes, "brackwell.test", node)


@pytest.fixture(scope="module")
def other(lasting_nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(lasting_nodes, "cragford.test", node)


@pytest.fixture(scope="module")
def operator(node: TestNode) -> Visitor:
    return node.visitor("operator")
