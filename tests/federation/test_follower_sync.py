"""Lists of followers are kept in step with other servers (FEP-8fcf, must 32)."""

import json
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from federation.followers import HEADER_NAME
from federation.signatures import Headers, sign
from federation.vocabulary import ActorDocument, Collection
from node.councils import service as councils
from node.database.tables import now
from node.federating.models import Actor, Follow
from node.testing.fake_peer import ACTIVITY_JSON, FakeActor, FakePeer, SignedMessage
from node.testing.nodes import Nodes, TestNode
from tests.federation.test_following import follows
from tests.federation.test_main_job import publish

ANOTHER = "0" * 63 + "1"


def xor_of(*uris: str) -> str:
    """The digest as the FEP has it, one bit after the other."""
    found = bytes(32)
    for uri in uris:
        found = bytes(
            one ^ other for one, other in zip(found, sha256(uri.encode()).digest(), strict=True)
        )
    return found.hex()


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "brackwell.test", node)


@pytest.fixture
def sender(peer: FakePeer) -> FakeActor:
    """An actor with followers."""
    uri = peer.uri("/councils/brackwell")
    return peer.actor("brackwell", followers=f"{uri}/followers")


def header(sender: FakeActor, **changed: str) -> str:
    told = {
        "collectionId": f"{sender.uri}/followers",
        "url": f"{sender.uri}/followers_synchronization",
        "digest": ANOTHER,
    } | changed
    return ", ".join(f'{name}="{value}"' for name, value in told.items())


def deliver(sender: FakeActor, node: TestNode, value: str, *, signed: bool = True) -> None:
    """Something that means nothing, with the header."""
    body = json.dumps(sender.build_activity("Like", f"{node.council_uri}/nothing")).encode()
    given = {HEADER_NAME: value}
    covered = given if signed else {}
    made = sign("POST", f"https://{node.host}/inbox", covered, body, sender.key, now())
    headers = {"Content-Type": ACTIVITY_JSON, "Host": node.host, **given, **made}
    answer = SignedMessage(dict(Headers(headers).items()), body).send(node)
    assert answer.status_code == 202, answer.text


def followed(node: TestNode, nodes: Nodes, sender: FakeActor) -> None:
    """The node's council follows the sender, and was accepted."""
    document = sender.peer.documents[sender.uri.removeprefix(f"https://{sender.peer.host}")][1]
    with node.work() as work:
        councils.follow(work, ActorDocument.parse(document))
    nodes.run_until_idle()
    sender.send(sender.build_activity("Accept", sender.peer.received_of_type("Follow")[-1]), node)
    nodes.run_until_idle()
    sender.peer.received.clear()
    sender.peer.fetched.clear()
    assert states(node, sender) == ["accepted"]


def states(node: TestNode, sender: FakeActor) -> list[str]:
    with node.reading() as session:
        query = select(Follow.state).where(Follow.followed.has(Actor.uri == sender.uri))
        return list(session.scalars(query))


def lists(sender: FakeActor, *uris: str) -> str:
    """The sender's server says who of ours follows it; where."""
    url = f"{sender.uri}/followers_synchronization"
    sender.peer.serve(url, Collection(id=url, total_items=len(uris), items=uris).dump())
    return url


def test_must_32_what_goes_out_has_the_digest_of_the_fep(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    elsewhere = FakePeer.join(nodes, "cragford.test", node)
    followers = [peer.actor() for _ in range(3)]
    for one in (*followers, elsewhere.actor()):
        follows(nodes, one, node)
    publish(node, "Bins")
    nodes.run_until_idle()
    headers, _ = next(item for item in peer.received if item[1]["type"] == "Create")
    assert headers.get(HEADER_NAME) == (
        f'collectionId="{node.council_uri}/followers", '
        f'url="{node.council_uri}/followers_synchronization", '
        f'digest="{xor_of(*(one.uri for one in followers))}"'
    )
    assert "collection-synchronization" in (headers.get("signature") or "")


def ask(node: TestNode, signatory: FakeActor | None) -> TestResponse:
    path = f"/councils/{node.name}/followers_synchronization"
    headers = {"Accept": ACTIVITY_JSON, "Host": node.host}
    if signatory:
        headers |= sign("GET", f"https://{node.host}{path}", {}, None, signatory.key, now())
    base = node.node.settings.base_url
    return node.app.test_client().get(path, base_url=base, headers=headers)


def test_a_server_is_told_of_its_own_followers_alone(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    elsewhere = FakePeer.join(nodes, "cragford.test", node)
    here, there = peer.actor(), elsewhere.actor()
    follows(nodes, here, node)
    follows(nodes, there, node)
    for one in (here, there):
        document = ask(node, one).get_json()
        assert document["orderedItems"] == [one.uri]
        assert document["totalItems"] == 1
    assert ask(node, None).status_code == 401
    stranger = FakePeer.join(nodes, "dunmere.test").actor()
    assert ask(node, stranger).status_code == 403


def test_who_was_lost_there_asks_to_follow_again(
    nodes: Nodes, node: TestNode, peer: FakePeer, sender: FakeActor
) -> None:
    followed(node, nodes, sender)
    lists(sender)
    deliver(sender, node, header(sender))
    nodes.run_until_idle()
    assert [item["actor"] for item in peer.received_of_type("Follow")] == [node.council_uri]
    assert states(node, sender) == ["accepted"]
    deliver(sender, node, header(sender))
    nodes.run_until_idle()
    assert len(peer.received_of_type("Follow")) == 1, "not again at once, whatever it says"


def test_who_does_not_follow_is_taken_off_the_list(
    nodes: Nodes, node: TestNode, peer: FakePeer, sender: FakeActor
) -> None:
    follows(nodes, sender, node)  # so that it is known here
    lists(sender, node.council_uri, f"{node.council_uri}-nobody", peer.uri("/councils/x"))
    deliver(sender, node, header(sender))
    nodes.run_until_idle()
    (undone,) = peer.received_of_type("Undo")
    assert (undone["actor"], undone["object"]["object"]) == (node.council_uri, sender.uri)
    assert undone["object"]["type"] == "Follow"


def test_a_follow_whose_acceptance_was_lost_is_accepted(
    nodes: Nodes, node: TestNode, peer: FakePeer, sender: FakeActor
) -> None:
    followed(node, nodes, sender)
    with node.work() as work:
        work.session.scalars(select(Follow)).one().state = "requested"
    lists(sender, node.council_uri)
    deliver(sender, node, header(sender))
    nodes.run_until_idle()
    assert states(node, sender) == ["accepted"]


UNREADABLE: dict[str, tuple[int, dict[str, Any]]] = {
    "an error": (500, {}),
    "nothing": (404, {}),
    "no collection": (200, {"type": "Note", "content": "A note."}),
    "pages": (200, {"type": "OrderedCollection", "first": "https://brackwell.test/first"}),
    "what is no list": (200, {"type": "OrderedCollection", "totalItems": "many"}),
}


@pytest.mark.parametrize("answer", UNREADABLE)
def test_must_32_a_list_that_cannot_be_had_removes_nobody(
    answer: str, nodes: Nodes, node: TestNode, peer: FakePeer, sender: FakeActor
) -> None:
    followed(node, nodes, sender)
    status, document = UNREADABLE[answer]
    url = f"{sender.uri}/followers_synchronization"
    peer.serve(url, {"id": url, **document}, status)
    deliver(sender, node, header(sender))
    nodes.run_until_idle()
    assert url.removeprefix(f"https://{peer.host}") in peer.fetched
    assert states(node, sender) == ["accepted"]
    assert peer.received == []


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "https://cragford.test/followers_synchronization"},
        {"url": "http://127.0.0.1/followers"},
        {"collectionId": "https://brackwell.test/councils/another/followers"},
        {"digest": "none"},
    ],
)
def test_a_header_that_speaks_of_somebody_else_is_passed_over(
    changed: dict[str, str], nodes: Nodes, node: TestNode, peer: FakePeer, sender: FakeActor
) -> None:
    followed(node, nodes, sender)
    third = FakePeer.join(nodes, "cragford.test", node)
    lists(sender)
    deliver(sender, node, header(sender, **changed))
    nodes.run_until_idle()
    assert (peer.received, third.fetched) == ([], [])


def test_a_header_that_nobody_signed_is_passed_over(
    nodes: Nodes, node: TestNode, peer: FakePeer, sender: FakeActor
) -> None:
    followed(node, nodes, sender)
    lists(sender)
    deliver(sender, node, header(sender), signed=False)
    nodes.run_until_idle()
    assert peer.received == []


def test_the_same_list_asks_for_nothing(
    nodes: Nodes, node: TestNode, peer: FakePeer, sender: FakeActor
) -> None:
    followed(node, nodes, sender)
    deliver(sender, node, header(sender, digest=xor_of(node.council_uri)))
    nodes.run_until_idle()
    assert [target for target in peer.fetched if "followers" in target] == []
