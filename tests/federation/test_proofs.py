"""Integrity proofs between nodes: on what we publish, and on what somebody else passes on."""

from typing import Any

import pytest
from sqlalchemy import select

from federation.errors import Refusal, RefusalReason
from federation.proofs import add_proof, check_proof
from federation.signatures import PrivateKey, PublicKey, key_from_actor, public_pem
from federation.vocabulary import RFC9421_CAPABILITY, ActorDocument
from node.database.tables import now
from node.federating.models import InboxItem, Reaction, RefusalCount
from node.federating.peers import refusals
from node.testing.fake_peer import ACTIVITY_JSON, FakeActor, FakePeer, private_key_pem
from node.testing.nodes import Nodes, TestNode
from tests.federation.test_following import follows
from tests.federation.test_main_job import publish
from tests.refusals.test_belief import article, follow, titles


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "brackwell.test", node)


@pytest.fixture
def forwarder(nodes: Nodes, node: TestNode) -> FakeActor:
    return FakePeer.join(nodes, "forwarder.test", node).actor()


@pytest.fixture
def author(peer: FakePeer, node: TestNode) -> FakeActor:
    """An actor with an Ed25519 key for proofs, whom the node follows."""
    sender = peer.actor()
    lists(sender, private_key_pem("ed25519"))
    follow(node, sender)
    return sender


def lists(sender: FakeActor, private: str) -> PrivateKey:
    """The actor lists this key for proofs from now on."""
    path = sender.uri.removeprefix(f"https://{sender.peer.host}")
    key = PublicKey(f"{sender.uri}#ed25519-key", sender.uri, public_pem(private))
    listed = ActorDocument(sender.uri, "Organization", f"{sender.uri}/inbox", public_keys=(key,))
    document = sender.peer.documents[path][1]
    sender.peer.serve(sender.uri, document | {"assertionMethod": listed.dump()["assertionMethod"]})
    return PrivateKey(key.key_id, private)


def proven(sender: FakeActor, document: dict[str, Any], private: str = "") -> dict[str, Any]:
    key = PrivateKey(f"{sender.uri}#ed25519-key", private or private_key_pem("ed25519"))
    return add_proof(document, key, now())


def council(node: TestNode) -> dict[str, Any]:
    answer = node.app.test_client().get(
        node.council_uri.removeprefix(f"https://{node.host}"), headers={"Accept": ACTIVITY_JSON}
    )
    document: dict[str, Any] = answer.get_json()
    return document


def refused(node: TestNode) -> list[str]:
    refusals.flush(node.node)
    with node.reading() as session:
        return list(session.scalars(select(RefusalCount.reason)))


def stored(node: TestNode, document: dict[str, Any]) -> InboxItem | None:
    with node.reading() as session:
        return session.scalar(select(InboxItem).where(InboxItem.uri == document["id"]))


def test_a_council_lists_both_kinds_of_key_and_what_its_software_can_do(node: TestNode) -> None:
    document = council(node)
    assert document["publicKey"]["id"] == f"{node.council_uri}#main-key"
    (listed,) = document["assertionMethod"]
    assert (listed["type"], listed["controller"]) == ("Multikey", node.council_uri)
    assert listed["publicKeyMultibase"].startswith("z6Mk")
    assert document["generator"]["id"] == f"https://{node.host}/actor"
    application = node.app.test_client().get("/actor", headers={"Accept": ACTIVITY_JSON}).get_json()
    assert application["type"] == "Application"
    assert application["implements"] == document["generator"]["implements"]
    assert ActorDocument.parse(application).implements == (RFC9421_CAPABILITY,)


def test_what_is_published_is_proven_and_what_is_for_one_is_not(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    follows(nodes, peer.actor(), node)
    publish(node, "Bins in one step")
    nodes.run_until_idle()
    (created,) = peer.received_of_type("Create")
    key = check_proof(created, lambda key_id: key_from_actor(council(node), key_id), now())
    assert key.owner == node.council_uri
    altered = {**created, "object": {**created["object"], "name": "Bins in no step"}}
    with pytest.raises(Refusal) as caught:
        check_proof(altered, lambda key_id: key_from_actor(council(node), key_id), now())
    assert caught.value.reason is RefusalReason.proof_wrong
    (accepted,) = peer.received_of_type("Accept")
    assert "proof" not in accepted


def test_an_activity_in_the_outbox_keeps_its_proof(node: TestNode) -> None:
    publish(node, "Bins in one step")
    path = f"{council(node)['outbox']}?page=1".removeprefix(f"https://{node.host}")
    page = node.app.test_client().get(path, headers={"Accept": ACTIVITY_JSON}).get_json()
    created = next(item for item in page["orderedItems"] if item["type"] == "Create")
    found = check_proof(created, lambda key_id: key_from_actor(council(node), key_id), now())
    assert found.owner == node.council_uri


def test_must_15_what_its_author_proves_is_taken_from_whoever_passes_it_on(
    nodes: Nodes, node: TestNode, author: FakeActor, forwarder: FakeActor
) -> None:
    created = proven(author, author.build_activity("Create", article(author, "Bins")))
    assert forwarder.send(created, node).status_code == 202
    nodes.run_until_idle()
    assert titles(node, author) == ["Bins"]
    item = stored(node, created)
    assert item is not None
    assert (item.actor_uri, item.forwarded_by) == (author.uri, "forwarder.test")


def test_must_15_what_is_passed_on_without_a_proof_is_refused(
    nodes: Nodes, node: TestNode, author: FakeActor, forwarder: FakeActor
) -> None:
    bare = author.build_activity("Create", article(author, "Bins"))
    altered = proven(author, bare) | {"published": "2026-01-01T00:00:00Z"}
    other = proven(author, bare, private_key_pem("ed25519", 2))
    answers = [forwarder.send(document, node).status_code for document in (bare, altered, other)]
    nodes.run_until_idle()
    assert answers == [403, 401, 401]
    assert titles(node, author) == []
    assert stored(node, bare) is None
    assert sorted(refused(node)) == ["actor_not_key_owner", "proof_wrong"]


def test_must_16_what_has_a_linked_data_signature_alone_is_read_at_its_origin(
    nodes: Nodes, node: TestNode, author: FakeActor, forwarder: FakeActor
) -> None:
    """As Mastodon passes replies on. What was sent is hearsay, and takes the name of nothing."""
    signature = {"signature": {"type": "RsaSignature2017", "signatureValue": "x"}}
    told = article(author, "Bins")
    author.peer.serve(told["id"], told)
    forged = author.build_activity("Create", told | {"name": "Taxis"}) | signature
    absent = author.build_activity("Create", article(author, "Parks")) | signature
    for document in (forged, absent):
        assert forwarder.send(document, node).status_code == 202
    nodes.run_until_idle()
    assert titles(node, author) == ["Bins"]
    assert stored(node, forged) is None
    true = proven(author, author.build_activity("Create", told, id=forged["id"]))
    assert author.send(true, node).status_code == 202
    assert stored(node, true) is not None


def passed_on(sender: FakeActor, kind: str, about: str) -> dict[str, Any]:
    """What `sender` is said to say, as Mastodon passes it on; nobody verifies that signature."""
    signature = {"type": "RsaSignature2017", "signatureValue": "x"}
    return sender.build_activity(kind, about) | {"signature": signature}


@pytest.mark.parametrize("status", [404, 410, 200])
def test_must_17_what_is_said_to_be_deleted_goes_once_its_origin_says_so(
    nodes: Nodes, node: TestNode, author: FakeActor, forwarder: FakeActor, status: int
) -> None:
    told = article(author, "Bins")
    assert author.send(author.build_activity("Create", told), node).status_code == 202
    nodes.run_until_idle()
    assert titles(node, author) == ["Bins"]
    tombstone = {"@context": told["@context"], "id": told["id"], "type": "Tombstone"}
    author.peer.serve(told["id"], tombstone, status)
    assert forwarder.send(passed_on(author, "Delete", told["id"]), node).status_code == 202
    nodes.run_until_idle()
    assert titles(node, author) == []


def test_must_17_nobody_deletes_what_its_origin_shows_or_does_not_show_yet(
    nodes: Nodes, node: TestNode, author: FakeActor, forwarder: FakeActor
) -> None:
    there, away, later = (article(author, title) for title in ("Bins", "Parks", "Roads"))
    for told in (there, away):
        assert author.send(author.build_activity("Create", told), node).status_code == 202
    author.peer.serve(there["id"], there)
    author.peer.serve(away["id"], {}, 503)
    elsewhere = article(forwarder, "Lies")["id"]
    for about in (there["id"], away["id"], later["id"], author.uri, elsewhere):
        assert forwarder.send(passed_on(author, "Delete", about), node).status_code == 202
    nodes.run_until_idle()
    assert author.send(author.build_activity("Create", later), node).status_code == 202
    nodes.run_until_idle()
    assert sorted(titles(node, author)) == ["Bins", "Parks", "Roads"]


def test_must_15_what_nobody_can_verify_is_passed_over_and_counted(
    nodes: Nodes, node: TestNode, author: FakeActor, forwarder: FakeActor
) -> None:
    told = article(author, "Bins")
    assert author.send(author.build_activity("Create", told), node).status_code == 202
    nodes.run_until_idle()
    for kind in ("Like", "Follow", "Undo", "Announce", "Move"):
        document = passed_on(author, kind, told["id"] if kind == "Like" else node.council_uri)
        assert forwarder.send(document, node).status_code == 202
        assert stored(node, document) is None
    nodes.run_until_idle()
    assert refused(node) == ["actor_not_key_owner"]
    with node.reading() as session:
        assert session.scalars(select(RefusalCount.count)).all() == [5]
        assert session.scalars(select(Reaction)).all() == []


def test_must_20_a_rotated_key_for_proofs_is_fetched_once(
    nodes: Nodes, node: TestNode, author: FakeActor, forwarder: FakeActor
) -> None:
    lists(author, private_key_pem("ed25519", 2))
    for title in ("Bins", "Roads"):
        created = author.build_activity("Create", article(author, title))
        sent = proven(author, created, private_key_pem("ed25519", 2))
        assert forwarder.send(sent, node).status_code == 202
    nodes.run_until_idle()
    assert sorted(titles(node, author)) == ["Bins", "Roads"]
    path = author.uri.removeprefix(f"https://{author.peer.host}")
    assert author.peer.fetched.count(path) == 1


def test_must_30_both_servers_are_asked_about_before_any_key_is(
    nodes: Nodes, node: TestNode, forwarder: FakeActor
) -> None:
    stranger = FakePeer.join(nodes, "stranger.test").actor()
    lists(stranger, private_key_pem("ed25519"))
    created = proven(stranger, stranger.build_activity("Create", article(stranger, "Bins")))
    assert forwarder.send(created, node).status_code == 403
    assert refused(node) == ["host_not_allowed"]
    assert stranger.peer.fetched == []
