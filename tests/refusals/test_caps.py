"""Whatever strangers can make grow has an end (must 35): each cap, reached over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from federation.signatures import PrivateKey, PublicKey, public_pem
from federation.vocabulary import ActorDocument
from node.audit import AuditEntry
from node.database.tables import now
from node.federating import retention
from node.federating.models import Actor, ActorKey, Delivery, Follow, InboxItem
from node.federating.outbound import outbox
from node.federating.sync import following
from node.runtime import AUDIT_QUOTA_PER_SERVER
from node.testing.fake_peer import FakeActor, FakePeer, private_key_pem
from node.testing.nodes import Nodes, TestNode
from tests.federation.test_main_job import publish
from tests.jobs.pruning import prune
from tests.refusals.test_refusals import counted

MONTHS = timedelta(days=90)


def count(node: TestNode, model: Any, *among: Any) -> int:
    with node.reading() as session:
        return session.scalar(select(func.count()).select_from(model).where(*among)) or 0


def like(sender: FakeActor, node: TestNode, about: str = "x") -> int:
    return sender.send(sender.build_activity("Like", about), node).status_code


def test_must_35_messages_of_a_server_that_wait(nodes: Nodes) -> None:
    node = nodes.start("aldermoor", most_waiting=3)
    sender, other = (FakePeer.join(nodes, f"{name}.test", node).actor() for name in ("b", "c"))
    bins = f"{node.node.settings.base_url}{publish(node, 'Bins')}"
    assert [like(sender, node, bins) for _ in range(5)] == [202, 202, 202, 429, 429]
    answer = sender.send(sender.build_activity("Like", bins), node)
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json is not None
    assert answer.json["reason"] == "too_many"
    assert counted(node)["b.test", "too_many"] == 3
    assert like(other, node, bins) == 202, "others are heard"
    assert like(sender, node) == 202, "what concerns nobody here waits for nobody"
    assert count(node, InboxItem, InboxItem.state == InboxItem.WAITING_STATE) == 4
    nodes.run_until_idle()
    node.node.host_quotas.clear()  # a second has passed
    assert like(sender, node, bins) == 202, "and so is this one, once they were acted on"


@pytest.mark.parametrize("settings, left", [({"most_handled": 2}, 2), ({"inbox_days": 14}, 3)])
def test_must_35_messages_that_were_acted_on(
    settings: dict[str, int], left: int, nodes: Nodes
) -> None:
    node = nodes.start("aldermoor", **settings)
    sender = FakePeer.join(nodes, "brackwell.test", node).actor()
    for _ in range(5):
        assert like(sender, node) == 202
    nodes.run_until_idle()
    with node.work() as work:
        first = select(InboxItem.id).order_by(InboxItem.id).limit(3)
        long_ago = update(InboxItem).where(InboxItem.id.in_(first))
        work.session.execute(long_ago.values(finished_at=now() - timedelta(days=15)))
    last = sender.build_activity("Like", "x")
    assert sender.send(last, node).status_code == 202
    prune(node)
    assert count(node, InboxItem) == left
    assert count(node, InboxItem, InboxItem.uri == last["id"]) == 1, "the last ones stay"


def test_must_35_actors_that_nobody_here_needs(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = nodes.start("aldermoor", most_actors=4)
    monkeypatch.setattr(retention, "MAX_ACTORS_PER_HOST", 2)
    crowd = FakePeer.join(nodes, "crowd.test", node)
    one = FakePeer.join(nodes, "one.test", node)
    follower = crowd.actor()
    assert (
        follower.send(follower.build_activity("Follow", node.council_uri), node).status_code == 202
    )
    senders = [crowd.actor() for _ in range(5)] + [one.actor() for _ in range(2)]
    assert {like(sender, node) for sender in senders} == {202}
    nodes.run_until_idle()
    prune(node)
    assert count(node, Actor, ~Actor.is_local) == 8, "newcomers stay"
    with node.work() as work:
        work.session.execute(update(Actor).values(fetched_at=now() - MONTHS))
    newest = crowd.actor()
    assert like(newest, node) == 202
    prune(node)
    assert count(node, Actor, Actor.host == "crowd.test") == 2 + 1 + 1, "a follower, and a newcomer"
    assert count(node, Actor, Actor.host == "one.test") == 2
    assert count(node, Actor, Actor.uri == follower.uri) == 1
    assert count(node, ActorKey, ActorKey.actor_id.not_in(select(Actor.id))) == 0
    assert like(senders[0], node) == 202, "whoever was forgotten is read again"


def test_must_35_keys_of_an_actor(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender = peer.actor()
    names = [f"{sender.uri}#key-{number}" for number in range(50)]
    keys = tuple(PublicKey(name, sender.uri, public_pem(private_key_pem())) for name in names)
    listed = [ActorDocument(sender.uri, "Person", "", public_keys=(key,)).dump() for key in keys]
    document = peer.documents[sender.uri.removeprefix("https://brackwell.test")][1]
    peer.serve(sender.uri, document | {"publicKey": [one["publicKey"] for one in listed]})
    first = FakeActor(peer, sender.uri, PrivateKey(names[0], sender.key.pem))
    assert like(first, node) == 202
    assert 1 <= count(node, ActorKey, ActorKey.actor.has(Actor.uri == sender.uri)) <= 20


def test_must_35_followers_at_one_server(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    node = nodes.start("aldermoor")
    monkeypatch.setattr(following, "MAX_FOLLOWS_PER_HOST", 3)
    peer, other = (FakePeer.join(nodes, f"{name}.test", node) for name in ("brackwell", "cragford"))
    for sender in [*(peer.actor() for _ in range(5)), other.actor()]:
        follow = sender.build_activity("Follow", node.council_uri)
        assert sender.send(follow, node).status_code == 202
    nodes.run_until_idle()
    assert count(node, Follow, Follow.follower.has(Actor.host == peer.host)) == 3
    assert count(node, Follow, Follow.follower.has(Actor.host == other.host)) == 1


def test_must_8_and_35_inboxes_of_one_server(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that names another inbox for each of its actors is not sent to so often."""
    node = nodes.start("aldermoor")
    monkeypatch.setattr(outbox, "MAX_INBOXES_PER_HOST", 2)
    peer = FakePeer.join(nodes, "brackwell.test", node)
    for _ in range(5):
        lonely = peer.actor(endpoints=None)
        follow = lonely.build_activity("Follow", node.council_uri)
        assert lonely.send(follow, node).status_code == 202
    nodes.run_until_idle()
    publish(node, "Bins")
    created = Delivery.activity.has(type="Create")
    assert count(node, Delivery, Delivery.host == peer.host, created) == 2


def test_must_35_what_the_audit_log_notes_of_others(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = nodes.start("aldermoor")
    monkeypatch.setattr("node.runtime.AUDIT_QUOTA_PER_SERVER", 4)
    assert AUDIT_QUOTA_PER_SERVER > 4
    sender = FakePeer.join(nodes, "brackwell.test", node).actor()
    for _ in range(5):
        follow = sender.build_activity("Follow", node.council_uri)
        for activity in (follow, sender.build_activity("Undo", follow)):
            assert sender.send(activity, node).status_code == 202
            nodes.run_until_idle()
    assert count(node, AuditEntry, AuditEntry.by == sender.uri) == 4
