"""No host, however slow, holds up the others, and a node that stops begins nothing more."""

from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select

from federation.vocabulary import CollectionPage
from node.database.tables import now
from node.federating.inbound import inbox_processor
from node.federating.models import Backfill, Delivery, Follow, InboxItem
from node.federating.outbound.delivery_leases import Capacity, HostCursor
from node.federating.sync import backfill
from node.queue import leases
from node.queue.mixins import QueueMixin
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.test_backfill import council_of, follow, state

PAGES = 30


def publish(node: TestNode, title: str) -> None:
    officer = node.visitor("officer")
    officer.visit("/projects/new")
    officer.submit(title=title, summary="A sentence.", phase="alpha", brief="", then="publish")


def items(node: TestNode) -> dict[str, str]:
    with node.reading() as session:
        return {item.type: item.state for item in session.scalars(select(InboxItem))}


def follower(nodes: Nodes, node: TestNode, host: str) -> FakeActor:
    peer = FakePeer.join(nodes, host, node)
    actor = peer.actor()
    assert actor.send(actor.build_activity("Follow", node.council_uri), node).status_code == 202
    nodes.run_until_idle()
    return actor


def test_deliveries_take_turns_among_hosts(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    follower(nodes, node, "unknown.test")
    follower(nodes, node, "known.test")
    for number in range(6):
        publish(node, f"Project {number}")
    letters, _ = HostCursor(node.node).lease(Capacity(total=9, degraded=1), {"known.test": True})
    hosts = [letter.host for letter in letters]
    assert hosts.count("unknown.test") == 1, "until it has shown that it is quick"
    assert hosts.count("known.test") == 4
    again, _ = HostCursor(node.node).lease(Capacity(total=9, degraded=1), {"known.test": True})
    assert again == [], "so many are under way"


def test_what_a_dead_worker_holds_keeps_nothing_else_from_a_host(nodes: Nodes) -> None:
    """Long before its leases run out."""
    node = nodes.start("aldermoor")
    there = follower(nodes, node, "brackwell.test").peer
    for number in range(6):
        publish(node, f"Project {number}")
    held, _ = HostCursor(node.node).lease(Capacity(total=9, degraded=1), {"brackwell.test": True})
    assert len(held) == 4
    leave_to_die(node, Delivery)
    there.received.clear()
    node.node.jobs.wake(Delivery.JOB)
    nodes.run_until_idle()
    assert len(there.received) == 2
    for number in range(2):
        elsewhere = f"https://brackwell.test/projects/{number}"
        actor = there.actor()
        assert actor.send(actor.build_activity("Create", elsewhere), node).status_code == 202
        if number == 0:
            fetched = InboxItem.needs_fetch.is_(True)
            assert len(leases.lease(node.node, InboxItem, 1, fetched, per_host=1)) == 1
            leave_to_die(node, InboxItem)
    inbox_processor.run_fetching_job(node.node)
    with node.reading() as session:
        tried = InboxItem.type == "Create", InboxItem.outcome != ""
        assert len(session.scalars(select(InboxItem).where(*tried)).all()) == 1


def leave_to_die(node: TestNode, row: type[QueueMixin]) -> None:
    """The worker that leased rows was killed a while ago."""
    with node.work() as work:
        for one in work.session.scalars(select(row).where(row.leased_until.is_not(None))):
            assert one.leased_until
            one.leased_until -= 2 * leases.IN_FLIGHT_WINDOW
            assert one.leased_until > now()


def test_what_must_be_fetched_holds_up_nothing_else(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    slow = FakePeer.join(nodes, "slow.test", node).actor()
    good = FakePeer.join(nodes, "good.test", node).actor()
    elsewhere = f"https://{slow.peer.host}/projects/1"
    assert slow.send(slow.build_activity("Create", elsewhere), node).status_code == 202
    assert good.send(good.build_activity("Follow", node.council_uri), node).status_code == 202
    inbox_processor.run_job(node.node)
    assert items(node) == {"Create": "new", "Follow": "done"}
    inbox_processor.run_fetching_job(node.node)
    assert items(node) == {"Create": "failed", "Follow": "done"}, "there is no such project"
    assert "/projects/1" in slow.peer.fetched


def endless(node: TestNode, nodes: Nodes, host: str = "brackwell.test") -> FakeActor:
    """A council whose collection goes on for more pages than are read of one in these tests."""
    peer = FakePeer.join(nodes, host, node)
    sender, addresses = council_of(peer, PAGES)
    for here, there in pairwise(addresses):
        page = CollectionPage(id=here, part_of=here.partition("?")[0], items=(), next=there)
        peer.serve(here, page.dump())
    return sender


def test_a_collection_without_an_end_is_left(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "MAX_PAGES", 15)
    node = nodes.start("aldermoor")
    sender = endless(node, nodes)
    follow(nodes, node, sender)
    assert state(node)[0] == "failed"
    assert 15 <= len(sender.peer.fetched) <= 25


@pytest.mark.parametrize("pages, seconds, in_turn", [(2, 60, 2), (100, 0, 1)])
def test_councils_are_read_in_turn(
    pages: int, seconds: int, in_turn: int, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many pages of one at once, and where its server is slow one."""
    monkeypatch.setattr(backfill, "MAX_PAGES", 6)
    monkeypatch.setattr(backfill, "PAGES_PER_SLICE", pages)
    monkeypatch.setattr(backfill, "SLICE_SECONDS", seconds)
    node = nodes.start("aldermoor")
    turns: list[int] = []
    stored = backfill._store_page

    def store(of: Any, row_id: int, page: Any) -> bool:
        turns.append(row_id)
        return stored(of, row_id, page)

    monkeypatch.setattr(backfill, "_store_page", store)
    for host in ("brackwell.test", "coldbrook.test"):
        follow(nodes, node, endless(node, nodes, host))
    turns.clear()
    with node.work() as work:
        for row in work.session.scalars(select(Backfill)).all():
            backfill.start(work, row.actor)
    nodes.run_until_idle()
    one, other = dict.fromkeys(turns)
    assert turns == [*[one] * in_turn, *[other] * in_turn] * (6 // in_turn)


def test_nothing_more_is_read_of_a_council_we_left(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "PAGES_PER_SLICE", 1)
    node = nodes.start("aldermoor")
    sender = endless(node, nodes)
    others_wait = backfill._are_others_waiting

    def leave(of: Any, row_id: int) -> bool:
        with node.work() as work:
            work.session.delete(work.session.scalars(select(Follow)).one())
        monkeypatch.setattr(backfill, "_are_others_waiting", others_wait)
        return others_wait(of, row_id)

    monkeypatch.setattr(backfill, "_are_others_waiting", leave)
    follow(nodes, node, sender)
    with node.reading() as session:
        row = session.scalars(select(Backfill)).one()
        assert (row.state, row.outcome) == ("failed", "no longer followed")


def test_an_accept_that_is_repeated_begins_nothing_anew(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender, addresses = council_of(peer, 1)
    page = CollectionPage(id=addresses[0], part_of=addresses[0], items=())
    peer.serve(addresses[0], page.dump())
    follow(nodes, node, sender)
    peer.fetched.clear()
    assert (
        sender.send(
            sender.build_activity("Accept", peer.received_of_type("Follow")[-1]), node
        ).status_code
        == 202
    )
    nodes.run_until_idle()
    assert peer.fetched == []


def test_a_node_that_stops_takes_up_nothing_more(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    follower(nodes, node, "many.test")
    publish(node, "Bins")
    node.node.jobs.stop()
    nodes.run_until_idle()
    with node.reading() as session:
        states = {row.object_uri: row.state for row in session.scalars(select(Delivery))}
    assert "pending" in states.values()
