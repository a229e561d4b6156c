"""A project is offered to a new owner, who accepts or declines; its page names the owner."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from node.access.permissions import OFFICER
from node.audit import AuditEntry
from node.officers import service as officers
from node.people import service as people
from node.projects import service as projects
from node.projects.validation import to_input
from node.testing.fake_peer import ACTIVITY_JSON
from node.testing.nodes import PASSWORD, TestNode, role_email
from node.testing.visitor import Visitor
from tests.freshness.waiting import write


def user_id(council: TestNode, role: str) -> str:
    with council.reading() as session:
        return str(people.require_by_email(session, role_email(role, "aldermoor")).id)


def offer_to_coordinator(council: TestNode, officer: Visitor, title: str, note: str = "") -> str:
    """Offer a new project of the officer's to the coordinator; returns its path."""
    address = write(officer, title=title, phase="discovery")
    officer.visit(f"{address}/hand-over")
    page = officer.submit("hand-over", to=user_id(council, "coordinator"), note=note)
    assert "The project has been offered to Cai Coordinator." in page.text
    return address


def owner_name(council: TestNode, address: str) -> str:
    with council.reading() as session:
        project = projects.get_for_update(session, address.rpartition("/")[2])
        return project.owner.name if project.owner else ""


def public_contact(reader: Visitor, address: str) -> tuple[str, str]:
    """The public name and email address of a project's contact."""
    details = reader.client.get(address, headers={"Accept": ACTIVITY_JSON}).get_json()["details"]
    return details["contact_name"], details.get("contact_email", "")


def test_a_person_who_accepts_becomes_the_owner(
    council: TestNode, officer: Visitor, coordinator: Visitor
) -> None:
    address = offer_to_coordinator(council, officer, "For another", "It <needs> a friend")
    assert owner_name(council, address) == "Ola Officer"
    assert (
        "Cai Coordinator has been asked to become the owner, but has not answered yet."
    ) in officer.visit(address).text
    assert officer.form("hand-over/withdraw").action == f"{address}/hand-over/withdraw"
    assert "For another" in coordinator.visit("/desk").text
    assert "It &lt;needs&gt; a friend" in coordinator.text
    assert (
        "You have been asked to become the owner of this project."
        in coordinator.visit(address).text
    )
    coordinator.visit(f"{address}/hand-over")
    assert "Ola Officer has asked you to become the owner of this project." in coordinator.text
    coordinator.submit("accept")
    assert "You are now the owner of this project." in coordinator.text
    assert owner_name(council, address) == "Cai Coordinator"
    assert "For another" not in coordinator.visit("/desk").text
    with council.reading() as session:
        done = session.scalars(
            select(AuditEntry.action).where(AuditEntry.subject.endswith(address))
        )
        assert {"project.offer", "project.hand-over"} <= set(done)


def test_a_person_who_declines_does_not_become_the_owner(
    council: TestNode, officer: Visitor, coordinator: Visitor
) -> None:
    address = offer_to_coordinator(council, officer, "Not for me")
    coordinator.visit(f"{address}/hand-over")
    coordinator.submit("decline")
    assert owner_name(council, address) == "Ola Officer"
    assert "Not for me" not in coordinator.visit("/desk").text
    officer.visit(f"{address}/hand-over")
    assert "We’ll ask the person you choose to accept the project." in officer.text


def test_a_withdrawn_offer_cannot_be_accepted(
    council: TestNode, officer: Visitor, coordinator: Visitor
) -> None:
    address = offer_to_coordinator(council, officer, "Second thoughts")
    coordinator.visit(f"{address}/hand-over")
    accepting = coordinator.form("accept")
    officer.visit(f"{address}/hand-over")
    officer.submit("withdraw")
    late = coordinator.client.post(accepting.action, data=accepting.values)
    assert late.status_code == 404
    assert owner_name(council, address) == "Ola Officer"


def test_an_officer_cannot_accept_for_someone_else_or_offer_their_project(
    council: TestNode, officer: Visitor, operator: Visitor, coordinator: Visitor
) -> None:
    address = offer_to_coordinator(council, officer, "Not yours")
    officer.visit(f"{address}/hand-over")
    token = officer.form("withdraw").values["csrf_token"]
    answer = officer.client.post(f"{address}/hand-over/accept", data={"csrf_token": token})
    assert answer.status_code == 403
    theirs = write(operator, title="Of the operator")
    officer.visit(f"{theirs}/hand-over")
    assert officer.submit("hand-over", to=user_id(council, "coordinator")).status_code == 403
    take_on = officer.client.post(f"{theirs}/take-on", data={"csrf_token": token})
    assert take_on.status_code == 403
    coordinator.visit(f"{theirs}/hand-over")
    page = coordinator.submit("hand-over", to=user_id(council, "officer"))
    assert "The project has been offered to Ola Officer." in page.text


@pytest.mark.parametrize("to", ["", "0", "x", "99999", "9" * 5000])
def test_a_new_owner_must_be_selected(officer: Visitor, to: str) -> None:
    address = write(officer, title="To whom")
    officer.visit(f"{address}/hand-over")
    page = officer.submit("hand-over", to=to, note="Typed already")
    assert page.status_code == 400
    assert page.text.count("Select a new owner") == 2
    assert "Typed already" in page.text


def test_the_contact_changes_with_the_owner(
    council: TestNode, officer: Visitor, coordinator: Visitor, stranger: Visitor
) -> None:
    address = offer_to_coordinator(council, officer, "Ask for Ola")
    with council.work() as work:
        project = projects.get_for_update(work.session, address.rpartition("/")[2])
        details = replace(
            project.details, contact_name="Ola Officer", contact_email="officer@aldermoor.example"
        )
        text = replace(to_input(project), details=details)
        projects.update(work, project, text, project.version)
    assert public_contact(stranger, address) == ("Ola Officer", "officer@aldermoor.example")
    coordinator.visit(f"{address}/hand-over")
    coordinator.submit("accept")
    assert public_contact(stranger, address) == ("Cai Coordinator", "")
    coordinator.visit(f"{address}/edit/people")
    coordinator.submit("/edit/people", use_mine="y", then="save")
    assert public_contact(stranger, address) == ("Cai Coordinator", "coordinator@aldermoor.example")


def test_a_project_whose_owner_has_no_account_needs_a_new_owner(
    council: TestNode, coordinator: Visitor, officer: Visitor
) -> None:
    email = role_email("leaver", "aldermoor")
    with council.work() as work:
        people.create(work, name="Lee Leaver", email=email, password=PASSWORD, role=OFFICER)
    leaver = council.visitor("leaver")
    address = write(leaver, title="Left behind", phase="discovery")
    assert "Left behind" not in coordinator.visit("/desk").text
    with council.work() as work:
        officers.deactivate(work, people.require_by_email(work.session, email))
    page = coordinator.visit("/desk").text
    assert "The previous owner, Lee Leaver, no longer has an account." in page
    assert re.search(r"Left behind", page)
    assert "Left behind" not in officer.visit("/desk").text
    officer.visit(f"{address}/hand-over")
    officer.submit("take-on")
    assert owner_name(council, address) == "Ola Officer"
    assert "Left behind" not in coordinator.visit("/desk").text
