"""Who follows whom, and what that sends (musts 6, 7 and 8)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from federation.vocabulary import ActorDocument
from node.audit import AuditEntry
from node.councils import service as councils
from node.database.tables import now
from node.federating.models import Actor, Comparison, Follow, InboxItem
from node.projects import service as projects
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.converging import publish as write
from tests.federation.test_main_job import follow, publish


def followers(node: TestNode) -> int:
    with node.reading() as session:
        ours = Follow.followed.has(Actor.uri == node.council_uri)
        query = select(func.count()).select_from(Follow).where(ours)
        return session.scalar(query) or 0


def follows(nodes: Nodes, sender: FakeActor, node: TestNode, **more: Any) -> dict[str, Any]:
    """A peer's actor follows the node's council."""
    activity = sender.build_activity("Follow", node.council_uri, **more)
    assert sender.send(activity, node).status_code == 202
    nodes.run_until_idle()
    return activity


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "brackwell.test", node)


def test_must_6_a_follow_is_accepted_every_time_and_counts_once(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = peer.actor()
    first = follows(nodes, sender, node)
    (accept,) = peer.received_of_type("Accept")
    assert accept["object"] == {name: value for name, value in first.items() if name != "@context"}
    assert accept["actor"] == node.council_uri
    assert accept["to"] == [sender.uri]
    second = follows(nodes, sender, node)
    assert [item["object"]["id"] for item in peer.received_of_type("Accept")] == [
        first["id"],
        second["id"],
    ]
    assert followers(node) == 1
    assert audited(node, "follow.accept") == 1


def test_must_41_a_follow_that_comes_again_is_answered_by_its_state(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = peer.actor()
    activity = follows(nodes, sender, node)
    for _ in range(2):
        assert sender.send(activity, node).status_code == 202
        nodes.run_until_idle()
    assert [item["object"]["id"] for item in peer.received_of_type("Accept")] == [
        activity["id"]
    ] * 3
    assert followers(node) == 1
    assert audited(node, "follow.accept") == 1
    assert sender.send(sender.build_activity("Undo", activity["id"]), node).status_code == 202
    nodes.run_until_idle()
    assert sender.send(activity, node).status_code == 202
    nodes.run_until_idle()
    assert [item["object"]["id"] for item in peer.received_of_type("Reject")] == [activity["id"]]
    assert followers(node) == 0
    follows(nodes, sender, node)
    assert followers(node) == 1


def test_councils_of_a_server_that_is_allowed_read_at_once_what_is_for_peers(nodes: Nodes) -> None:
    here, there = nodes.start("aldermoor", federation="open"), nodes.start("brackwell")
    there.allow(here)
    write(here, "Among ourselves", visibility="peers")
    follow(nodes, there, here)
    officer = there.visitor("officer")
    assert "Among ourselves" not in officer.visit("/projects").text
    pass_comparisons(there)
    here.allow(there)
    nodes.run_until_idle()
    assert "Among ourselves" in officer.visit("/projects").text


@pytest.mark.parametrize("federation", ["allow-list", "open"])
def test_must_45_a_follow_that_was_refused_is_sent_again_once_the_other_operator_allows_it(
    nodes: Nodes, federation: str
) -> None:
    there, here = nodes.start("aldermoor"), nodes.start("brackwell", federation=federation)
    here.allow(there)
    here.follow(there)
    nodes.run_until_idle()
    councils_page = here.visitor("operator").visit("/councils").text
    assert "Waiting for the other council’s operator" in councils_page
    there.allow(here)
    nodes.run_until_idle()
    assert followers(there) == 1
    assert "Waiting" not in here.visitor("operator").visit("/councils").text


def test_who_was_not_refused_is_not_written_to_when_the_operator_allows_it(nodes: Nodes) -> None:
    there, here = nodes.start("aldermoor"), nodes.start("brackwell", federation="open")
    there.allow(here)
    nodes.run_until_idle()
    with here.reading() as session:
        assert session.scalars(select(InboxItem)).all() == []


def pass_comparisons(node: TestNode) -> None:
    """It compared an hour ago, and will again in hours."""
    with node.work() as work:
        for row in work.session.scalars(select(Comparison)):
            row.compared_at, row.due_at = now() - timedelta(hours=1), now() + timedelta(hours=5)


def test_an_answer_to_a_follow_repeats_none_of_what_else_came_with_it(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = peer.actor()
    council = {"id": node.council_uri, "type": "Organization", "summary": "b" * 1000}
    activity = sender.build_activity(
        "Follow", council, summary="a" * 1000, actor={"id": sender.uri}
    )
    assert sender.send(activity, node).status_code == 202
    nodes.run_until_idle()
    (accept,) = peer.received_of_type("Accept")
    assert accept["object"] == {
        "id": activity["id"],
        "type": "Follow",
        "actor": sender.uri,
        "object": node.council_uri,
    }


def test_an_answer_that_comes_again_changes_nothing(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = peer.actor()
    document = peer.documents[sender.uri.removeprefix(f"https://{peer.host}")][1]
    for asked in (1, 2):
        with node.work() as work:
            asking = councils.follow(work, ActorDocument.parse(document)).uri
        for _ in range(3):
            assert sender.send(sender.build_activity("Accept", asking), node).status_code == 202
            nodes.run_until_idle()
        assert audited(node, "follow.accepted") == asked


def audited(node: TestNode, action: str) -> int:
    with node.reading() as session:
        query = select(func.count()).where(AuditEntry.action == action)
        return session.scalar(query) or 0


def test_a_follow_of_nobody_is_not_answered(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    sender = peer.actor()
    activity = sender.build_activity("Follow", f"{node.council_uri}-nobody")
    assert sender.send(activity, node).status_code == 202
    nodes.run_until_idle()
    assert peer.received == []


@pytest.mark.parametrize("form", ["embedded", "embedded under another id", "bare id"])
def test_must_7_undo_ends_a_follow(form: str, nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    sender = peer.actor()
    activity = follows(nodes, sender, node)
    undone = {
        "embedded": activity,
        "embedded under another id": activity | {"id": peer.new_id()},
        "bare id": activity["id"],
    }[form]
    neighbour = peer.actor()
    for other in (neighbour, sender):
        assert followers(node) == 1
        assert other.send(other.build_activity("Undo", undone), node).status_code == 202
        nodes.run_until_idle()
    assert followers(node) == 0
    publish(node, "Bins")
    nodes.run_until_idle()
    assert peer.received_of_type("Create") == []


def test_must_7_an_undo_that_was_overtaken_ends_no_later_follow(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = peer.actor()
    first, second = follows(nodes, sender, node), follows(nodes, sender, node)
    for old in (first, first["id"]):
        assert sender.send(sender.build_activity("Undo", old), node).status_code == 202
        nodes.run_until_idle()
        assert followers(node) == 1
    assert sender.send(sender.build_activity("Undo", second), node).status_code == 202
    nodes.run_until_idle()
    assert followers(node) == 0


def test_must_8_a_shared_inbox_gets_an_activity_once(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    for _ in range(3):
        follows(nodes, peer.actor(), node)
    other = FakePeer.join(nodes, "cragford.test", node)
    lonely = other.actor(endpoints=None)
    follows(nodes, lonely, node)
    publish(node, "Bins")
    nodes.run_until_idle()
    for host in (peer, other):
        assert [item["object"]["name"] for item in host.received_of_type("Create")] == ["Bins"]
    headers, _ = next(item for item in peer.received if item[1]["type"] == "Create")
    assert 'headers="(request-target) host date digest' in (headers.get("signature") or "")
    assert headers.get("content-type") == "application/activity+json"


def test_must_31_all_who_got_a_project_hear_that_it_is_deleted(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    """Also those who have stopped following meanwhile."""
    sender = peer.actor()
    activity = follows(nodes, sender, node)
    address = publish(node, "Bins")
    nodes.run_until_idle()
    sender.send(sender.build_activity("Undo", activity["id"]), node)
    writer = node.visitor("officer")
    writer.visit(f"{address}/delete")
    writer.submit("delete")
    nodes.run_until_idle()
    (deleted,) = peer.received_of_type("Delete")
    assert deleted["object"]["id"] == peer.received_of_type("Create")[0]["object"]["id"]
    assert deleted["object"]["type"] == "Tombstone"


def test_unfollowing_stops_what_arrives(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    publish(here, "Bins")
    nodes.run_until_idle()
    assert "Bins" in there.visitor().visit("/projects").text
    officer = there.visitor("officer")
    officer.visit("/councils")
    officer.submit("/end")
    nodes.run_until_idle()
    assert followers(here) == 0
    publish(here, "Potholes")
    nodes.run_until_idle()
    page = there.visitor().visit("/projects").text
    assert "Potholes" not in page
    assert "Bins" not in page, "nobody keeps it up to date any more"


def test_what_comes_uninvited_is_not_shown(nodes: Nodes) -> None:
    """A council is shown because ours follows it, not because it sends."""
    here, there = nodes.pair()
    with there.work() as work:
        page = projects.list_page(work.session, projects.ProjectFilter())
    follow(nodes, here, there)
    publish(here, "Bins")
    nodes.run_until_idle()
    assert page.total == 0
    assert "Bins" not in there.visitor().visit("/projects").text
