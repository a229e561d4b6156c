"""Messages that refer to nothing on this server: only their ids are kept."""

import pytest
from sqlalchemy import select

from node.conversations.models import Comment
from node.federating.models import InboxItem, Reaction
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.test_main_job import publish
from tests.refusals.test_caps import count

ELSEWHERE = "https://elsewhere.test/notes/1"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def sender(nodes: Nodes, node: TestNode) -> FakeActor:
    return FakePeer.join(nodes, "brackwell.test", node).actor()


def note(sender: FakeActor, about: str | None, *more: str) -> dict[str, object]:
    return {
        "id": sender.peer.new_id("notes"),
        "type": "Note",
        "attributedTo": sender.uri,
        "inReplyTo": about,
        "content": "<p>So do we.</p>",
        "to": [PUBLIC, *more],
    }


def kept(node: TestNode, uri: str) -> tuple[str, bool]:
    """The state of a message, and whether what it said is still there."""
    with node.reading() as session:
        item = session.scalars(select(InboxItem).where(InboxItem.uri == uri)).one()
        return item.state, bool(item.body)


def send(node: TestNode, sender: FakeActor, kind: str, about: object) -> str:
    """Send an activity; its id."""
    activity = sender.build_activity(kind, about, to=[PUBLIC])
    assert sender.send(activity, node).status_code == 202
    return str(activity["id"])


def test_an_irrelevant_message_is_kept_as_an_id_and_ignored(
    nodes: Nodes, node: TestNode, sender: FakeActor
) -> None:
    irrelevant = [
        send(node, sender, "Like", ELSEWHERE),
        send(node, sender, "Announce", ELSEWHERE),
        send(node, sender, "Create", note(sender, ELSEWHERE)),
        send(node, sender, "Create", note(sender, None)),
    ]
    assert [kept(node, uri) for uri in irrelevant] == [("ignored", False)] * len(irrelevant)
    nodes.run_until_idle()
    assert count(node, Comment) == count(node, Reaction) == 0


def test_a_message_that_may_be_relevant_waits(
    nodes: Nodes, node: TestNode, sender: FakeActor
) -> None:
    base = node.node.settings.base_url
    bins = f"{base}{publish(node, 'Bins')}"
    parent = note(sender, bins)
    waiting = [
        send(node, sender, "Create", parent),
        # A reply to a message that is still waiting.
        send(node, sender, "Create", note(sender, str(parent["id"]))),
        send(node, sender, "Like", parent["id"]),
        # Addressed to an actor of this server.
        send(node, sender, "Create", note(sender, None, f"{base}/councils/aldermoor")),
        send(node, sender, "Delete", ELSEWHERE.replace("elsewhere", "brackwell")),
        # An update of a project names the project in a property of ours.
        send(node, sender, "Create", {**note(sender, None), "project": ELSEWHERE}),
    ]
    assert {kept(node, uri) for uri in waiting} == {("new", True)}
    nodes.run_until_idle()
    assert count(node, Comment) == 2
    assert count(node, Reaction) == 1


def test_an_update_of_a_known_comment_is_relevant_whatever_it_replies_to_now(
    nodes: Nodes, node: TestNode, sender: FakeActor
) -> None:
    about = note(sender, f"{node.node.settings.base_url}{publish(node, 'Bins')}")
    send(node, sender, "Create", about)
    nodes.run_until_idle()
    changed = about | {"inReplyTo": ELSEWHERE, "content": "<p>Not so.</p>"}
    send(node, sender, "Update", changed)
    nodes.run_until_idle()
    with node.reading() as session:
        assert session.scalars(select(Comment.content)).one() == "<p>Not so.</p>"
