"""Projects, updates, councils and outputs: reading, writing, lists and limits."""

import pytest
from sqlalchemy import select

from node.audit import AuditEntry
from node.rest import auth_and_limits
from node.testing.nodes import TestNode
from tests.rest.conftest import Program, create_project, problem


def test_project_is_created_read_changed_and_deleted(
    council: TestNode, writer: Program, stranger: Program
) -> None:
    first = create_project(writer)
    token = first.json["token"]
    assert first.headers["Location"].endswith(f"/api/v1/projects/{token}")
    assert first.json["state"] == "draft"
    assert first.json["details"]["outputs"][0]["adopters"] == [{"name": "Brackwell"}]
    problem(stranger("GET", f"/projects/{token}"), 404)
    changed = writer(
        "PATCH",
        f"/projects/{token}",
        {"state": "published", "details": {"tags": ["bins"]}},
        If_Match=first.headers["ETag"],
    )
    assert changed.status_code == 200, changed.text
    assert changed.json["details"]["tags"] == ["bins"]
    assert changed.json["details"]["budget"] == "50k-100k"
    read = stranger("GET", f"/projects/{token}")
    assert read.json["title"] == "Bin days"
    assert read.json["content"] == "<p>For <strong>all</strong>.</p>\n"
    assert read.headers["ETag"] == changed.headers["ETag"]
    again = stranger("GET", f"/projects/{token}", If_None_Match=read.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    deleted = writer("DELETE", f"/projects/{token}", If_Match=read.headers["ETag"])
    assert (deleted.status_code, deleted.data) == (204, b"")
    problem(stranger("GET", f"/projects/{token}"), 410)
    with council.reading() as session:
        by = select(AuditEntry.by, AuditEntry.via).where(AuditEntry.action == "project.delete")
        assert session.execute(by).all() == [("officer@aldermoor.example", "token")]


def test_concurrent_change_is_rejected(writer: Program) -> None:
    first = create_project(writer, title="Crossing")
    path = f"/projects/{first.json['token']}"
    problem(writer("PATCH", path, {"title": "Mine"}), 428)
    problem(writer("DELETE", path), 428)
    assert writer("PATCH", path, {"title": "A"}, If_Match=first.headers["ETag"]).status_code == 200
    problem(writer("PATCH", path, {"title": "B"}, If_Match=first.headers["ETag"]), 412)
    problem(writer("DELETE", path, If_Match=first.headers["ETag"]), 412)
    assert writer("GET", path).json["title"] == "A"


def test_updates(writer: Program, stranger: Program) -> None:
    draft = create_project(writer, title="Draft").json["token"]
    problem(writer("POST", f"/projects/{draft}/updates", {"changed": "It works"}), 409)
    token = create_project(writer, title="Published", state="published").json["token"]
    updates = [
        writer("POST", f"/projects/{token}/updates", {"changed": f"Number {number}"})
        for number in range(3)
    ]
    assert {response.status_code for response in updates} == {201}
    page = stranger("GET", f"/projects/{token}/updates?limit=2").json
    assert [update["changed"] for update in page["updates"]] == ["Number 2", "Number 1"]
    next_page = stranger("GET", page["next"].partition("/api/v1")[2]).json
    assert [update["changed"] for update in next_page["updates"]] == ["Number 0"]
    assert next_page["next"] is None
    read = stranger("GET", updates[0].headers["Location"].partition("/api/v1")[2])
    assert read.json["content"] == updates[0].json["content"]
    fields = problem(writer("POST", f"/projects/{token}/updates", {}), 400)["fields"]
    assert "changed" in fields


def test_lists_are_paginated(writer: Program, stranger: Program) -> None:
    for number in range(5):
        create_project(writer, title=f"Listed {number}", state="published", phase="retired")
    path, titles = "/projects?limit=2&phase=retired", list[str]()
    while path:
        response = stranger("GET", path)
        assert len(response.json["projects"]) <= 2
        titles += [project["title"] for project in response.json["projects"]]
        path = (response.json["next"] or "").partition("/api/v1")[2]
        assert bool(path) == ('rel="next"' in response.headers.get("Link", ""))
    assert titles == [f"Listed {number}" for number in range(5)]
    assert (
        len(stranger("GET", "/projects?limit=1000").json["projects"]) <= auth_and_limits.MAX_LIMIT
    )
    later = stranger("GET", "/projects?changed_since=2999-01-01T00:00:00Z").json
    assert later == {"projects": [], "next": None}
    unknown = stranger("GET", "/projects?council=https://unknown.example/").json
    assert unknown["projects"] == []


def test_councils_and_outputs(writer: Program, stranger: Program) -> None:
    create_project(writer, title="Reused", state="published")
    (own,) = stranger("GET", "/councils").json["councils"]
    assert own["is_ours"]
    outputs = stranger("GET", "/outputs?limit=100").json["outputs"]
    assert outputs[-1]["title"] == "Reminders"
    assert outputs[-1]["adopters"][0]["name"] == "Brackwell"


def test_unknown_paths(stranger: Program) -> None:
    problem(stranger("GET", "/nothing"), 404)
    problem(stranger("GET", "/projects/nothing"), 404)
    problem(stranger("GET", "/updates/nothing"), 404)
    assert "Allow header" in problem(stranger("PUT", "/projects"), 405)["detail"]


def test_requests_are_limited_per_address(
    council: TestNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = auth_and_limits.ApiRateLimits()
    monkeypatch.setitem(council.app.extensions, auth_and_limits.EXTENSION_KEY, limits)
    program = Program(council)
    responses = [program("GET", "/") for _ in range(auth_and_limits.MAX_PER_ADDRESS + 1)]
    assert {response.status_code for response in responses[:-1]} == {200}
    problem(responses[-1], 429)
    assert 0 < int(responses[-1].headers["Retry-After"]) <= auth_and_limits.WINDOW_SECONDS
