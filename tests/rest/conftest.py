"""A council, its people, and programs with their tokens."""

import json
import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from node.rest.models import TokenScope
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor

ALL = tuple(scope.value for scope in TokenScope)
BINS: dict[str, Any] = {
    "title": "Bin days",
    "summary": "Says when bins are emptied.",
    "phase": "beta",
    "brief": "For **all**.",
    "details": {
        "tags": ["waste"],
        "budget": "50k-100k",
        "starts_on": "2026-01-31",
        "links": [{"kind": "repository", "url": "https://code.example/bins"}],
        "outputs": [{"title": "Reminders", "licence": "MIT", "adopters": [{"name": "Brackwell"}]}],
    },
}


class Program:
    """A client of the API, with a token or without."""

    def __init__(self, council: TestNode, token: str = "") -> None:
        self._client = council.app.test_client()
        self._token = token

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        all_headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._token:
            all_headers["Authorization"] = f"Bearer {self._token}"
        options = {} if body is None else {"json": body}
        return self._client.open(f"/api/v1{path}", method=method, headers=all_headers, **options)


def make_token(visitor: Visitor, *scopes: str, name: str = "Our website") -> str:
    """Create a token on the page. Returns the token that is shown."""
    visitor.visit("/account/tokens")
    form = visitor.form("/account/tokens/new")
    visitor.page = visitor.client.post(
        form.action, data=form.values | {"name": name, "days": "30", "scopes": list(scopes)}
    )
    match = re.search(r"moothall_[\w-]{43}", visitor.page.text)
    assert match, visitor.page.text
    return match[0]


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    """The problem document (RFC 9457) of an error response."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    document: dict[str, Any] = json.loads(response.data)
    assert document["status"] == status
    return document


def create_project(writer: Program, **fields: Any) -> Any:
    """Create a project like `BINS` with other `fields`. Returns the response."""
    response = writer("POST", "/projects", BINS | fields)
    assert response.status_code == 201, response.text
    return response


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(scope="module")
def officer(council: TestNode) -> Visitor:
    return council.visitor("officer")


@pytest.fixture(scope="module")
def writer(council: TestNode, officer: Visitor) -> Program:
    """A client with every scope."""
    return Program(council, make_token(officer, *ALL))


@pytest.fixture
def stranger(council: TestNode) -> Program:
    return Program(council)
