"""The desk lists what needs the user's attention, each item with its next step."""

import re

from node.access.permissions import OFFICER
from node.people import service as people
from node.testing.fake_peer import FakePeer
from node.testing.nodes import PASSWORD, Nodes, TestNode, role_email
from node.testing.visitor import Visitor
from tests.federation.talking import note, say
from tests.freshness.test_freshness import FALLS_DUE
from tests.freshness.waiting import pass_weeks, write


def create_officer(council: TestNode, name: str) -> Visitor:
    """A new officer with an empty desk."""
    with council.work() as work:
        people.create(
            work,
            name=name.title(),
            email=role_email(name, "aldermoor"),
            password=PASSWORD,
            role=OFFICER,
        )
    return council.visitor(name)


def test_an_empty_desk_says_that_nothing_needs_attention(council: TestNode) -> None:
    newcomer = create_officer(council, "newcomer")
    page = newcomer.visit("/desk").text
    assert "Nothing needs your attention" in page
    assert "All the projects you own are up to date." in page
    assert "nothing needs your attention" in newcomer.visit("/").text


def test_a_visitor_who_is_not_signed_in_has_no_desk(stranger: Visitor) -> None:
    page = stranger.visit("/desk")
    assert "/sign-in" in page.request.path
    assert "Your desk" not in stranger.visit("/").text


def test_an_overdue_project_is_confirmed_from_the_desk(council: TestNode) -> None:
    officer = create_officer(council, "lateness")
    address = write(officer, title="Mine and late")
    assert "Mine and late" not in officer.visit("/desk").text
    pass_weeks(council, address, FALLS_DUE)
    assert "1 thing needs your attention" in officer.visit("/").text
    page = officer.visit("/desk").text
    assert "Mine and late" in page
    assert 'href="/projects?freshness=due&amp;freshness=stale&amp;origin=ours"' in page
    officer.submit(f"{address}/confirm")
    assert officer.page.request.path == "/desk"
    assert "Nothing needs your attention" in officer.text


def test_a_draft_is_published_from_the_desk(council: TestNode) -> None:
    officer = create_officer(council, "drafter")
    write(officer, "save", title="Half done")
    assert "Half done" in officer.visit("/desk").text
    officer.submit("publish")
    assert "Half done" not in officer.visit("/desk").text


def test_an_archived_project_is_restored_from_the_desk(council: TestNode) -> None:
    officer = create_officer(council, "archivist")
    address = write(officer, title="Put away")
    pass_weeks(council, address, FALLS_DUE + 26)
    assert "Restore from archive" in officer.visit("/desk").text
    officer.submit(f"{address}/confirm")
    assert "Nothing needs your attention" in officer.text


def test_a_coordinator_sees_overdue_reviews_without_a_reply(
    council: TestNode, coordinator: Visitor, officer: Visitor
) -> None:
    address = write(officer, title="Owner does not reply", phase="discovery")
    pass_weeks(council, address, FALLS_DUE + 5)
    assert "Owner does not reply" not in coordinator.visit("/desk").text
    pass_weeks(council, address, 1)
    page = coordinator.visit("/desk").text
    assert "Overdue reviews: no reply from owner" in page
    assert "Owner does not reply" in page
    assert "Owner: Ola Officer." in page
    assert 'href="/projects?freshness=stale&amp;origin=ours"' in page
    assert "Overdue reviews: no reply from owner" not in officer.visit("/desk").text


def test_projects_past_discovery_with_no_user_needs_are_listed(
    coordinator: Visitor, officer: Visitor
) -> None:
    write(officer, title="Needs unknown", phase="beta")
    write(officer, title="Not yet known", phase="discovery")
    page = coordinator.visit("/desk").text
    assert "Projects with no user needs" in page
    assert "Needs unknown" in page
    assert "Not yet known" not in page


def test_a_comment_is_listed_until_someone_replies(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    officer = here.visitor("officer")
    address = write(officer, title="Ask me")
    peer = FakePeer.join(nodes, "brackwell.test", here)
    author, ours = peer.actor("carol", type="Person"), f"https://aldermoor.test{address}"
    say(nodes, author, here, "Create", note(author, ours, "<p>May we <b>join</b>?</p>"))
    page = officer.visit("/desk").text
    assert "Comments waiting for a reply" in page
    assert "May we join?" in page
    path = re.search(r"/comments/[\w-]+", page)
    assert path is not None
    officer.visit(f"{path[0]}/answer")
    officer.submit("comments", source="Of course")
    assert "May we join?" not in officer.visit("/desk").text


def test_out_of_date_projects_at_other_councils_are_on_the_coordinators_desk(nodes: Nodes) -> None:
    here, there = nodes.pair()
    coordinator = there.visitor("operator")
    coordinator.visit("/councils/follow")
    coordinator.submit("follow", address=here.address)
    nodes.run_until_idle()
    address = write(here.visitor("officer"), title="Theirs and stale")
    nodes.run_until_idle()
    assert "Theirs and stale" not in coordinator.visit("/desk").text
    pass_weeks(here, address, FALLS_DUE + 4)
    nodes.run_until_idle()
    page = coordinator.visit("/desk").text
    assert "Out-of-date projects at other councils" in page
    assert 'href="/projects?freshness=stale&amp;origin=others"' in page
    assert "Theirs and stale" in page
    assert "Theirs and stale" not in there.visitor("officer").visit("/desk").text
