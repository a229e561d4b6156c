"""One council for all tests of a module, and its people."""

import pytest

from node.access.permissions import COORDINATOR
from node.people import service as people
from node.testing.nodes import PASSWORD, Nodes, TestNode, role_email
from node.testing.visitor import Visitor
from tests.one_council import officer, operator, stranger

__all__ = ["coordinator", "council", "officer", "operator", "stranger"]


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    council = lasting_nodes.start("aldermoor")
    with council.work() as work:
        people.create(
            work,
            name="Cai Coordinator",
            email=role_email(COORDINATOR, "aldermoor"),
            password=PASSWORD,
            role=COORDINATOR,
        )
    return council


@pytest.fixture(scope="module")
def coordinator(council: TestNode) -> Visitor:
    return council.visitor(COORDINATOR)
