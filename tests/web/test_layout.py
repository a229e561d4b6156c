"""What every page has: the council's name, the account, strict headers, files that can be kept."""

import re

import pytest
from werkzeug.test import TestResponse

from node.testing.nodes import Nodes, TestNode


@pytest.fixture
def node(lasting_nodes: Nodes) -> TestNode:
    made = lasting_nodes.started
    return made[0] if made else lasting_nodes.start("aldermoor")


def _fetch(node: TestNode, address: str) -> TestResponse:
    """What is at `address`, read to its end, so that the file it comes from is closed."""
    return node.app.test_client().get(address, buffered=True)


def test_the_page_names_the_council_and_itself(node: TestNode) -> None:
    page = node.visitor().visit("/projects").text
    assert "<title>Projects – Aldermoor Council</title>" in page
    assert '<html lang="en"' in page
    assert node.address in page.replace("<wbr>", "")


def test_a_visitor_may_sign_in(node: TestNode) -> None:
    page = node.visitor().visit("/").text
    assert "Sign in" in page
    assert "Sign out" not in page


def test_who_is_signed_in_may_sign_out(node: TestNode) -> None:
    visitor = node.visitor("operator")
    visitor.visit("/")
    assert "Olu Operator" in visitor.text
    visitor.submit("sign-out")
    assert "Olu Operator" not in visitor.visit("/").text


def test_the_operator_pages_are_offered_to_the_operator_alone(node: TestNode) -> None:
    assert 'href="/operator"' in node.visitor("operator").visit("/").text
    assert 'href="/operator"' not in node.visitor("officer").visit("/").text


def test_only_our_own_styles_and_scripts_run(node: TestNode) -> None:
    answer = node.visitor().visit("/")
    policy = answer.headers["Content-Security-Policy"]
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["style-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    nonces = set(re.findall(r'<script[^>]* nonce="([^"]+)"', answer.text))
    assert len(nonces) == 1
    assert directives["script-src"] == f"'self' 'nonce-{nonces.pop()}'"
    assert "style=" not in answer.text
    assert "<script>" not in answer.text


def test_the_nonce_is_another_each_time(node: TestNode) -> None:
    visitor = node.visitor()
    policies = {visitor.visit("/").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


@pytest.mark.parametrize(
    "name,value",
    [
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Strict-Transport-Security", "max-age=63072000"),
    ],
)
def test_every_answer_has_the_header(node: TestNode, name: str, value: str) -> None:
    for address in ("/", "/nothing", "/static/moothall.css", "/theme/1d5b4f.css"):
        assert _fetch(node, address).headers[name] == value


def test_every_file_of_a_page_is_there_and_may_be_kept_for_a_year(node: TestNode) -> None:
    page = _fetch(node, "/").text
    files = re.findall(r'(?:<link rel="(?:icon|stylesheet)"[^>]* href|from) ?=? ?"([^"]+)"', page)
    assert len(files) == 5
    for address in files:
        answer = _fetch(node, address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("query", ["", "?v=0123456789abcdef"])
@pytest.mark.parametrize("address", ["/static/moothall.css", "/theme/1d5b4f.css"])
def test_a_file_of_no_known_version_is_checked_each_time(
    node: TestNode, address: str, query: str
) -> None:
    assert _fetch(node, address + query).headers["Cache-Control"] == "no-cache"


def test_nothing_outside_the_static_folder_is_served(node: TestNode) -> None:
    for address in ("/static/../site.py", "/static/%2e%2e/site.py", "/static/..%2fsite.py"):
        assert _fetch(node, address).status_code == 404
