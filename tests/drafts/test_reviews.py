"""Someone else reviews a draft, and publishes it or sends it back with a note."""

import pytest

from node.access.permissions import COORDINATOR, OFFICER
from node.people import service as people
from node.testing.nodes import PASSWORD, Nodes, TestNode, role_email
from node.testing.visitor import Visitor
from tests.freshness.waiting import TEXT, write


def create_user(council: TestNode, name: str, role: str) -> Visitor:
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
    """A council where every draft is reviewed before it is published."""
    return lasting_nodes.start("brackwell", review_before_publishing="on")


@pytest.fixture(scope="module")
def officer(council: TestNode) -> Visitor:
    return council.visitor("officer")


@pytest.fixture(scope="module")
def colleague(council: TestNode) -> Visitor:
    return create_user(council, "colleague", OFFICER)


@pytest.fixture(scope="module")
def coordinator(council: TestNode) -> Visitor:
    return create_user(council, "coordinator", COORDINATOR)


def user_id(council: TestNode, name: str) -> str:
    with council.reading() as session:
        return str(people.require_by_email(session, role_email(name, council.name)).id)


def send_for_review(council: TestNode, officer: Visitor, title: str, to: str = "colleague") -> str:
    """Send a new draft for review; returns its path."""
    address = write(officer, "save", title=title)
    officer.visit(f"{address}/review")
    officer.submit("review", to=user_id(council, to) if to else "0", note="Is it <clear>?")
    assert "for review." in officer.text
    return address


def test_a_reviewer_publishes_a_draft(
    council: TestNode, officer: Visitor, colleague: Visitor
) -> None:
    address = send_for_review(council, officer, "To be read")
    assert "Waiting for Colleague to review this draft." in officer.visit(address).text
    assert council.visitor().visit(address).status_code == 404
    assert "To be read" in officer.visit("/projects/drafts").text
    assert "To be read" in colleague.visit("/desk").text
    assert "Is it &lt;clear&gt;?" in colleague.visit(f"{address}/review").text
    colleague.submit("publish")
    assert "The project has been published." in colleague.text
    assert council.visitor().visit(address).status_code == 200
    assert "To be read" not in colleague.visit("/desk").text


def test_a_draft_is_sent_back_with_a_note(
    council: TestNode, officer: Visitor, colleague: Visitor
) -> None:
    address = send_for_review(council, officer, "Not yet")
    colleague.visit(f"{address}/review")
    assert colleague.submit("return", answer=" ").status_code == 400
    assert colleague.page.text.count("Enter what needs to change") == 2
    colleague.submit("return", answer="Say <why>")
    assert "Colleague sent this draft back: Say &lt;why&gt;" in officer.visit(address).text
    assert "Not yet" in officer.visit("/desk").text
    assert "Not yet" not in colleague.visit("/desk").text


def test_a_review_is_requested_from_any_coordinator(
    council: TestNode, officer: Visitor, colleague: Visitor, coordinator: Visitor
) -> None:
    address = send_for_review(council, officer, "For any coordinator", "")
    assert "For any coordinator" not in colleague.visit("/desk").text
    assert "For any coordinator" in coordinator.visit("/desk").text
    coordinator.visit(f"{address}/review")
    coordinator.submit("publish")
    assert council.visitor().visit(address).status_code == 200


@pytest.mark.usefixtures("coordinator")
def test_only_the_reviewer_publishes_and_the_requester_withdraws(
    council: TestNode, officer: Visitor, colleague: Visitor
) -> None:
    address = send_for_review(council, officer, "Hands off", "coordinator")
    colleague.visit(address)
    token = colleague.form("withdraw").values["csrf_token"]
    answer = colleague.client.post(f"{address}/review/publish", data={"csrf_token": token})
    assert answer.status_code == 403
    officer.visit(address)
    officer.submit("withdraw")
    assert "The draft has been withdrawn from review." in officer.text
    late = officer.client.post(
        f"{address}/review/publish",
        data={"csrf_token": officer.form("publish").values["csrf_token"]},
    )
    assert late.status_code == 409


def test_only_the_reviewed_version_is_published(
    council: TestNode, officer: Visitor, colleague: Visitor
) -> None:
    address = send_for_review(council, officer, "Read as it was")
    page = colleague.visit(f"{address}/review").text
    assert "Read as it was" in page, "the reviewer reads it here"
    officer.visit(f"{address}/edit")
    officer.submit("edit", title="Never read", then="save")
    late = colleague.submit("publish")
    assert late.status_code == 409
    assert "The draft has changed since you opened it." in colleague.text
    assert "Never read" in colleague.text.partition("Changes since you opened the draft")[2]
    assert council.visitor().visit(address).status_code == 404
    missing = colleague.form("publish").values | {"version": ""}
    assert colleague.client.post(f"{address}/review/publish", data=missing).status_code == 409
    colleague.submit("publish")
    assert "Never read" in council.visitor().visit(address).text


def test_a_writer_of_a_draft_cannot_review_it(
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
    address = send_for_review(council, officer, "Put right by who reads it")
    colleague.visit(f"{address}/edit")
    colleague.submit("edit", title="Put right", then="save")
    assert "You wrote part of this draft" in colleague.visit(f"{address}/review").text


@pytest.mark.parametrize("to", ["", "x", "99999", "9" * 5000])
def test_a_reviewer_must_be_selected(officer: Visitor, to: str) -> None:
    address = write(officer, "save", title="Who can see this")
    officer.visit(f"{address}/review")
    page = officer.submit("review", to=to, note="Typed already")
    assert page.status_code == 400
    assert page.text.count("Select who should review this draft") == 2
    assert "Typed already" in page.text


def test_a_council_can_require_a_review_before_publishing(strict: TestNode) -> None:
    officer, operator = strict.visitor("officer"), strict.visitor("operator")
    officer.visit("/projects/new")
    assert "Save and send for review" in officer.text
    officer.submit(**TEXT | {"title": "With four eyes"}, then="publish")
    assert "Choose who will review it before it is published." in officer.text
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
