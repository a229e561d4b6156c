"""What strangers make grow together, with as many servers as they like, has an end (must 35)."""

import pytest
from sqlalchemy import select

from node.audit import AuditEntry
from node.conversations import remote_comments
from node.conversations import service as conversations
from node.conversations.models import Comment
from node.federating import retention
from node.federating.inbound import inbox, inbox_processor
from node.federating.models import (
    Block,
    Delivery,
    Follow,
    InboxItem,
    OutboxActivity,
    Reaction,
    RemoteTombstone,
)
from node.federating.sync import actor_blocks, following
from node.moderation import service as moderation
from node.moderation.models import Report
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.talking import note, say
from tests.federation.test_groups import follow_group
from tests.federation.test_main_job import publish
from tests.jobs.pruning import prune
from tests.refusals.test_caps import count, like


def strangers(nodes: Nodes, number: int) -> list[FakeActor]:
    return [FakePeer.join(nodes, f"stranger{one}.test").actor() for one in range(number)]


def project_of(node: TestNode) -> str:
    return f"{node.node.settings.base_url}{publish(node, 'Bins')}"


def test_must_35_whoever_asks_over_and_over_and_takes_no_answer(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender = peer.actor("brackwell")
    peer.response_status = 500
    last = {}
    for _ in range(5):
        last = sender.build_activity("Follow", node.council_uri)
        say(nodes, sender, node, "Follow", node.council_uri, id=last["id"])
    assert count(node, Delivery) == 1
    assert count(node, OutboxActivity, OutboxActivity.audience == "direct") == 1
    assert peer.received_of_type("Accept")[-1]["object"]["id"] == last["id"], "the last is answered"


def test_must_35_servers_that_nobody_allowed(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """In open mode anybody can have any number of names."""
    node = nodes.start("aldermoor", federation="open")
    project = project_of(node)
    monkeypatch.setattr(following, "MAX_FOLLOWS_WITH_UNLISTED", 2)
    monkeypatch.setattr(remote_comments, "MAX_HELD", 2)
    monkeypatch.setattr(actor_blocks, "MAX_BLOCKS", 2)
    monkeypatch.setattr(moderation, "MAX_OPEN_REMOTE", 2)
    monkeypatch.setattr(retention, "MAX_REACTIONS", 2)
    monkeypatch.setattr(retention, "MAX_TOMBSTONES", 2)
    monkeypatch.setattr(retention, "MAX_DIRECT_ACTIVITIES", 0)
    monkeypatch.setattr("node.runtime.AUDIT_QUOTA_TOTAL", 3)
    before = count(node, AuditEntry)
    for one in strangers(nodes, 4):
        say(nodes, one, node, "Follow", node.council_uri)
        say(nodes, one, node, "Create", note(one, project))
        say(nodes, one, node, "Like", project)
        say(nodes, one, node, "Flag", [project], content="Bad")
        say(nodes, one, node, "Delete", one.peer.uri("/never"))
        say(nodes, one, node, "Block", node.council_uri)
    assert count(node, Comment) == 2
    assert count(node, Report) == 2
    assert count(node, Block) == 2
    assert count(node, Reaction) == count(node, RemoteTombstone) == 4
    prune(node)
    assert count(node, Reaction) == count(node, RemoteTombstone) == 2
    assert count(node, AuditEntry) - before <= 3
    for one in strangers(nodes, 4):
        say(nodes, one, node, "Follow", node.council_uri)
    assert count(node, Follow) == 2
    known = FakePeer.join(nodes, "brackwell.test", node).actor()
    say(nodes, known, node, "Follow", node.council_uri)
    assert count(node, Follow) == 3, "there is room for whom the operator allowed"


def test_must_35_large_messages(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are few, and only their ids are kept once they were acted on."""
    node = nodes.start("aldermoor")
    monkeypatch.setattr(inbox_processor, "LARGE_MESSAGE_BYTES", 20_000)
    monkeypatch.setattr(inbox, "MAX_LARGE_MESSAGES_PER_HOST", 2)
    sender, other = (FakePeer.join(nodes, f"{name}.test", node).actor() for name in ("b", "c"))
    large = "x" * 20_000
    bins = f"{node.node.settings.base_url}{publish(node, 'Bins')}"

    def send(one: FakeActor) -> int:
        return one.send(one.build_activity("Like", bins, content=large), node).status_code

    assert [send(sender) for _ in range(3)] == [202, 202, 429]
    assert like(sender, node, bins) == send(other) == 202
    nodes.run_until_idle()
    with node.reading() as session:
        bodies = session.scalars(select(InboxItem.body).order_by(InboxItem.id)).all()
    assert [bool(body) for body in bodies] == [False, False, True, False]


def test_must_35_announcements_of_what_is_changed_over_and_over(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = nodes.start("aldermoor")
    path = publish(node, "Bins")
    project = f"{node.node.settings.base_url}{path}"
    follow_group(nodes, FakePeer.join(nodes, "cragford.test", node).actor(), node, path)
    author = FakePeer.join(nodes, "brackwell.test", node).actor()
    monkeypatch.setattr(conversations, "KEPT_LATEST_ANNOUNCES", 3)
    about = note(author, project)
    say(nodes, author, node, "Create", about)
    for number in range(8):
        say(nodes, author, node, "Update", {**about, "content": f"<p>{number}</p>"})
    announced = OutboxActivity.type == "Announce", OutboxActivity.object_uri == about["id"]
    assert count(node, OutboxActivity, *announced) == conversations.KEPT_FIRST_ANNOUNCES + 3
