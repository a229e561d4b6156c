"""The API: what it answers, to whom, and what it says of what it cannot use."""

import json
import re
from typing import Any

import pytest
from openapi_spec_validator import validate
from sqlalchemy import select
from werkzeug.test import TestResponse

from node.audit import AuditEntry
from node.people import service as people
from node.people.models import User
from node.rest import auth_and_limits
from node.testing.nodes import PASSWORD, TestNode, role_email
from node.testing.visitor import Visitor
from tests.rest.conftest import ALL, Program, make_token

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


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    """A problem document (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    found: dict[str, Any] = json.loads(answer.data)
    assert found["status"] == status
    return found


def made(writer: Program, **more: Any) -> Any:
    answer = writer("POST", "/projects", BINS | more)
    assert answer.status_code == 201, answer.text
    return answer


def test_a_project_is_written_read_changed_and_deleted(
    council: TestNode, writer: Program, stranger: Program
) -> None:
    first = made(writer)
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
    shown = stranger("GET", f"/projects/{token}")
    assert shown.json["title"] == "Bin days"
    assert shown.json["content"] == "<p>For <strong>all</strong>.</p>\n"
    assert shown.headers["ETag"] == changed.headers["ETag"]
    again = stranger("GET", f"/projects/{token}", If_None_Match=shown.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    gone = writer("DELETE", f"/projects/{token}", If_Match=shown.headers["ETag"])
    assert (gone.status_code, gone.data) == (204, b"")
    problem(stranger("GET", f"/projects/{token}"), 410)
    with council.reading() as session:
        by = session.scalars(select(AuditEntry.by).where(AuditEntry.action == "project.delete"))
        assert set(by) == {"officer@aldermoor.example"}


def test_a_change_of_what_somebody_changed_meanwhile(writer: Program) -> None:
    first = made(writer, title="Crossing")
    path = f"/projects/{first.json['token']}"
    problem(writer("PATCH", path, {"title": "Mine"}), 428)
    problem(writer("DELETE", path), 428)
    assert writer("PATCH", path, {"title": "A"}, If_Match=first.headers["ETag"]).status_code == 200
    problem(writer("PATCH", path, {"title": "B"}, If_Match=first.headers["ETag"]), 412)
    problem(writer("DELETE", path, If_Match=first.headers["ETag"]), 412)
    assert writer("GET", path).json["title"] == "A"


def test_updates(writer: Program, stranger: Program) -> None:
    draft = made(writer, title="Told").json["token"]
    problem(writer("POST", f"/projects/{draft}/updates", {"changed": "It works"}), 409)
    token = made(writer, title="Told too", state="published").json["token"]
    told = [
        writer("POST", f"/projects/{token}/updates", {"changed": f"Number {number}"})
        for number in range(3)
    ]
    assert {one.status_code for one in told} == {201}
    page = stranger("GET", f"/projects/{token}/updates?limit=2").json
    assert [one["changed"] for one in page["updates"]] == ["Number 2", "Number 1"]
    rest = stranger("GET", page["next"].partition("/api/v1")[2]).json
    assert [one["changed"] for one in rest["updates"]] == ["Number 0"]
    assert rest["next"] is None
    read = stranger("GET", told[0].headers["Location"].partition("/api/v1")[2])
    assert read.json["content"] == told[0].json["content"]
    fields = problem(writer("POST", f"/projects/{token}/updates", {}), 400)["fields"]
    assert "changed" in fields


def test_lists_go_from_page_to_page(writer: Program, stranger: Program) -> None:
    for number in range(5):
        made(writer, title=f"Listed {number}", state="published", phase="retired")
    path, seen = "/projects?limit=2&phase=retired", list[str]()
    while path:
        answer = stranger("GET", path)
        assert len(answer.json["projects"]) <= 2
        seen += [one["title"] for one in answer.json["projects"]]
        path = (answer.json["next"] or "").partition("/api/v1")[2]
        assert bool(path) == ('rel="next"' in answer.headers.get("Link", ""))
    assert seen == [f"Listed {number}" for number in range(5)]
    assert (
        len(stranger("GET", "/projects?limit=1000").json["projects"]) <= auth_and_limits.MAX_LIMIT
    )
    later = stranger("GET", "/projects?changed_since=2999-01-01T00:00:00Z").json
    assert later == {"projects": [], "next": None}
    nobody = stranger("GET", "/projects?council=https://nobody.example/").json
    assert nobody["projects"] == []


def test_private_and_drafts_need_a_token_that_reads(
    council: TestNode, officer: Visitor, moderator: Visitor, writer: Program, stranger: Program
) -> None:
    secret = made(writer, title="Secret", visibility="private", state="published").json["token"]
    draft = made(writer, title="Created").json["token"]
    blind = Program(council, make_token(officer, "write:updates"))
    reads_only = Program(council, make_token(moderator, "read"))
    for one in (stranger, blind, reads_only):
        problem(one("GET", f"/projects/{draft}"), 404)
        problem(one("GET", "/projects?state=draft"), 404)
    assert moderator.visit(f"/projects/{draft}").status_code == 404
    assert reads_only("GET", f"/projects/{secret}").status_code == 200
    for one in (stranger, blind):
        problem(one("GET", f"/projects/{secret}"), 404)
        assert "Secret" not in one("GET", "/projects?limit=100").text
    assert writer("GET", f"/projects/{secret}").json["visibility"] == "private"
    assert "private" in writer("GET", f"/projects/{secret}").headers["Cache-Control"]
    assert "Authorization" in stranger("GET", "/projects").headers["Vary"]
    drafts = writer("GET", "/projects?state=draft&limit=100").json["projects"]
    assert {one["state"] for one in drafts} == {"draft"}
    assert draft in [one["token"] for one in drafts]


def test_councils_and_outputs(writer: Program, stranger: Program) -> None:
    made(writer, title="Reused", state="published")
    (own,) = stranger("GET", "/councils").json["councils"]
    assert own["is_ours"]
    outputs = stranger("GET", "/outputs?limit=100").json["outputs"]
    assert outputs[-1]["title"] == "Reminders"
    assert outputs[-1]["adopters"][0]["name"] == "Brackwell"


def test_without_a_token_and_with_a_wrong_one(council: TestNode, stranger: Program) -> None:
    refused = stranger("POST", "/projects", BINS)
    problem(refused, 401)
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    wrong = Program(council, "moothall_" + "x" * 43)("GET", "/projects")
    problem(wrong, 401)
    assert "invalid_token" in wrong.headers["WWW-Authenticate"]


def test_scopes(council: TestNode, officer: Visitor, writer: Program) -> None:
    reads = Program(council, make_token(officer, "read"))
    token = made(writer, title="Scoped", state="published").json["token"]
    problem(reads("POST", "/projects", BINS), 403)
    problem(reads("POST", f"/projects/{token}/updates", {"changed": "x"}), 403)
    tells = Program(council, make_token(officer, "write:updates"))
    problem(tells("POST", "/projects", BINS), 403)
    assert tells("POST", f"/projects/{token}/updates", {"changed": "x"}).status_code == 201


@pytest.fixture(scope="module")
def moderator(council: TestNode) -> Visitor:
    """Somebody who may not write projects."""
    with council.app.app_context(), council.work() as work:
        people.create(
            work,
            name="Mo",
            email=role_email("moderator", council.name),
            password=PASSWORD,
            role="moderator",
        )
    return council.visitor("moderator")


def test_a_token_can_do_no_more_than_who_made_it(council: TestNode, moderator: Visitor) -> None:
    program = Program(council, make_token(moderator, *ALL))
    problem(program("POST", "/projects", BINS), 403)


def test_a_token_ends_with_its_owner_and_when_revoked(
    council: TestNode, officer: Visitor, stranger: Program
) -> None:
    token = make_token(officer, "read", name="Short-lived")
    program = Program(council, token)
    assert program("GET", "/projects").status_code == 200
    officer.visit("/account/tokens")
    assert "Short-lived" in officer.text
    assert token not in officer.text
    actions = [form for form in officer.text.split('action="') if "revoke" in form[:60]]
    officer.submit(actions[0].partition('"')[0])
    assert "no longer lets anybody in" in officer.text
    problem(program("GET", "/projects"), 401)
    operator = council.visitor("operator")
    theirs = Program(council, make_token(operator, "read"))
    with council.app.app_context(), council.work() as work:
        user = work.session.scalars(select(User).where(User.email.startswith("operator@"))).one()
        user.active = False
    problem(theirs("GET", "/projects"), 401)
    with council.app.app_context(), council.work() as work:
        work.session.scalars(
            select(User).where(User.email.startswith("operator@"))
        ).one().active = True


def test_nobody_revokes_anothers_token(officer: Visitor, moderator: Visitor) -> None:
    make_token(officer, "read")
    officer.visit("/account/tokens")
    action = officer.text.split('/revoke"')[0].rpartition('action="')[2] + "/revoke"
    moderator.visit("/account/tokens")
    csrf = moderator.form("/account/tokens/new").values["csrf_token"]
    assert moderator.client.post(action, data={"csrf_token": csrf}).status_code == 404


@pytest.mark.parametrize(
    "typed, words",
    [
        ({"name": ""}, "Enter what the token is for"),
        ({"name": "x" * 101}, "Use at most 100 characters"),
        ({"name": "x"}, "Select what the token can do"),
        ({"name": "x", "scopes": "all"}, "Select what the token can do"),
        ({"name": "x", "scopes": "read", "days": "9999"}, "Select when the token expires"),
    ],
)
def test_a_token_that_cannot_be_made(officer: Visitor, typed: dict[str, str], words: str) -> None:
    officer.visit("/account/tokens")
    officer.submit("/account/tokens/new", **typed)
    assert officer.page.status_code == 400
    assert words in officer.text


HOSTILE: list[tuple[Any, str]] = [
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


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_what_cannot_be_used_is_named(writer: Program, number: int) -> None:
    body, field = HOSTILE[number]
    whole = BINS | body if isinstance(body, dict) else body
    found = problem(writer("POST", "/projects", whole), 400)
    assert not field or field in found["fields"], found


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
def test_bodies_that_are_no_json(
    council: TestNode, officer: Visitor, data: bytes, kind: str, status: int
) -> None:
    client = council.app.test_client()
    headers = {"Authorization": f"Bearer {make_token(officer, *ALL)}"}
    answer = client.post("/api/v1/projects", data=data, content_type=kind, headers=headers)
    problem(answer, status)


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
def test_questions_that_cannot_be_read(stranger: Program, path: str) -> None:
    assert problem(stranger("GET", path), 400)["fields"]


def test_unknown_addresses(stranger: Program) -> None:
    problem(stranger("GET", "/nothing"), 404)
    problem(stranger("GET", "/projects/nothing"), 404)
    problem(stranger("GET", "/updates/nothing"), 404)
    assert "Allow says" in problem(stranger("PUT", "/projects"), 405)["detail"]


def test_whoever_asks_too_often_waits(council: TestNode, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = auth_and_limits.ApiRateLimits()
    monkeypatch.setitem(council.app.extensions, auth_and_limits.EXTENSION_KEY, limits)
    program = Program(council)
    answers = [program("GET", "/") for _ in range(auth_and_limits.MAX_PER_ADDRESS + 1)]
    assert {one.status_code for one in answers[:-1]} == {200}
    problem(answers[-1], 429)
    assert 0 < int(answers[-1].headers["Retry-After"]) <= auth_and_limits.WINDOW_SECONDS


def test_the_description_is_valid_and_names_every_address(
    council: TestNode, stranger: Program
) -> None:
    document = stranger("GET", "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    validate(document)
    described = {
        (method, path)
        for path, operations in document["paths"].items()
        for method in operations
        if method != "parameters"
    }
    answered = {
        (method.lower(), re.sub(r"<(?:int:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1")))
        for rule in council.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
        for method in rule.methods or ()
        if method not in {"HEAD", "OPTIONS"}
    }
    assert described == answered


def test_what_is_answered_is_as_described(writer: Program, stranger: Program) -> None:
    made(writer, title="Described", state="published")
    schemas = stranger("GET", "/openapi.json").json["components"]["schemas"]
    project = stranger("GET", "/projects?limit=100").json["projects"][-1]
    assert set(project) == set(schemas["ProjectInList"]["properties"])
    whole = stranger("GET", f"/projects/{project['token']}").json
    assert set(whole) == set(schemas["Project"]["properties"])
    told = writer("POST", f"/projects/{project['token']}/updates", {"changed": "x"}).json
    assert set(told) == set(schemas["Update"]["properties"])
    assert set(stranger("GET", "/outputs").json["outputs"][0]) == set(
        schemas["Output"]["properties"]
    )
    assert set(whole["details"]) <= set(schemas["Details"]["properties"])


def test_the_page_about_it(council: TestNode) -> None:
    page = council.visitor().visit("/api")
    assert "PATCH /projects/{token}" in page.text
    assert "Needs the scope" in page.text
    welsh = council.visitor().visit("/api?lang=cy").text
    assert "Diweddariadau prosiect, y diweddaraf yn gyntaf." in welsh
    assert "Mae angen y cwmpas write:projects." in welsh
    assert "Needs the scope" not in welsh


def test_a_token_that_only_writes_is_shown_nothing(council: TestNode, officer: Visitor) -> None:
    """Not even what it changes: its answers say which version there is, and no more."""
    writes = Program(council, make_token(officer, "write:projects", "write:updates"))
    first = writes("POST", "/projects", BINS | {"visibility": "private", "state": "published"})
    assert (first.status_code, first.data) == (201, b"")
    path, tag = first.headers["Location"].partition("/api/v1")[2], first.headers["ETag"]
    problem(writes("GET", path), 404)
    problem(writes("PATCH", path, {}, If_Match="*"), 428)
    problem(writes("DELETE", path, If_Match="*"), 428)
    changed = writes("PATCH", path, {"title": "Bins again"}, If_Match=tag)
    assert (changed.status_code, changed.data) == (204, b"")
    assert changed.headers["ETag"] != tag
    told = writes("POST", f"{path}/updates", {"changed": "More bins"})
    assert (told.status_code, told.data) == (201, b"")
    assert "/updates/" in told.headers["Location"]
    deleted = writes("DELETE", path, If_Match=changed.headers["ETag"])
    assert deleted.status_code == 204
