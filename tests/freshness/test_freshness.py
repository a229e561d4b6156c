"""Whether a project can be relied on: it falls due, is out of date, goes to the archive, and is
brought back.
"""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from node.audit import AuditEntry
from node.database.tables import now
from node.federating.models import Comparison, OutboxActivity, Peer
from node.freshness import service as freshness
from node.projects import review_dates
from node.projects.models import Project
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from tests.federation.talking import copy_of
from tests.federation.test_main_job import follow
from tests.freshness.waiting import pass_weeks, write

FALLS_DUE = 9  # weeks, in alpha


def audit_actions(node: TestNode, address: str, *actions: str) -> list[str]:
    """Return those of these actions that were done to a project, in order."""
    with node.reading() as session:
        query = select(AuditEntry.action).where(AuditEntry.subject.endswith(address))
        done = session.scalars(query.order_by(AuditEntry.id)).all()
        return [action for action in done if action in actions]


def date_text(weeks: int) -> str:
    """Return the day so many weeks from today, as pages show it."""
    when = review_dates.today() + timedelta(weeks=weeks)
    return f"{when.day} {when:%B %Y}"


def test_a_published_project_is_up_to_date_and_shows_its_next_review(
    officer: Visitor, stranger: Visitor
) -> None:
    page = stranger.visit(write(officer, title="New and true")).text
    assert "Up to date" in page
    assert f"The next review is on {date_text(FALLS_DUE)}." in page
    assert "Confirm it’s up to date" not in page
    assert "Up to date" in stranger.visit("/projects").text


def test_drafts_and_retired_projects_need_no_review(
    council: TestNode, officer: Visitor, stranger: Visitor
) -> None:
    assert "Is this up to date?" not in officer.visit(write(officer, "save")).text
    retired = write(officer, phase="retired")
    pass_weeks(council, retired, 40)
    assert "Is this up to date?" not in stranger.visit(retired).text


def test_everyone_sees_an_overdue_review(
    council: TestNode, officer: Visitor, stranger: Visitor
) -> None:
    address = write(officer, title="Added and forgotten")
    pass_weeks(council, address, FALLS_DUE + 1)
    page = stranger.visit(address).text
    assert "Review due" in page
    assert f"Review was due on {date_text(-1)}." in page
    assert "No update for 10 weeks." in page
    pass_weeks(council, address, 3)
    assert "Out of date" in stranger.visit(address).text
    assert f"Review was due on {date_text(-4)}." in stranger.visit("/projects").text


def test_the_owner_is_reminded_three_times_and_then_coordinators_are_notified(
    council: TestNode, officer: Visitor
) -> None:
    address = write(officer, title="Not looked at")
    steps = "project.nudge", "project.escalate", "project.archive"
    reminders = []
    for week in range(FALLS_DUE + 27):
        before = len(audit_actions(council, address, *steps))
        pass_weeks(council, address, 1)
        freshness.process_due_projects(council.node)  # once more, which changes nothing
        reminders += [
            (week + 1 - FALLS_DUE, one) for one in audit_actions(council, address, *steps)[before:]
        ]
    assert reminders == [
        (1, "project.nudge"),
        (2, "project.nudge"),
        (4, "project.nudge"),
        (6, "project.escalate"),
        (26, "project.archive"),
    ]


@pytest.mark.parametrize("action", ["button", "edit", "update"])
def test_confirming_editing_or_updating_makes_a_project_up_to_date(
    council: TestNode, officer: Visitor, stranger: Visitor, action: str
) -> None:
    address = write(officer, title=f"Looked at by {action}")
    pass_weeks(council, address, FALLS_DUE + 5)
    assert "Out of date" in stranger.visit(address).text
    officer.visit(address)
    if action == "button":
        officer.submit("confirm")
        assert f"Thank you. The next review is on {date_text(FALLS_DUE)}." in officer.text
    elif action == "edit":
        officer.visit(f"{address}/edit")
        officer.submit("edit", summary="Said anew")
    else:
        officer.visit(f"{address}/updates/new")
        officer.submit("updates/new", changed="Something")
    page = stranger.visit(address).text
    assert "Out of date" not in page
    assert "Up to date" in page


def test_an_archived_project_leaves_the_lists_stays_readable_and_can_be_restored(
    council: TestNode, officer: Visitor, stranger: Visitor
) -> None:
    address = write(officer, title="Long forgotten")
    pass_weeks(council, address, FALLS_DUE + 26)
    for list_of_all in ("/", "/projects", "/councils/aldermoor"):
        assert "Long forgotten" not in stranger.visit(list_of_all).text, list_of_all
    assert "Long forgotten" in stranger.visit("/projects?show=archived").text
    page = stranger.visit(address)
    assert page.status_code == 200
    assert f"Archived on {date_text(0)}." in page.text
    assert "Restore from archive" not in page.text
    officer.visit(address)
    assert "Restore from archive" in officer.text
    officer.submit("confirm")
    assert "The project has been restored from the archive." in officer.text
    assert "Long forgotten" in stranger.visit("/projects").text
    assert "Long forgotten" not in stranger.visit("/projects?show=archived").text


def test_a_server_that_was_off_for_a_year_escalates_before_it_archives(
    council: TestNode, officer: Visitor
) -> None:
    address = write(officer, title="Asleep")
    with council.work() as work:
        project = work.session.scalars(
            select(Project).where(Project.token == address.rpartition("/")[2])
        ).one()
        project.review_on = review_dates.today() - timedelta(weeks=52)
    freshness.process_due_projects(council.node)
    assert "Out of date" in officer.visit(address).text
    steps = "project.nudge", "project.escalate", "project.archive"
    assert audit_actions(council, address, *steps) == ["project.escalate"]


def test_projects_from_before_reviews_get_a_date(council: TestNode, officer: Visitor) -> None:
    address = write(officer, title="From before")
    with council.work() as work:
        project = work.session.scalars(
            select(Project).where(Project.token == address.rpartition("/")[2])
        ).one()
        project.review_on = project.confirmed_on = None
        project.freshness = type(project.freshness).unsaid
    assert "Is this up to date?" not in officer.visit(address).text
    freshness.process_due_projects(council.node)
    assert "Up to date" in officer.visit(address).text


def test_another_council_shows_the_freshness_it_received_and_reminds_no_one(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follower, officer = there.visitor("officer"), here.visitor("officer")
    follower.visit("/councils/follow")
    follower.submit("follow", address=here.address)
    nodes.run_until_idle()
    address = write(officer, title="Known elsewhere")
    nodes.run_until_idle()

    def theirs() -> str:
        with there.reading() as session:
            project = session.scalars(select(Project)).one()
            return there.visitor().visit(f"/projects/{project.token}").text

    assert "Up to date" in theirs()
    pass_weeks(here, address, FALLS_DUE + 5)
    nodes.run_until_idle()
    assert "Out of date" in theirs()
    # The date sent when the project became out of date, four weeks after the review was due.
    assert f"Review was due on {date_text(-4)}." in theirs()
    freshness.process_due_projects(there.node)
    with there.reading() as session:
        assert "project.nudge" not in set(session.scalars(select(AuditEntry.action)))
    pass_weeks(here, address, 21)
    nodes.run_until_idle()
    assert "Known elsewhere" not in there.visitor().visit("/projects").text
    assert "Archived on" in theirs()
    officer.visit(address)
    officer.submit("confirm")
    nodes.run_until_idle()
    assert "Up to date" in theirs()
    assert "Confirm it’s up to date" not in follower.visit("/projects").text


def test_lists_warn_of_a_server_without_contact_for_long(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follower = there.visitor("officer")
    follower.visit("/councils/follow")
    follower.submit("follow", address=here.address)
    nodes.run_until_idle()
    write(here.visitor("officer"), title="Who knows")
    nodes.run_until_idle()
    assert "There has been no contact with" not in there.visitor().visit("/projects").text
    long_ago = now() - timedelta(days=40)
    with there.work() as work:
        for peer in work.session.scalars(select(Peer)):
            peer.heard_at = long_ago
        for row in work.session.scalars(select(Comparison)):
            row.agreed_at = long_ago
    page = there.visitor().visit("/projects").text
    assert f"There has been no contact with aldermoor.test since {long_ago.day}" in page


def test_the_owner_chooses_the_review_date_and_updates_leave_it(
    council: TestNode, officer: Visitor, stranger: Visitor
) -> None:
    address = write(officer, title="Looked at in summer")

    def choose(day: date | None) -> TestResponse:
        officer.visit(f"{address}/review-date")
        parts = (day.day, day.month, day.year) if day else ("", "", "")
        boxes = zip(("day-day", "day-month", "day-year"), parts, strict=True)
        return officer.submit("review-date", **{name: str(part) for name, part in boxes})

    for day, why in ((review_dates.today(), "in the future"), (date(2999, 1, 1), "within a year")):
        answer = choose(day)
        assert (answer.status_code, why in answer.text) == (400, True)
    choose(review_dates.today() + timedelta(weeks=30))
    assert f"The next review is on {date_text(30)}." in stranger.visit(address).text
    officer.visit(f"{address}/updates/new")
    officer.submit("updates/new", changed="It goes well.")
    assert f"The next review is on {date_text(30)}." in stranger.visit(address).text
    choose(None)
    assert f"The next review is on {date_text(FALLS_DUE)}." in stranger.visit(address).text
    choose(review_dates.today() + timedelta(weeks=2))
    pass_weeks(council, address, 2)
    assert "Review due" in stranger.visit(address).text
    assert "Choose a review date" in officer.visit("/desk").text


def test_an_update_sends_the_next_review_to_other_councils(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    officer = here.visitor("officer")
    address = write(officer, title="Bins in one step")
    nodes.run_until_idle()
    for node in (here, there):
        with node.work() as work:
            project = work.session.scalars(select(Project)).one()
            project.review_on, project.confirmed_on = date(2026, 1, 2), date(2025, 11, 7)
    officer.visit(f"{address}/updates/new")
    officer.submit("updates/new", changed="It goes well.")
    nodes.run_until_idle()
    page = there.visitor().visit(copy_of(there, "Bins in one step")).text
    assert f"The next review is on {date_text(FALLS_DUE)}." in page
    with here.reading() as session:
        sent = session.scalars(select(OutboxActivity.type)).all()
    assert sorted(sent) == ["Accept", "Create", "Create"], "nothing but the update"
