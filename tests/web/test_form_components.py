"""A form with mistakes keeps what was typed, and says each mistake twice, linked."""

import re

import pytest

from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor


@pytest.fixture
def node(lasting_nodes: Nodes) -> TestNode:
    made = lasting_nodes.started
    return made[0] if made else lasting_nodes.start("aldermoor")


@pytest.fixture
def mistaken(node: TestNode) -> Visitor:
    visitor = node.visitor("officer")
    visitor.visit("/projects/new")
    visitor.submit("projects", title="", summary="s" * 201, phase="beta", brief="</textarea><b>")
    return visitor


def test_the_title_and_the_summary_of_errors_come_first(mistaken: Visitor) -> None:
    assert mistaken.page.status_code == 400
    assert "<title>Error: Publish a project" in mistaken.text
    assert mistaken.text.index("There is a problem") < mistaken.text.index("<h1")


def test_each_error_links_to_its_field(mistaken: Visitor) -> None:
    errors = mistaken.text[mistaken.text.index("govuk-error-summary__list") :]
    linked = re.findall(r'<a href="#([a-z_-]+)"', errors[: errors.index("</ul>")])
    assert linked == ["title", "summary"]
    for field in linked:
        assert f'id="{field}"' in mistaken.text
        assert f'id="{field}-error"' in mistaken.text


def test_what_was_typed_is_kept(mistaken: Visitor) -> None:
    values = mistaken.form("projects").values
    assert values["summary"] == "s" * 201
    assert values["phase"] == "beta"
    assert values["brief"].strip() == "</textarea><b>"
    assert "<b>" not in mistaken.text


def test_browsers_leave_the_checking_to_the_server(node: TestNode) -> None:
    for address in ("/projects/new", "/councils/follow", "/operator/peers"):
        page = node.visitor("operator").visit(address).text
        forms = re.findall(r"<form[^>]*>", page)
        assert forms
        assert all("novalidate" in form for form in forms)
        assert " required" not in page


def test_a_wrong_password_is_said_once_and_not_sent_back(node: TestNode) -> None:
    visitor = node.visitor()
    visitor.visit("/sign-in")
    visitor.submit("sign-in", email="officer@aldermoor.example", password="not the right one")
    assert "<title>Error: Sign in" in visitor.text
    assert "not the right one" not in visitor.text
    errors = visitor.text[visitor.text.index("govuk-error-summary__list") :]
    assert errors[: errors.index("</ul>")].count("<li>") == 1
