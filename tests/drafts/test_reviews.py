"""Somebody else reads a draft, and publishes it or sends it back with a note."""

import pytest

from node.people import service as people
from node.people.permissions import COORDINATOR, OFFICER
from node.testing.nodes import PASSWORD, Nodes, TestNode, role_email
from node.testing.visitor import Visitor
from tests.freshness.waiting import TEXT, write


def employ(council: TestNode, name: str, role: str) -> Visitor:
    with council.work() as work:
        people.create(
            work,
            name=name.title(),
            email=role_email(name, "aldermoor"),
            password=PASSWORD,
            role=role,
        )
    return council.visitor(name)


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(scope="module")
def strict(lasting_nodes: Nodes) -> TestNode:
    """A council where nobody publishes alone."""
    return lasting_nodes.start("brackwell", review_before_publishing="on")


@pytest.fixture(scope="module")
def officer(council: TestNode) -> Visitor:
    return council.visitor("officer")


@pytest.fixture(scope="module")
def colleague(council: TestNode) -> Visitor:
    return employ(council, "colleague", OFFICER)


@pytest.fixture(scope="module")
def coordinator(council: TestNode) -> Visitor:
    return employ(council, "coordinator", COORDINATOR)


def number_of(council: TestNode, name: str) -> str:
    with council.reading() as session:
        return str(people.require_by_email(session, role_email(name, council.name)).id)


def sent(council: TestNode, officer: Visitor, title: str, to: str = "colleague") -> str:
    """A draft that somebody is asked to read."""
    address = write(officer, "save", title=title)
    officer.visit(f"{address}/review")
    officer.submit("review", to=number_of(council, to) if to else "0", note="Is it <clear>?")
    assert "for review." in officer.text
    return address


def test_a_colleague_who_is_asked_publishes_a_draft(
    council: TestNode, officer: Visitor, colleague: Visitor
) -> None:
    address = sent(council, officer, "To be read")
    assert "Waiting for Colleague to review this draft." in officer.visit(address).text
    assert council.visitor().visit(address).status_code == 404
    assert "To be read" in officer.visit("/projects/drafts").text
    assert "To be read" in colleague.visit("/desk").text
    assert "Is it &lt;clear&gt;?" in colleague.visit(f"{address}/review").text
    colleague.submit("publish")
    assert "The project has been published." in colleague.text
    assert council.visitor().visit(address).status_code == 200
    assert "To be read" not in colleague.visit("/desk").text


def test_a_draft_comes_back_with_a_note(
    council: TestNode, officer: Visitor, colleague: Visitor
) -> None:
    address = sent(council, officer, "Not yet")
    colleague.visit(f"{address}/review")
    assert colleague.submit("return", answer=" ").status_code == 400
    assert colleague.page.text.count("Enter what should change") == 2
    colleague.submit("return", answer="Say <why>")
    assert "Colleague sent this draft back: Say &lt;why&gt;" in officer.visit(address).text
    assert "Not yet" in officer.visit("/desk").text
    assert "Not yet" not in colleague.visit("/desk").text


def test_any_coordinator_may_be_asked(
    council: TestNode, officer: Visitor, colleague: Visitor, coordinator: Visitor
) -> None:
    address = sent(council, officer, "For whoever coordinates", "")
    assert "For whoever coordinates" not in colleague.visit("/desk").text
    assert "For whoever coordinates" in coordinator.visit("/desk").text
    coordinator.visit(f"{address}/review")
    coordinator.submit("publish")
    assert council.visitor().visit(address).status_code == 200


@pytest.mark.usefixtures("coordinator")
def test_nobody_else_answers_and_who_asked_takes_it_back(
    council: TestNode, officer: Visitor, colleague: Visitor
) -> None:
    address = sent(council, officer, "Hands off", "coordinator")
    colleague.visit(address)
    token = colleague.form("withdraw").values["csrf_token"]
    answer = colleague.client.post(f"{address}/review/publish", data={"csrf_token": token})
    assert answer.status_code == 403
    officer.visit(address)
    officer.submit("withdraw")
    assert "The project is a draft again." in officer.text
    late = officer.client.post(
        f"{address}/review/publish",
        data={"csrf_token": officer.form("publish").values["csrf_token"]},
    )
    assert late.status_code == 409


def test_only_the_version_that_was_read_is_published(
    council: TestNode, officer: Visitor, colleague: Visitor
) -> None:
    address = sent(council, officer, "Read as it was")
    page = colleague.visit(f"{address}/review").text
    assert "Read as it was" in page, "the reader reads it here"
    officer.visit(f"{address}/edit")
    officer.submit("edit", title="Never read", then="save")
    late = colleague.submit("publish")
    assert late.status_code == 409
    assert "It has changed since you opened it." in colleague.text
    assert "Never read" in colleague.text.partition("Changes since you opened the draft")[2]
    assert council.visitor().visit(address).status_code == 404
    missing = colleague.form("publish").values | {"version": ""}
    assert colleague.client.post(f"{address}/review/publish", data=missing).status_code == 409
    colleague.submit("publish")
    assert "Never read" in council.visitor().visit(address).text


def test_nobody_who_wrote_a_draft_decides_on_it(
    council: TestNode, officer: Visitor, colleague: Visitor, coordinator: Visitor
) -> None:
    address = write(coordinator, "save", title="Written by the coordinator")
    officer.visit(f"{address}/review")
    assert "Coordinator, " not in officer.text, "a writer cannot be asked"
    officer.submit("review", to="0", note="")
    assert "You wrote part of this draft" in coordinator.visit(f"{address}/review").text
    assert "Written by the coordinator" not in coordinator.visit("/desk").text
    coordinator.visit(f"{address}/review")
    alone = coordinator.form("withdraw").values | {"version": "1"}
    assert coordinator.client.post(f"{address}/review/publish", data=alone).status_code == 403
    address = sent(council, officer, "Put right by who reads it")
    colleague.visit(f"{address}/edit")
    colleague.submit("edit", title="Put right", then="save")
    assert "You wrote part of this draft" in colleague.visit(f"{address}/review").text


@pytest.mark.parametrize("to", ["", "x", "99999", "9" * 5000])
def test_somebody_has_to_be_chosen(officer: Visitor, to: str) -> None:
    address = write(officer, "save", title="Who can see this")
    officer.visit(f"{address}/review")
    page = officer.submit("review", to=to, note="Typed already")
    assert page.status_code == 400
    assert page.text.count("Select who should review this draft") == 2
    assert "Typed already" in page.text


def test_where_the_council_wants_it_nobody_publishes_alone(strict: TestNode) -> None:
    officer, operator = strict.visitor("officer"), strict.visitor("operator")
    officer.visit("/projects/new")
    assert "Save and send for review" in officer.text
    officer.submit(**TEXT | {"title": "With four eyes"}, then="publish")
    assert "Choose who reads it before it is published." in officer.text
    address = officer.page.request.path.removesuffix("/review")
    officer.submit("review", to="0")
    token = officer.form("withdraw").values["csrf_token"]
    for alone in (f"{address}/publish", f"{address}/review/publish"):
        answer = officer.client.post(alone, data={"csrf_token": token})
        assert answer.status_code in {403, 409}, alone
    assert strict.visitor().visit(address).status_code == 404
    operator.visit(f"{address}/review")
    operator.submit("publish")
    assert strict.visitor().visit(address).status_code == 200
    officer.visit(f"{address}/edit")
    officer.submit("edit", title="A later change needs no other eyes")
    assert "Your changes have been published." in officer.text
