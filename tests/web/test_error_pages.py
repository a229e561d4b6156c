"""An error is a page for people, and a problem document (RFC 9457) for programs."""

import pytest
from werkzeug.test import TestResponse

from node.testing.nodes import Nodes, TestNode

PROBLEM = "application/problem+json"


@pytest.fixture
def node(lasting_nodes: Nodes) -> TestNode:
    made = lasting_nodes.started
    return made[0] if made else lasting_nodes.start("aldermoor")


def _ask(node: TestNode, address: str, accept: str, method: str = "GET") -> TestResponse:
    return node.app.test_client().open(address, method=method, headers={"Accept": accept})


@pytest.mark.parametrize(
    "accept", ["text/html", "text/html,application/xhtml+xml,*/*;q=0.8", "*/*", ""]
)
def test_people_get_a_page(node: TestNode, accept: str) -> None:
    answer = _ask(node, "/nothing", accept)
    assert answer.status_code == 404
    assert answer.content_type == "text/html; charset=utf-8"
    assert "Accept" in answer.vary
    assert "<title>Page not found – Aldermoor Council</title>" in answer.text


@pytest.mark.parametrize(
    "accept", ["application/json", "application/activity+json", "application/ld+json;q=1", PROBLEM]
)
def test_programs_get_a_problem_document(node: TestNode, accept: str) -> None:
    answer = _ask(node, "/nothing", accept)
    assert (answer.status_code, answer.content_type) == (404, PROBLEM)
    assert answer.json is not None
    assert (answer.json["status"], answer.json["title"]) == (404, "Not Found")


@pytest.mark.parametrize("address", ["/.well-known/nothing", "/councils/nobody/inbox"])
def test_addresses_for_programs_return_a_problem_document(node: TestNode, address: str) -> None:
    assert _ask(node, address, "*/*").content_type == PROBLEM


def test_a_wrong_method_names_the_right_ones(node: TestNode) -> None:
    answer = _ask(node, "/projects", "text/html", method="DELETE")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert "This page does not work that way" in answer.text


def test_a_form_without_its_token_is_refused_with_advice(node: TestNode) -> None:
    visitor = node.visitor("officer")
    answer = visitor.client.post("/projects/new", data={"title": "A"})
    assert answer.status_code == 400
    assert "This form was open for too long" in answer.text


def test_a_bug_is_reported_without_a_traceback(nodes: Nodes) -> None:
    # Flask adds no route after the first request, so this node is used by no other test.
    node = nodes.start("aldermoor", threads=14)
    node.app.testing = False

    def fail() -> str:
        raise RuntimeError("a secret of the code")

    fail.permission = "public"  # type: ignore[attr-defined]  # as node.request.permission does
    node.app.add_url_rule("/fail", view_func=fail)
    page = _ask(node, "/fail", "text/html")
    assert page.status_code == 500
    assert "there is a problem with this site" in page.text
    document = _ask(node, "/fail", "application/json")
    assert (document.status_code, document.content_type) == (500, PROBLEM)
    for answer in (page, document):
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text


def test_the_page_for_a_bug_needs_no_database(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    node.app.testing = False

    def broken() -> str:
        raise RuntimeError("no database")

    node.app.before_request_funcs.setdefault(None, []).insert(0, broken)
    page = _ask(node, "/", "text/html")
    assert page.status_code == 500
    assert "there is a problem with this site" in page.text
