"""Webhooks by the API: each person's own."""

from node.people import service as people
from node.testing.nodes import PASSWORD, TestNode
from node.testing.visitor import Visitor
from tests.rest.conftest import Program, make_token
from tests.rest.test_api import problem


def test_webhooks_are_made_seen_and_removed(
    council: TestNode, officer: Visitor, stranger: Program
) -> None:
    with council.work() as work:
        people.create(
            work, name="Ann", email="ann@aldermoor.example", password=PASSWORD, role="officer"
        )
    another = council.visitor()
    another.visit("/sign-in")
    another.submit("sign-in", email="ann@aldermoor.example", password=PASSWORD)
    program = Program(council, make_token(officer, "webhooks"))
    theirs = Program(council, make_token(another, "webhooks"))
    hook = {"url": "https://hooks.example/1", "events": ["project.published"]}
    for wrong in (
        {"url": "https://127.0.0.1/", "events": ["project.published"]},
        {"url": "https://hooks.example/1", "events": ["none"]},
        {"url": "https://hooks.example/1", "events": "all"},
        hook | {"tells_all": "yes"},
    ):
        assert problem(program("POST", "/webhooks", wrong), 400)["fields"]
    first = program("POST", "/webhooks", hook)
    assert (first.status_code, first.json["secret"][:6]) == (201, "whsec_")
    path = first.headers["Location"].partition("/api/v1")[2]
    listed = program("GET", "/webhooks").json["webhooks"]
    assert [one["url"] for one in listed] == ["https://hooks.example/1"]
    assert "secret" not in listed[0]
    assert theirs("GET", "/webhooks").json["webhooks"] == []
    problem(theirs("DELETE", path), 404)
    problem(stranger("GET", "/webhooks"), 401)
    problem(Program(council, make_token(officer, "read"))("GET", "/webhooks"), 403)
    assert program("DELETE", path).status_code == 204
    problem(program("GET", path), 404)


def test_a_token_that_does_not_read_is_not_told_of_private_projects(
    council: TestNode, officer: Visitor
) -> None:
    hook = {"url": "https://hooks.example/2", "events": ["project.published"], "tells_all": True}
    problem(Program(council, make_token(officer, "webhooks"))("POST", "/webhooks", hook), 403)
    reads = Program(council, make_token(officer, "webhooks", "read"))
    assert reads("POST", "/webhooks", hook).status_code == 201
