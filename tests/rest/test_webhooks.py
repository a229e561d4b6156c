"""Webhooks in the API: each user sees and removes only their own."""

from node.people import service as people
from node.testing.nodes import PASSWORD, TestNode
from node.testing.visitor import Visitor
from tests.rest.conftest import Program, make_token, problem


def test_webhooks_are_created_listed_and_removed(
    council: TestNode, officer: Visitor, stranger: Program
) -> None:
    with council.work() as work:
        people.create(
            work, name="Ann", email="ann@aldermoor.example", password=PASSWORD, role="officer"
        )
    other_officer = council.visitor()
    other_officer.visit("/sign-in")
    other_officer.submit("sign-in", email="ann@aldermoor.example", password=PASSWORD)
    program = Program(council, make_token(officer, "webhooks"))
    other_program = Program(council, make_token(other_officer, "webhooks"))
    hook = {"url": "https://hooks.example/1", "events": ["project.published"]}
    for invalid in (
        {"url": "https://127.0.0.1/", "events": ["project.published"]},
        {"url": "https://hooks.example/1", "events": ["none"]},
        {"url": "https://hooks.example/1", "events": "all"},
        hook | {"tells_all": "yes"},
    ):
        assert problem(program("POST", "/webhooks", invalid), 400)["fields"]
    first = program("POST", "/webhooks", hook)
    assert (first.status_code, first.json["secret"][:6]) == (201, "whsec_")
    path = first.headers["Location"].partition("/api/v1")[2]
    listed = program("GET", "/webhooks").json["webhooks"]
    assert [webhook["url"] for webhook in listed] == ["https://hooks.example/1"]
    assert "secret" not in listed[0]
    assert other_program("GET", "/webhooks").json["webhooks"] == []
    problem(other_program("DELETE", path), 404)
    problem(stranger("GET", "/webhooks"), 401)
    problem(Program(council, make_token(officer, "read"))("GET", "/webhooks"), 403)
    assert program("DELETE", path).status_code == 204
    problem(program("GET", path), 404)


def test_webhook_for_private_projects_requires_read_scope(
    council: TestNode, officer: Visitor
) -> None:
    hook = {"url": "https://hooks.example/2", "events": ["project.published"], "tells_all": True}
    problem(Program(council, make_token(officer, "webhooks"))("POST", "/webhooks", hook), 403)
    reader = Program(council, make_token(officer, "webhooks", "read"))
    assert reader("POST", "/webhooks", hook).status_code == 201
