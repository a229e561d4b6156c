"""Blocks: of a whole server by the operator, of an actor by the council, and of ours by others."""

import html

import pytest
from sqlalchemy import ColumnElement, func, select

from federation.errors import RefusalReason
from node.councils import service as councils
from node.errors import ConflictError, InvalidInputError
from node.federating.models import Actor, Block, Follow, InboxItem, RefusalCount
from node.federating.peers import fetching, refusals
from node.federating.peers import service as peers
from node.federating.sync import actor_blocks
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.test_following import follows
from tests.federation.test_main_job import follow, publish
from tests.federation.test_peers import decide


def refused(node: TestNode, reason: RefusalReason) -> int:
    refusals.flush(node.node)
    with node.reading() as session:
        query = select(func.sum(RefusalCount.count)).where(RefusalCount.reason == reason.value)
        return session.scalar(query) or 0


def block(node: TestNode, sender: FakeActor) -> None:
    with node.work() as work:
        own = councils.require_own(work.session).actor
        actor_blocks.block(work, own, fetching.fetch_actor(node.node, sender.uri))


def unblock(node: TestNode) -> None:
    with node.work() as work:
        for row in actor_blocks.list_by_us(work.session):
            actor_blocks.unblock(work, row)


def following(node: TestNode) -> int:
    return count(node, Follow.follower.has(Actor.uri == node.council_uri))


def followers(node: TestNode) -> int:
    return count(node, Follow.followed.has(Actor.uri == node.council_uri))


def count(node: TestNode, among: ColumnElement[bool]) -> int:
    with node.reading() as session:
        return session.scalar(select(func.count()).select_from(Follow).where(among)) or 0


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.mark.parametrize(
    "blocked, host",
    [
        ("example.org", "example.org"),
        ("example.org", "deep.in.example.org"),
        ("example.org", "example.org:8443"),
        ("example.org", "in.example.org:8443"),
        ("in.example.org", "in.example.org"),
    ],
)
def test_must_30_a_block_covers_what_is_below(blocked: str, host: str, node: TestNode) -> None:
    decide(node, host, peers.ALLOWED)
    decide(node, blocked, peers.BLOCKED)
    with node.reading() as session:
        assert not peers.is_allowed(session, node.node.settings, host)
        assert peers.allowed_among(session, node.node.settings, {host}) == set()
        assert peers.explicitly_allowed_among(session, {host}) == set()
        assert peers.is_blocked(session, host)


@pytest.mark.parametrize(
    "blocked, host",
    [
        ("in.example.org", "example.org"),
        ("ample.org", "example.org"),
        ("example.org:8443", "example.org"),
        ("0.1", "127.0.0.1:8443"),
    ],
)
def test_must_30_a_block_covers_nothing_else(blocked: str, host: str, node: TestNode) -> None:
    decide(node, host, peers.ALLOWED)
    decide(node, blocked, peers.BLOCKED)
    with node.reading() as session:
        assert peers.is_allowed(session, node.node.settings, host)


def test_must_30_a_blocked_domain_is_refused_before_any_fetch(nodes: Nodes, node: TestNode) -> None:
    peer = FakePeer.join(nodes, "town.brackwell.test", node)
    decide(node, "brackwell.test", peers.BLOCKED)
    sender = peer.actor()
    assert sender.send(sender.build_activity("Follow", node.council_uri), node).status_code == 403
    assert peer.fetched == []
    with pytest.raises(InvalidInputError):
        fetching.fetch_document(node.node, sender.uri)
    assert peer.fetched == []
    assert refused(node, RefusalReason.host_not_allowed) == 1


@pytest.mark.parametrize("mode", ["allow-list", "open"])
def test_must_30_blocking_a_server_hides_it_and_ends_what_there_was(
    mode: str, nodes: Nodes
) -> None:
    here = nodes.start("aldermoor", federation=mode)
    there = nodes.start("brackwell", federation=mode)
    here.allow(there)
    there.allow(here)
    follow(nodes, here, there)
    follow(nodes, there, here)
    publish(there, "Bins")
    nodes.run_until_idle()
    assert "Bins" in here.visitor().visit("/projects").text
    decide(here, there.host, peers.BLOCKED)
    assert "Bins" not in here.visitor().visit("/projects").text
    assert (following(here), followers(here)) == (0, 0)
    with here.reading() as session:
        assert set(session.scalars(select(Actor.is_blocked).where(~Actor.is_local))) == {True}

    here.allow(there)
    with here.reading() as session:
        assert set(session.scalars(select(Actor.is_blocked).where(~Actor.is_local))) == {False}
    follow(nodes, here, there)
    assert "Bins" in here.visitor().visit("/projects").text


def test_what_was_accepted_before_a_block_is_not_acted_on_after_it(
    nodes: Nodes, node: TestNode
) -> None:
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender = peer.actor()
    follows(nodes, sender, node)
    sender.send(
        sender.build_activity("Undo", sender.build_activity("Follow", node.council_uri)), node
    )
    sender.send(sender.build_activity("Follow", node.council_uri), node)
    decide(node, peer.host, peers.BLOCKED)
    nodes.run_until_idle()
    assert followers(node) == 0
    with node.reading() as session:
        last = session.scalars(select(InboxItem).order_by(InboxItem.id.desc())).first()
        assert last is not None
        assert (last.state, last.outcome) == ("ignored", "blocked after it was received")


def test_a_block_is_taken_back_where_it_was_made(node: TestNode) -> None:
    decide(node, "example.org", peers.BLOCKED)
    with node.work() as work:
        with pytest.raises(ConflictError) as refused:
            peers.reset_decision(work, "in.example.org")
        assert "is blocked because example.org is blocked" in refused.value.safe_text
        peers.reset_decision(work, "example.org")
    decide(node, "in.example.org", peers.ALLOWED)
    with node.reading() as session:
        assert peers.is_allowed(session, node.node.settings, "in.example.org")


def test_nobody_blocks_their_own_node(node: TestNode) -> None:
    with pytest.raises(InvalidInputError):
        decide(node, node.host, peers.BLOCKED)


def test_our_council_blocks_an_actor(nodes: Nodes, node: TestNode) -> None:
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender, neighbour = peer.actor(), peer.actor()
    follows(nodes, sender, node)
    follows(nodes, neighbour, node)
    block(node, sender)
    nodes.run_until_idle()
    (sent,) = peer.received_of_type("Block")
    assert (sent["actor"], sent["object"]) == (node.council_uri, sender.uri)
    assert followers(node) == 1
    answer = sender.send(sender.build_activity("Follow", node.council_uri), node)
    assert answer.status_code == 403
    assert answer.get_json()["reason"] == "actor_blocked"
    assert refused(node, RefusalReason.actor_blocked) == 1
    assert sender.send(sender.build_activity("Delete", sender.uri), node).status_code == 202
    assert (
        neighbour.send(neighbour.build_activity("Follow", node.council_uri), node).status_code
        == 202
    )

    unblock(node)
    nodes.run_until_idle()
    (undone,) = peer.received_of_type("Undo")
    assert undone["object"]["id"] == sent["id"]
    follows(nodes, sender, node)
    assert followers(node) == 2


def test_whom_we_block_we_no_longer_follow(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, here, there)
    publish(there, "Bins")
    nodes.run_until_idle()
    with here.work() as work:
        own = councils.require_own(work.session).actor
        actor_blocks.block(work, own, fetching.fetch_actor(here.node, there.council_uri))
    nodes.run_until_idle()
    assert "Bins" not in here.visitor().visit("/projects").text
    assert (following(here), followers(there)) == (0, 0)
    officer = here.visitor("officer")
    officer.visit("/councils/follow")
    answer = officer.submit("follow", address=there.address)
    assert answer.status_code == 400
    assert "is blocked on this server" in html.unescape(answer.text)


def test_who_blocks_us_gets_nothing_more(nodes: Nodes, node: TestNode) -> None:
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender = peer.actor("brackwell")
    follows(nodes, sender, node)
    said = sender.build_activity("Block", node.council_uri)
    for _ in range(2):
        assert sender.send(said, node).status_code == 202
        nodes.run_until_idle()
    assert followers(node) == 0
    publish(node, "Bins")
    nodes.run_until_idle()
    assert peer.received_of_type("Create") == []
    with node.reading() as session:
        (row,) = actor_blocks.list_against_us(session)
        assert row.blocker.uri == sender.uri

    officer = node.visitor("officer")
    officer.visit("/councils/follow")
    answer = officer.submit("follow", address=sender.uri)
    assert "has blocked your council" in html.unescape(answer.text)
    assert peer.received_of_type("Follow") == []

    assert sender.send(sender.build_activity("Undo", said["id"]), node).status_code == 202
    nodes.run_until_idle()
    officer.visit("/councils/follow")
    officer.submit("follow", address=sender.uri)
    nodes.run_until_idle()
    assert len(peer.received_of_type("Follow")) == 1
    assert followers(node) == 0, "they have to follow again themselves"


@pytest.mark.parametrize("form", ["embedded", "bare id"])
def test_only_who_blocked_takes_a_block_back(form: str, nodes: Nodes, node: TestNode) -> None:
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender, neighbour = peer.actor(), peer.actor()
    said = sender.build_activity("Block", node.council_uri)
    sender.send(said, node)
    nodes.run_until_idle()
    undone = said if form == "embedded" else said["id"]
    for other, left in ((neighbour, 1), (sender, 0)):
        other.send(other.build_activity("Undo", undone), node)
        nodes.run_until_idle()
        with node.reading() as session:
            assert session.scalar(select(func.count()).select_from(Block)) == left


def test_must_35_blocks_by_the_actors_of_one_server_have_an_end(
    nodes: Nodes, node: TestNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actor_blocks, "MAX_BLOCKS_PER_HOST", 2)
    peer = FakePeer.join(nodes, "brackwell.test", node)
    for _ in range(4):
        sender = peer.actor()
        sender.send(sender.build_activity("Block", node.council_uri), node)
    nodes.run_until_idle()
    with node.reading() as session:
        assert session.scalar(select(func.count()).select_from(Block)) == 2
