"""API tokens: what they allow, when they end, and the page on which they are created."""

import pytest
from sqlalchemy import select

from node.people import service as people
from node.people.models import User
from node.testing.nodes import PASSWORD, TestNode, role_email
from node.testing.visitor import Visitor
from tests.rest.conftest import ALL, BINS, Program, create_project, make_token, problem


@pytest.fixture(scope="module")
def moderator(council: TestNode) -> Visitor:
    """A user without permission to write projects."""
    with council.app.app_context(), council.work() as work:
        people.create(
            work,
            name="Mo",
            email=role_email("moderator", council.name),
            password=PASSWORD,
            role="moderator",
        )
    return council.visitor("moderator")


def test_private_projects_and_drafts_require_read_scope(
    council: TestNode, officer: Visitor, moderator: Visitor, writer: Program, stranger: Program
) -> None:
    project = create_project(writer, title="Secret", visibility="private", state="published")
    secret = project.json["token"]
    draft = create_project(writer, title="Created").json["token"]
    write_only = Program(council, make_token(officer, "write:updates"))
    read_only = Program(council, make_token(moderator, "read"))
    for program in (stranger, write_only, read_only):
        problem(program("GET", f"/projects/{draft}"), 404)
        problem(program("GET", "/projects?state=draft"), 404)
    assert moderator.visit(f"/projects/{draft}").status_code == 404
    assert read_only("GET", f"/projects/{secret}").status_code == 200
    for program in (stranger, write_only):
        problem(program("GET", f"/projects/{secret}"), 404)
        assert "Secret" not in program("GET", "/projects?limit=100").text
    assert writer("GET", f"/projects/{secret}").json["visibility"] == "private"
    assert "private" in writer("GET", f"/projects/{secret}").headers["Cache-Control"]
    assert "Authorization" in stranger("GET", "/projects").headers["Vary"]
    drafts = writer("GET", "/projects?state=draft&limit=100").json["projects"]
    assert {project["state"] for project in drafts} == {"draft"}
    assert draft in [project["token"] for project in drafts]


def test_missing_and_invalid_token(council: TestNode, stranger: Program) -> None:
    rejected = stranger("POST", "/projects", BINS)
    problem(rejected, 401)
    assert rejected.headers["WWW-Authenticate"].startswith("Bearer")
    invalid = Program(council, "moothall_" + "x" * 43)("GET", "/projects")
    problem(invalid, 401)
    assert "invalid_token" in invalid.headers["WWW-Authenticate"]


def test_scopes(council: TestNode, officer: Visitor, writer: Program) -> None:
    reader = Program(council, make_token(officer, "read"))
    token = create_project(writer, title="Scoped", state="published").json["token"]
    problem(reader("POST", "/projects", BINS), 403)
    problem(reader("POST", f"/projects/{token}/updates", {"changed": "x"}), 403)
    update_writer = Program(council, make_token(officer, "write:updates"))
    problem(update_writer("POST", "/projects", BINS), 403)
    assert update_writer("POST", f"/projects/{token}/updates", {"changed": "x"}).status_code == 201


def test_token_has_no_more_permissions_than_its_owner(
    council: TestNode, moderator: Visitor
) -> None:
    program = Program(council, make_token(moderator, *ALL))
    problem(program("POST", "/projects", BINS), 403)


def test_token_stops_working_when_revoked_or_owner_is_deactivated(
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
    assert "The token “Short-lived” has been revoked." in officer.text
    problem(program("GET", "/projects"), 401)
    operator = council.visitor("operator")
    operator_program = Program(council, make_token(operator, "read"))
    with council.app.app_context(), council.work() as work:
        user = work.session.scalars(select(User).where(User.email.startswith("operator@"))).one()
        user.active = False
    problem(operator_program("GET", "/projects"), 401)
    with council.app.app_context(), council.work() as work:
        work.session.scalars(
            select(User).where(User.email.startswith("operator@"))
        ).one().active = True


def test_users_cannot_revoke_other_users_tokens(officer: Visitor, moderator: Visitor) -> None:
    make_token(officer, "read")
    officer.visit("/account/tokens")
    action = officer.text.split('/revoke"')[0].rpartition('action="')[2] + "/revoke"
    moderator.visit("/account/tokens")
    csrf = moderator.form("/account/tokens/new").values["csrf_token"]
    assert moderator.client.post(action, data={"csrf_token": csrf}).status_code == 404


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"name": ""}, "Enter what the token is for"),
        ({"name": "x" * 101}, "You have used 101 characters. Use 100 or fewer."),
        ({"name": "x"}, "Select what the token can do"),
        ({"name": "x", "scopes": "all"}, "Select what the token can do"),
        ({"name": "x", "scopes": "read", "days": "9999"}, "Select when the token expires"),
    ],
)
def test_invalid_token_form(officer: Visitor, fields: dict[str, str], message: str) -> None:
    officer.visit("/account/tokens")
    officer.submit("/account/tokens/new", **fields)
    assert officer.page.status_code == 400
    assert message in officer.text


def test_token_without_read_scope_gets_empty_responses(council: TestNode, officer: Visitor) -> None:
    """Responses to its own changes have an ETag and no body."""
    writer = Program(council, make_token(officer, "write:projects", "write:updates"))
    created = writer("POST", "/projects", BINS | {"visibility": "private", "state": "published"})
    assert (created.status_code, created.data) == (201, b"")
    path, tag = created.headers["Location"].partition("/api/v1")[2], created.headers["ETag"]
    problem(writer("GET", path), 404)
    problem(writer("PATCH", path, {}, If_Match="*"), 428)
    problem(writer("DELETE", path, If_Match="*"), 428)
    changed = writer("PATCH", path, {"title": "Bins again"}, If_Match=tag)
    assert (changed.status_code, changed.data) == (204, b"")
    assert changed.headers["ETag"] != tag
    update = writer("POST", f"{path}/updates", {"changed": "More bins"})
    assert (update.status_code, update.data) == (201, b"")
    assert "/updates/" in update.headers["Location"]
    deleted = writer("DELETE", path, If_Match=changed.headers["ETag"])
    assert deleted.status_code == 204
