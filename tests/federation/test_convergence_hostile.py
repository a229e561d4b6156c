"""A server that lies when it is compared with, or never comes to an end, costs little."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from federation.council_digest import BucketDigest, BucketDocument, CouncilDigest, bucket_number
from node.database.tables import now
from node.federating.models import Comparison
from node.projects.models import Project
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from node.updates.models import Update
from tests.federation.converging import compare, comparison
from tests.federation.test_backfill import article, follow, titles, update_of

SOME = "ab" * 32


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "brackwell.test", node)


@pytest.fixture
def sender(nodes: Nodes, node: TestNode, peer: FakePeer) -> FakeActor:
    """A council that ours follows; it has a digest, and sent one project."""
    uri = peer.uri("/councils/brackwell")
    sender = peer.actor("brackwell", digest=f"{uri}/projects/digest")
    follow(nodes, node, sender)
    project = article(sender, "Bins")
    sender.send(sender.build_activity("Create", project), node)
    nodes.run_until_idle()
    assert titles(node) == {"Bins"}
    return sender


def digest_of(sender: FakeActor, *buckets: BucketDigest, **changed: Any) -> None:
    document = CouncilDigest(f"{sender.uri}/projects/digest", sender.uri, buckets).dump()
    sender.peer.serve(f"{sender.uri}/projects/digest", document | changed)


def bucket(sender: FakeActor, number: int, entries: Any) -> None:
    part_of = f"{sender.uri}/projects/digest"
    document = BucketDocument(f"{part_of}/{number}", part_of, number, {}).dump() | {
        "entries": entries
    }
    sender.peer.serve(f"{part_of}/{number}", document)


def held(node: TestNode) -> str:
    """The id of the one project that was sent."""
    with node.reading() as session:
        return session.scalars(select(Project.uri)).one()


def test_an_entry_of_another_server_is_not_asked_for(
    nodes: Nodes, node: TestNode, peer: FakePeer, sender: FakeActor
) -> None:
    third = FakePeer.join(nodes, "cragford.test", node)
    for uri in (third.uri("/projects/1"), "http://127.0.0.1/secret", "https://brackwell.test:1/x"):
        number = bucket_number(uri)
        digest_of(sender, BucketDigest(number, 1, SOME))
        bucket(sender, number, [[uri, "revision"]])
        compare(nodes, node)
        assert comparison(node).outcome != ""
    assert third.fetched == []
    assert titles(node) == {"Bins"}


@pytest.mark.parametrize(
    "changed",
    [
        {"attributedTo": "https://brackwell.test/councils/another"},
        {"totalItems": 7},
        {"digest": SOME},
        {"buckets": [{"number": 1, "count": -1, "digest": SOME}]},
        {"buckets": {}},
        {"type": "Note"},
    ],
)
def test_a_digest_that_does_not_fit_changes_nothing(
    changed: dict[str, Any], nodes: Nodes, node: TestNode, sender: FakeActor
) -> None:
    digest_of(sender, BucketDigest(1, 1, SOME), **changed)
    compare(nodes, node)
    assert comparison(node).outcome != ""
    assert comparison(node).agreed_at is None
    assert titles(node) == {"Bins"}


def test_a_bucket_of_another_digest_is_refused(
    nodes: Nodes, node: TestNode, peer: FakePeer, sender: FakeActor
) -> None:
    """A neighbour's list, or that of another bucket, says nothing of what this council has."""
    beyond = article(sender, "Trees")
    peer.serve(beyond["id"], beyond | {"revision": "one"})
    number = bucket_number(beyond["id"])
    listed = {beyond["id"]: "one"}
    part_of = f"{sender.uri}/projects/digest"
    digest_of(sender, BucketDigest(number, 1, SOME))
    neighbour = f"{peer.actor('cragford').uri}/projects/digest"
    for bad in (
        BucketDocument(f"{neighbour}/{number}", neighbour, number, listed),
        BucketDocument(f"{part_of}/{number}", neighbour, number, listed),
        BucketDocument(f"{part_of}/{number}", part_of, (number + 1) % 256, {}),
    ):
        peer.serve(f"{part_of}/{number}", bad.dump())
        compare(nodes, node)
        assert "belongs to another digest" in comparison(node).outcome
    assert beyond["id"].removeprefix(peer.uri("")) not in peer.fetched
    assert titles(node) == {"Bins"}
    bucket(sender, number, [[beyond["id"], "one"]])
    compare(nodes, node)
    assert "Trees" in titles(node), "its own list is believed"


def test_a_bucket_with_too_many_entries_is_refused(
    nodes: Nodes, node: TestNode, sender: FakeActor
) -> None:
    uris = (f"{sender.peer.uri('/p/')}{number}" for number in range(60 * 256))
    entries = [[uri, "r"] for uri in uris if bucket_number(uri) == 1]
    digest_of(sender, BucketDigest(1, 20_001, SOME))
    bucket(sender, 1, (entries * 1000)[:20_001])
    compare(nodes, node)
    assert titles(node) == {"Bins"}
    assert comparison(node).fetched == 0


def test_what_is_listed_but_never_given_is_asked_for_a_few_times_only(
    nodes: Nodes, node: TestNode, peer: FakePeer, sender: FakeActor
) -> None:
    """A digest that cannot be agreed with: after some tries there is time until the next."""
    uri = held(node)
    number = bucket_number(uri)
    away = (peer.uri(f"/projects/away-{count}") for count in range(5_000))
    same = [one for one in away if bucket_number(one) == number][:5]
    digest_of(sender, BucketDigest(number, 1 + len(same), SOME))
    bucket(sender, number, [[one, "revision"] for one in (uri, *same)])
    peer.serve(uri, article(sender, "Bins") | {"id": uri, "revision": "another"})
    peer.fetched.clear()
    compare(nodes, node)
    row = comparison(node)
    assert row.due_at > now() + timedelta(hours=4)
    assert "still different" in row.outcome
    compared = [one for one in peer.fetched if not one.endswith("/context")]
    assert len(compared) == Comparison.RETRY.max_attempts * (2 + 1 + len(same))
    asked = len(peer.fetched)
    node.node.jobs.wake(Comparison.JOB)
    nodes.run_until_idle()
    assert len(peer.fetched) == asked


def test_what_is_not_listed_is_removed_only_if_its_own_address_says_so(
    nodes: Nodes, node: TestNode, peer: FakePeer, sender: FakeActor
) -> None:
    uri = held(node)
    digest_of(sender)
    with node.work() as work:
        revision = work.session.scalars(select(Project.revision)).one()
    peer.serve(uri, article(sender, "Bins") | {"id": uri, "revision": revision or "one"})
    compare(nodes, node)
    assert titles(node) == {"Bins"}, "its address shows it"
    peer.serve(uri, {}, 503)
    compare(nodes, node)
    assert titles(node) == {"Bins"}, "its address says nothing"
    peer.serve(uri, {}, 404)
    with node.work() as work:
        work.session.execute(update(Comparison).values(attempts=0))
    compare(nodes, node)
    assert titles(node) == set()
    assert comparison(node).agreed_at is not None


def test_updates_that_lead_to_one_another_are_asked_for_once(
    nodes: Nodes, node: TestNode, peer: FakePeer, sender: FakeActor
) -> None:
    """Each is listed, and says that the next one is its project; none is kept."""
    uri = held(node)
    number = bucket_number(uri)
    ids = (peer.uri(f"/updates/{count}") for count in range(50_000))
    ring = [one for one in ids if bucket_number(one) == number][:60]
    peer.serve(uri, article(sender, "Bins") | {"id": uri, "revision": "another"})
    for one, following in zip(ring, [*ring[1:], ring[0]], strict=True):
        peer.serve(one, update_of(sender, {"id": following}, "Round and round") | {"id": one})
    digest_of(sender, BucketDigest(number, 1 + len(ring), SOME))
    bucket(sender, number, [[one, "revision"] for one in (*ring, uri)])
    peer.fetched.clear()
    compare(nodes, node)
    compared = [one for one in peer.fetched if not one.endswith("/context")]
    assert len(compared) == Comparison.RETRY.max_attempts * (2 + 1 + len(ring))
    assert titles(node) == {"Bins"}
    assert "60 could not be stored" in comparison(node).outcome
    with node.reading() as session:
        assert session.scalars(select(Update.id)).all() == []


def test_must_23_what_was_deleted_is_not_brought_back_by_what_was_sent_before(
    nodes: Nodes, node: TestNode, peer: FakePeer, sender: FakeActor
) -> None:
    """Neither by a Create that comes late, nor by a list of its server: its address is gone."""
    late = article(sender, "Potholes")
    tombstone = {"id": late["id"], "type": "Tombstone"}
    sender.send(sender.build_activity("Delete", tombstone), node)
    nodes.run_until_idle()
    sender.send(sender.build_activity("Create", late), node)
    nodes.run_until_idle()
    assert titles(node) == {"Bins"}
    number = bucket_number(late["id"])
    digest_of(sender, BucketDigest(number, 1, SOME))
    bucket(sender, number, [[late["id"], "revision"]])
    peer.serve(late["id"], tombstone, 410)
    compare(nodes, node)
    assert "Potholes" not in titles(node)
