"""Who may do what: strangers, officers, operators; and what belongs to another council."""

import re

import pytest

from node.testing.nodes import Nodes
from node.testing.visitor import Visitor
from tests.federation.test_main_job import follow, publish

OPERATORS = ("/operator/deliveries", "/operator/peers", "/operator/refusals")
OFFICERS = ("/projects/new", "/projects/drafts", "/councils/follow")

PROJECT = re.compile(r'href="/projects/([\w-]+)"')


@pytest.mark.parametrize("address", OPERATORS)
def test_an_officer_does_not_look_after_the_node(
    officer: Visitor, operator: Visitor, address: str
) -> None:
    page = officer.visit(address)
    assert page.status_code == 403
    assert "You do not have access to this page" in page.text
    assert operator.visit(address).status_code == 200


def test_an_officer_allows_no_servers(officer: Visitor, operator: Visitor) -> None:
    officer.visit("/projects/new")
    token = officer.form().values["csrf_token"]
    answer = officer.client.post("/operator/peers", data={"csrf_token": token, "host": "a.example"})
    assert answer.status_code == 403
    assert "a.example" not in operator.visit("/operator/peers").text


@pytest.mark.parametrize("address", OFFICERS)
def test_both_do_an_officers_work(officer: Visitor, operator: Visitor, address: str) -> None:
    assert officer.visit(address).status_code == 200
    assert operator.visit(address).status_code == 200


def test_the_menu_leads_nowhere_that_is_closed(
    stranger: Visitor, officer: Visitor, operator: Visitor
) -> None:
    shows = {
        name: 'href="/operator"' in visitor.visit("/").text
        for name, visitor in (("stranger", stranger), ("officer", officer), ("operator", operator))
    }
    assert shows == {"stranger": False, "officer": False, "operator": True}


def test_a_program_is_told_to_sign_in(stranger: Visitor) -> None:
    answer = stranger.client.get("/projects/new", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")


def test_what_another_council_published_is_shown_as_theirs_and_cannot_be_changed(
    nodes: Nodes,
) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    publish(here, "Bins in one step")
    nodes.run_until_idle()
    reader = there.visitor("operator")
    listed = reader.visit("/projects").text
    assert "Published by Aldermoor Council" in listed
    assert "aldermoor.test" in listed.replace("<wbr>", "")
    token = PROJECT.findall(listed)[-1]
    page = reader.visit(f"/projects/{token}")
    assert "This project belongs to Aldermoor Council" in page.text
    assert f'href="{here.node.settings.base_url}/projects/' in page.text
    assert "Manage this project" not in page.text
    for onward in ("edit", "delete"):
        assert reader.visit(f"/projects/{token}/{onward}").status_code == 403
    reader.visit("/projects/new")
    csrf = reader.form().values["csrf_token"]
    for onward in ("edit", "delete", "publish"):
        answer = reader.client.post(f"/projects/{token}/{onward}", data={"csrf_token": csrf})
        assert answer.status_code == 403
    document = reader.client.get(
        f"/projects/{token}", headers={"Accept": "application/activity+json"}
    )
    assert document.status_code == 302
    assert document.location.startswith(here.node.settings.base_url)
