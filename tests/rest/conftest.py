"""A council, its people, and programs with their tokens."""

import re
from typing import Any

import pytest

from node.rest.models import TokenScope
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor

ALL = tuple(scope.value for scope in TokenScope)


class Program:
    """Something that asks the API, with a token or without."""

    def __init__(self, council: TestNode, token: str = "") -> None:
        self._client = council.app.test_client()
        self._token = token

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._token:
            given["Authorization"] = f"Bearer {self._token}"
        more = {} if body is None else {"json": body}
        return self._client.open(f"/api/v1{path}", method=method, headers=given, **more)


def make_token(visitor: Visitor, *scopes: str, name: str = "Our website") -> str:
    """What the page shows of a token that was just made."""
    visitor.visit("/account/tokens")
    form = visitor.form("/account/tokens/new")
    visitor.page = visitor.client.post(
        form.action, data=form.values | {"name": name, "days": "30", "scopes": list(scopes)}
    )
    found = re.search(r"moothall_[\w-]{43}", visitor.page.text)
    assert found, visitor.page.text
    return found[0]


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(scope="module")
def officer(council: TestNode) -> Visitor:
    return council.visitor("officer")


@pytest.fixture(scope="module")
def writer(council: TestNode, officer: Visitor) -> Program:
    """With every scope."""
    return Program(council, make_token(officer, *ALL))


@pytest.fixture
def stranger(council: TestNode) -> Program:
    return Program(council)
