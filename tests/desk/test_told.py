"""People hear of reviews that are due, of projects offered to them and of drafts to read."""

from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from tests.desk.test_desk import employ
from tests.desk.test_handover import number_of
from tests.freshness.test_freshness import FALLS_DUE
from tests.freshness.waiting import pass_weeks, write


def notices(lasting_nodes: Nodes, person: Visitor) -> str:
    """What somebody is told by now."""
    lasting_nodes.run_until_idle()
    return person.visit("/notices").text


def test_the_owner_and_then_the_coordinators_hear_of_a_review_that_is_not_done(
    lasting_nodes: Nodes, council: TestNode, coordinator: Visitor
) -> None:
    owner = employ(council, "forgetful")
    address = write(owner, title="Hear of me")
    pass_weeks(council, address, FALLS_DUE)
    assert "Hear of me" not in notices(lasting_nodes, owner)
    pass_weeks(council, address, 1)
    assert "waits for its review" in notices(lasting_nodes, owner)
    assert "1 unread notification" in owner.visit("/desk").text
    assert "Hear of me" not in notices(lasting_nodes, coordinator)
    pass_weeks(council, address, 5)
    assert "Hear of me" in notices(lasting_nodes, coordinator)
    assert "was reminded in vain" in coordinator.text


def test_unread_notifications_are_counted_one_by_one(
    lasting_nodes: Nodes, council: TestNode
) -> None:
    owner = employ(council, "busy")
    for title in ("Counted first", "Counted second"):
        address = write(owner, title=title)
        pass_weeks(council, address, FALLS_DUE)
        pass_weeks(council, address, 1)
    lasting_nodes.run_until_idle()
    section = owner.visit("/desk").text.partition('id="desk-notices"')[2]
    assert "(2)" in section.partition("</h2>")[0]
    assert "2 unread notifications" in section


def test_whoever_is_offered_a_project_hears_and_whoever_offered_it_hears_the_answer(
    lasting_nodes: Nodes, council: TestNode, coordinator: Visitor
) -> None:
    owner = employ(council, "giver")
    address = write(owner, title="Given away")
    owner.visit(f"{address}/hand-over")
    owner.submit("hand-over", to=number_of(council, "coordinator"))
    assert "Giver asks you to look after" in notices(lasting_nodes, coordinator)
    assert f"{address}/hand-over" in coordinator.text or "/notices/" in coordinator.text
    coordinator.visit(f"{address}/hand-over")
    coordinator.submit("decline")
    assert "Cai Coordinator declined to look after" in notices(lasting_nodes, owner)


def test_whoever_is_asked_to_read_a_draft_hears_and_so_does_who_asked(
    lasting_nodes: Nodes, council: TestNode, coordinator: Visitor
) -> None:
    writer = employ(council, "scribe")
    address = write(writer, "save", title="Read me first")
    writer.visit(f"{address}/review")
    writer.submit("review", to="0")
    assert "Scribe asks you to read a draft" in notices(lasting_nodes, coordinator)
    coordinator.visit(f"{address}/review")
    coordinator.submit("return", answer="Shorter")
    assert "with a note" in notices(lasting_nodes, writer)
    assert "Read me first" in writer.text
