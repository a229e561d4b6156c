"""Notifications of reviews that are due, projects that are offered and drafts to review."""

from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from tests.desk.test_desk import create_officer
from tests.desk.test_handover import user_id
from tests.freshness.test_freshness import FALLS_DUE
from tests.freshness.waiting import pass_weeks, write


def notifications_page(lasting_nodes: Nodes, person: Visitor) -> str:
    """The person's notifications page, after all jobs have run."""
    lasting_nodes.run_until_idle()
    return person.visit("/notices").text


def test_the_owner_and_then_the_coordinators_are_notified_of_an_overdue_review(
    lasting_nodes: Nodes, council: TestNode, coordinator: Visitor
) -> None:
    owner = create_officer(council, "forgetful")
    address = write(owner, title="Overdue review")
    pass_weeks(council, address, FALLS_DUE)
    assert "Overdue review" not in notifications_page(lasting_nodes, owner)
    pass_weeks(council, address, 1)
    assert "is due for review: confirm it’s up to date, or write an update" in notifications_page(
        lasting_nodes, owner
    )
    assert "1 unread notification" in owner.visit("/desk").text
    assert "Overdue review" not in notifications_page(lasting_nodes, coordinator)
    pass_weeks(council, address, 5)
    assert "Overdue review" in notifications_page(lasting_nodes, coordinator)
    assert "is out of date: its owner has not responded to reminders" in coordinator.text


def test_unread_notifications_are_counted_one_by_one(
    lasting_nodes: Nodes, council: TestNode
) -> None:
    owner = create_officer(council, "busy")
    for title in ("Counted first", "Counted second"):
        address = write(owner, title=title)
        pass_weeks(council, address, FALLS_DUE)
        pass_weeks(council, address, 1)
    lasting_nodes.run_until_idle()
    section = owner.visit("/desk").text.partition('id="desk-notices"')[2]
    assert "(2)" in section.partition("</h2>")[0]
    assert "2 unread notifications" in section


def test_an_offer_and_its_answer_are_notified(
    lasting_nodes: Nodes, council: TestNode, coordinator: Visitor
) -> None:
    owner = create_officer(council, "giver")
    address = write(owner, title="Given away")
    owner.visit(f"{address}/hand-over")
    owner.submit("hand-over", to=user_id(council, "coordinator"))
    assert "Giver asked you to become the owner of" in notifications_page(
        lasting_nodes, coordinator
    )
    assert f"{address}/hand-over" in coordinator.text or "/notices/" in coordinator.text
    coordinator.visit(f"{address}/hand-over")
    coordinator.submit("decline")
    assert "Cai Coordinator declined to become the owner of" in notifications_page(
        lasting_nodes, owner
    )


def test_a_draft_review_and_its_result_are_notified(
    lasting_nodes: Nodes, council: TestNode, coordinator: Visitor
) -> None:
    writer = create_officer(council, "scribe")
    address = write(writer, "save", title="Read me first")
    writer.visit(f"{address}/review")
    writer.submit("review", to="0")
    assert "Scribe asked you to review a draft" in notifications_page(lasting_nodes, coordinator)
    coordinator.visit(f"{address}/review")
    coordinator.submit("return", answer="Shorter")
    assert "back with a note" in notifications_page(lasting_nodes, writer)
    assert "Read me first" in writer.text
