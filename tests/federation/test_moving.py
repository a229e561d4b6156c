"""Councils that go: ours to its successor, and those that ours follows to theirs."""

import html
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from node.councils import council_moves, service
from node.errors import ConflictError, InvalidInputError
from node.federating.inbound import server_discovery
from node.federating.models import Actor, Follow, InboxItem
from node.federating.models import Peer as PeerRow
from node.federating.peers import fetching
from node.federating.peers import service as peers
from node.testing.fake_peer import ACTIVITY_JSON, FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.test_following import follows
from tests.federation.test_main_job import follow, publish
from tests.federation.test_peers import decide


def followed(node: TestNode) -> set[str]:
    with node.reading() as session:
        query = select(Actor.uri).join(Follow, Follow.followed_id == Actor.id)
        return set(session.scalars(query.where(Follow.follower.has(Actor.is_local))))


def move(old: TestNode, new: TestNode) -> None:
    with new.work() as work:
        council_moves.add_alias(work, old.council_uri)
    with old.work() as work:
        council_moves.move(work, fetching.fetch_actor(old.node, new.council_uri))


def document(node: TestNode) -> dict[str, object]:
    answer = node.app.test_client().get(node.council_uri, headers={"Accept": ACTIVITY_JSON})
    return dict(answer.get_json())


def outcome(node: TestNode) -> str:
    """What came of the last Move."""
    with node.reading() as session:
        query = select(InboxItem).where(InboxItem.type == "Move").order_by(InboxItem.id.desc())
        item = session.scalars(query).first()
        return f"{item.state}: {item.outcome}" if item else ""


def three(nodes: Nodes) -> list[TestNode]:
    """aldermoor follows brackwell, which will move to cragford; all know one another."""
    every = [nodes.start(name) for name in ("aldermoor", "brackwell", "cragford")]
    for one in every:
        for other in every:
            if one is not other:
                one.allow(other)
    follow(nodes, every[0], every[1])
    return every


def test_followers_move_along_and_nothing_of_the_old_is_lost(nodes: Nodes) -> None:
    reader, old, new = three(nodes)
    publish(old, "Bins")
    nodes.run_until_idle()
    move(old, new)
    nodes.run_until_idle()
    assert document(old)["movedTo"] == new.council_uri
    assert document(new)["alsoKnownAs"] == [old.council_uri]
    assert outcome(reader) == "done: "
    assert followed(reader) == {new.council_uri}
    visitor = reader.visitor()
    visitor.visit("/projects")
    assert "Bins" in visitor.text
    page = old.visitor().visit("/councils/brackwell").text
    assert "is now part of another council" in page
    assert new.council_uri in html.unescape(page)
    publish(new, "Potholes")
    nodes.run_until_idle()
    assert "Potholes" in visitor.visit("/projects").text

    officer = reader.visitor("officer")
    officer.visit("/councils")
    officer.submit("/end")
    nodes.run_until_idle()
    assert "Bins" not in visitor.visit("/projects").text, "its successor is not followed any more"


def test_several_councils_have_one_successor(nodes: Nodes) -> None:
    reader, first, new = three(nodes)
    second = nodes.start("dunmere")
    for one, other in ((second, reader), (reader, second), (second, new), (new, second)):
        one.allow(other)
    follow(nodes, reader, second)
    publish(first, "Bins")
    publish(second, "Trees")
    for old in (first, second):
        move(old, new)
        nodes.run_until_idle()
    assert followed(reader) == {new.council_uri}
    page = reader.visitor().visit("/projects").text
    assert "Bins" in page
    assert "Trees" in page


def test_who_follows_several_that_became_ours_sees_them_with_us(nodes: Nodes) -> None:
    new, old, _ = three(nodes)
    publish(old, "Bins")
    nodes.run_until_idle()
    move(old, new)
    nodes.run_until_idle()
    assert followed(new) == set()
    assert "Bins" in new.visitor().visit("/projects").text


def test_a_council_that_moved_on_is_followed_to_where_it_is_now(nodes: Nodes) -> None:
    reader, first, second = three(nodes)
    third = nodes.start("dunmere")
    for one, other in ((second, third), (third, second), (third, reader), (reader, third)):
        one.allow(other)
    publish(first, "Bins")
    move(first, second)
    nodes.run_until_idle()
    move(second, third)
    nodes.run_until_idle()
    assert followed(reader) == {third.council_uri}
    assert "Bins" in reader.visitor().visit("/projects").text


def test_a_council_that_moved_takes_no_new_followers(nodes: Nodes) -> None:
    _, old, new = three(nodes)
    move(old, new)
    nodes.run_until_idle()
    late = nodes.start("dunmere")
    late.allow(old)
    old.allow(late)
    officer = late.visitor("officer")
    officer.visit("/councils/follow")
    answer = officer.submit("follow", address=old.council_uri)
    assert answer.status_code == 400
    assert new.council_uri in html.unescape(answer.text)
    peer = FakePeer.join(nodes, "mastodon.test", old)
    sender = peer.actor()
    follows(nodes, sender, old)
    assert [item["object"]["actor"] for item in peer.received_of_type("Reject")] == [sender.uri]
    assert peer.received_of_type("Accept") == []


def test_we_move_only_to_who_says_it_was_us_and_only_once(nodes: Nodes) -> None:
    _, old, new = three(nodes)
    with old.work() as work, pytest.raises(InvalidInputError) as refused:
        council_moves.move(work, fetching.fetch_actor(old.node, new.council_uri))
    assert "does not list this council as an alias" in refused.value.safe_text
    move(old, new)
    with old.work() as work, pytest.raises(ConflictError):
        council_moves.move(work, fetching.fetch_actor(old.node, new.council_uri))
    with new.work() as work, pytest.raises(InvalidInputError):
        council_moves.move(work, fetching.fetch_actor(new.node, old.council_uri))


def test_a_changed_name_is_told(nodes: Nodes) -> None:
    reader, other, _ = three(nodes)
    with other.work() as work:
        service.change_name(work, "Brackwell and Cragford Council")
    nodes.run_until_idle()
    assert "Brackwell and Cragford Council" in reader.visitor().visit("/councils").text


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "brackwell.test", node)


def pair_of(
    nodes: Nodes, node: TestNode, peer: FakePeer, **new: Any
) -> tuple[FakeActor, FakeActor]:
    """A remote actor that our council follows, and another that may be its successor."""
    old = peer.actor("old")
    with node.work() as work:
        service.follow(work, fetching.fetch_actor(node.node, old.uri))
    nodes.run_until_idle()
    return old, peer.actor("new", **new)


def said(nodes: Nodes, node: TestNode, sender: FakeActor, target: str, **more: object) -> str:
    activity = sender.build_activity("Move", more.pop("about", sender.uri), target=target, **more)
    assert sender.send(activity, node).status_code == 202
    nodes.run_until_idle()
    return outcome(node)


def test_a_move_is_believed_when_both_sides_say_it(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    old, new = pair_of(nodes, node, peer, alsoKnownAs=[peer.uri("/councils/old")])
    assert said(nodes, node, old, new.uri) == "done: "
    assert followed(node) == {new.uri}
    assert [item["object"]["object"] for item in peer.received_of_type("Undo")] == [old.uri]
    assert [item["object"] for item in peer.received_of_type("Follow")] == [old.uri, new.uri]
    assert "your council does not follow" in said(nodes, node, old, new.uri)


@pytest.mark.parametrize(
    "new, words",
    [
        ({}, "does not list https://brackwell.test/councils/old as an alias"),
        (
            {"alsoKnownAs": "https://brackwell.test/councils/other"},
            "does not list https://brackwell.test/councils/old as an alias",
        ),
        (
            {"alsoKnownAs": ["https://brackwell.test/councils/old"], "movedTo": "https://a.test/b"},
            "the successor has itself moved",
        ),
        (
            {"alsoKnownAs": ["https://brackwell.test/councils/old"], "type": "Person"},
            "not an organisation",
        ),
    ],
)
def test_a_move_to_who_does_not_agree_changes_nothing(
    new: dict[str, object], words: str, nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    old, to = pair_of(nodes, node, peer, **new)
    assert words in said(nodes, node, old, to.uri)
    assert followed(node) == {old.uri}


def test_only_the_actor_itself_moves(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    old, new = pair_of(nodes, node, peer, alsoKnownAs=[peer.uri("/councils/old")])
    assert "moves an account other than the sender’s" in said(
        nodes, node, new, new.uri, about=old.uri
    )
    assert "does not name a new account" in said(nodes, node, old, old.uri)
    stranger = peer.actor("stranger")
    before = list(peer.fetched)
    assert "your council does not follow the account" in said(nodes, node, stranger, new.uri)
    assert new.uri.removeprefix("https://brackwell.test") not in peer.fetched[len(before) :]
    assert followed(node) == {old.uri}


def test_must_30_a_move_to_a_server_not_allowed_is_suggested(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    old, _ = pair_of(nodes, node, peer)
    far = FakePeer.join(nodes, "cragford.test")
    new = far.actor("new", alsoKnownAs=[old.uri])
    assert "does not exchange data with cragford.test" in said(nodes, node, old, new.uri)
    assert far.fetched == []
    with node.reading() as session:
        row = session.scalars(select(PeerRow).where(PeerRow.host == far.host)).one()
        assert (row.state, row.found_from) == (peers.UNKNOWN, peer.host)
    decide(node, far.host, peers.BLOCKED)
    assert "does not exchange data with cragford.test" in said(nodes, node, old, new.uri)
    assert far.fetched == []
    said(nodes, node, old, "nonsense")
    decide(node, far.host, peers.ALLOWED)
    node.node.jobs.wake(server_discovery.JOB)
    nodes.run_until_idle()
    assert followed(node) == {new.uri}, "what was said before it was allowed counts"


def test_a_large_move_keeps_no_server_from_being_asked_what_it_is(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    old, _ = pair_of(nodes, node, peer)
    far = FakePeer.join(nodes, "cragford.test")
    new = far.actor("new", alsoKnownAs=[old.uri])
    assert "failed" in said(nodes, node, old, new.uri, summary="x" * 70_000)
    others = [FakePeer.join(nodes, f"{name}.test", node) for name in ("dunmere", "eskdale")]
    node.node.jobs.wake(server_discovery.JOB)
    nodes.run_until_idle()
    assert all("/.well-known/nodeinfo" in other.fetched for other in others)


def test_must_35_a_storm_of_moves_fetches_little(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    old, _ = pair_of(nodes, node, peer)
    for number in range(12):
        said(nodes, node, old, peer.actor(f"new-{number}").uri)
    assert "moves in a week" in outcome(node)
    assert len([path for path in peer.fetched if "/new-" in path]) == 5


def test_nobody_moves_twice_in_a_week(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    old, new = pair_of(nodes, node, peer, alsoKnownAs=[peer.uri("/councils/old")])
    assert said(nodes, node, old, new.uri) == "done: "
    with node.work() as work:
        service.follow(work, fetching.fetch_actor(node.node, old.uri))
    nodes.run_until_idle()
    assert "less than a week ago" in said(nodes, node, old, new.uri)
    with node.work() as work:
        row = work.session.scalars(select(Actor).where(Actor.uri == old.uri)).one()
        assert row.moved_at is not None
        row.moved_at -= timedelta(days=8)
    assert said(nodes, node, old, new.uri) == "done: "
