"""Invalid bodies and parameters are rejected, and the response names the field."""

from typing import Any

import pytest

from node.testing.nodes import TestNode
from node.testing.visitor import Visitor
from tests.rest.conftest import ALL, BINS, Program, make_token, problem

INVALID: list[tuple[Any, str]] = [
    ([], ""),
    ("text", ""),
    ({"token": "x"}, "token"),
    ({"title": 1}, "title"),
    ({"title": "a\x00b"}, "title"),
    ({"title": "x" * 151}, "title"),
    ({"phase": "nowhere"}, "phase"),
    ({"details": []}, "details"),
    ({"details": {"starts_on": "31/01/2026"}}, "details.starts_on"),
    ({"details": {"budget": "lots"}}, "details.budget"),
    ({"details": {"nonsense": 1}}, "details.nonsense"),
    ({"details": {"links": [{"url": "javascript:alert(1)"}]}}, "details.links"),
    ({"details": {"tags": ["x"] * 50}}, "details.tags"),
    ({"translations": {"fr": {"title": "x"}}}, "translations"),
    ({"translations": {"cy": {"title": 1}}}, "translations"),
    ({"state": "deleted"}, "state"),
]


@pytest.mark.parametrize("number", range(len(INVALID)))
def test_error_names_invalid_field(writer: Program, number: int) -> None:
    body, field = INVALID[number]
    fields = BINS | body if isinstance(body, dict) else body
    error = problem(writer("POST", "/projects", fields), 400)
    assert not field or field in error["fields"], error


@pytest.mark.parametrize(
    "data, kind, status",
    [
        (b"{", "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"title": "\\ud800"}', "application/json", 400),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b"x" * 3_000_000, "application/json", 413),
    ],
)
def test_invalid_json_bodies(
    council: TestNode, officer: Visitor, data: bytes, kind: str, status: int
) -> None:
    client = council.app.test_client()
    headers = {"Authorization": f"Bearer {make_token(officer, *ALL)}"}
    response = client.post("/api/v1/projects", data=data, content_type=kind, headers=headers)
    problem(response, status)


@pytest.mark.parametrize(
    "path",
    [
        "/projects?limit=0",
        "/projects?limit=x",
        "/projects?limit=-1",
        "/projects?after=99999999999",
        "/projects?after=x",
        "/projects?phase=x",
        "/projects?freshness=stale&freshness=x",
        "/projects?starts_from=2026-02-31",
        "/outputs?ends_from=2027-01-01&ends_to=2026-01-01",
        "/projects?changed_since=yesterday",
        "/projects?changed_since=0001-01-01T00:00:00%2B23:00",
    ],
)
def test_invalid_query_parameters(stranger: Program, path: str) -> None:
    assert problem(stranger("GET", path), 400)["fields"]
