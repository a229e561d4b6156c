"""One council for all tests of a module, and the people who look at its pages: for a conftest."""

import pytest

from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(scope="module")
def officer(council: TestNode) -> Visitor:
    return council.visitor("officer")


@pytest.fixture(scope="module")
def operator(council: TestNode) -> Visitor:
    return council.visitor("operator")


@pytest.fixture
def stranger(council: TestNode) -> Visitor:
    return council.visitor()
