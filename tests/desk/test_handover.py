"""A project is offered to somebody, who accepts or declines; its page names its new owner."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from node.audit import AuditEntry
from node.officers import service as officers
from node.people import service as people
from node.people.permissions import OFFICER
from node.projects import service as projects
from node.projects.validation import to_input
from node.testing.fake_peer import AS2
from node.testing.nodes import PASSWORD, TestNode, role_email
from node.testing.visitor import Visitor
from tests.freshness.waiting import write


def number_of(council: TestNode, role: str) -> str:
    with council.reading() as session:
        return str(people.require_by_email(session, role_email(role, "aldermoor")).id)


def offered(council: TestNode, officer: Visitor, title: str, note: str = "") -> str:
    """A project of the officer that is offered to the coordinator."""
    address = write(officer, title=title, phase="discovery")
    officer.visit(f"{address}/hand-over")
    page = officer.submit("hand-over", to=number_of(council, "coordinator"), note=note)
    assert "The project has been offered to Cai Coordinator." in page.text
    return address


def owner(council: TestNode, address: str) -> str:
    with council.reading() as session:
        project = projects.get_for_update(session, address.rpartition("/")[2])
        return project.owner.name if project.owner else ""


def contact(reader: Visitor, address: str) -> tuple[str, str]:
    """Whom a project names as its contact, to everybody."""
    said = reader.client.get(address, headers={"Accept": AS2}).get_json()["details"]
    return said["contact_name"], said.get("contact_email", "")


def test_whoever_accepts_looks_after_it(
    council: TestNode, officer: Visitor, coordinator: Visitor
) -> None:
    address = offered(council, officer, "For another", "It <needs> a friend")
    assert owner(council, address) == "Ola Officer"
    assert (
        "Offered to Cai Coordinator, who has not responded with status yet."
        in officer.visit(address).text
    )
    assert officer.form("hand-over/withdraw").action == f"{address}/hand-over/withdraw"
    assert "For another" in coordinator.visit("/desk").text
    assert "It &lt;needs&gt; a friend" in coordinator.text
    assert "You have been offered this project." in coordinator.visit(address).text
    coordinator.visit(f"{address}/hand-over")
    assert "Ola Officer has offered you this project." in coordinator.text
    coordinator.submit("accept")
    assert "You are now the owner of this project." in coordinator.text
    assert owner(council, address) == "Cai Coordinator"
    assert "For another" not in coordinator.visit("/desk").text
    with council.reading() as session:
        done = session.scalars(
            select(AuditEntry.action).where(AuditEntry.subject.endswith(address))
        )
        assert {"project.offer", "project.hand-over"} <= set(done)


def test_whoever_declines_does_not(
    council: TestNode, officer: Visitor, coordinator: Visitor
) -> None:
    address = offered(council, officer, "Not for me")
    coordinator.visit(f"{address}/hand-over")
    coordinator.submit("decline")
    assert owner(council, address) == "Ola Officer"
    assert "Not for me" not in coordinator.visit("/desk").text
    officer.visit(f"{address}/hand-over")
    assert "Whoever you choose is asked." in officer.text


def test_an_offer_can_be_taken_back_and_is_answered_once(
    council: TestNode, officer: Visitor, coordinator: Visitor
) -> None:
    address = offered(council, officer, "Second thoughts")
    coordinator.visit(f"{address}/hand-over")
    accepting = coordinator.form("accept")
    officer.visit(f"{address}/hand-over")
    officer.submit("withdraw")
    late = coordinator.client.post(accepting.action, data=accepting.values)
    assert late.status_code == 404
    assert owner(council, address) == "Ola Officer"


def test_nobody_answers_for_another_or_gives_away_what_is_not_theirs(
    council: TestNode, officer: Visitor, operator: Visitor, coordinator: Visitor
) -> None:
    address = offered(council, officer, "Not yours")
    officer.visit(f"{address}/hand-over")
    token = officer.form("withdraw").values["csrf_token"]
    answer = officer.client.post(f"{address}/hand-over/accept", data={"csrf_token": token})
    assert answer.status_code == 403
    theirs = write(operator, title="Of the operator")
    officer.visit(f"{theirs}/hand-over")
    assert officer.submit("hand-over", to=number_of(council, "coordinator")).status_code == 403
    taken = officer.client.post(f"{theirs}/take-on", data={"csrf_token": token})
    assert taken.status_code == 403
    coordinator.visit(f"{theirs}/hand-over")
    assert "is offered to" in coordinator.submit("hand-over", to=number_of(council, "officer")).text


@pytest.mark.parametrize("to", ["", "0", "x", "99999", "9" * 5000])
def test_nobody_is_no_choice(officer: Visitor, to: str) -> None:
    address = write(officer, title="To whom")
    officer.visit(f"{address}/hand-over")
    page = officer.submit("hand-over", to=to, note="Typed already")
    assert page.status_code == 400
    assert page.text.count("Select a new owner") == 2
    assert "Typed already" in page.text


def test_the_contact_on_the_page_follows_whoever_looks_after_it(
    council: TestNode, officer: Visitor, coordinator: Visitor, stranger: Visitor
) -> None:
    address = offered(council, officer, "Ask for Ola")
    with council.work() as work:
        project = projects.get_for_update(work.session, address.rpartition("/")[2])
        said = replace(
            project.details, contact_name="Ola Officer", contact_email="officer@aldermoor.example"
        )
        text = replace(to_input(project), details=said)
        projects.update(work, project, text, project.version)
    assert contact(stranger, address) == ("Ola Officer", "officer@aldermoor.example")
    coordinator.visit(f"{address}/hand-over")
    coordinator.submit("accept")
    assert contact(stranger, address) == ("Cai Coordinator", "")
    coordinator.visit(f"{address}/edit/people")
    coordinator.submit("/edit/people", use_mine="y", then="save")
    assert contact(stranger, address) == ("Cai Coordinator", "coordinator@aldermoor.example")


def test_a_project_of_an_ended_account_waits_for_an_owner(
    council: TestNode, coordinator: Visitor, officer: Visitor
) -> None:
    who = role_email("leaver", "aldermoor")
    with council.work() as work:
        people.create(work, name="Lee Leaver", email=who, password=PASSWORD, role=OFFICER)
    leaver = council.visitor("leaver")
    address = write(leaver, title="Left behind", phase="discovery")
    assert "Left behind" not in coordinator.visit("/desk").text
    with council.work() as work:
        officers.deactivate(work, people.require_by_email(work.session, who))
    page = coordinator.visit("/desk").text
    assert "The previous owner, Lee Leaver, no longer has an account." in page
    assert re.search(r"Left behind", page)
    assert "Left behind" not in officer.visit("/desk").text
    officer.visit(f"{address}/hand-over")
    officer.submit("take-on")
    assert owner(council, address) == "Ola Officer"
    assert "Left behind" not in coordinator.visit("/desk").text
