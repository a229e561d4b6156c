"""What real servers send is accepted, in every spelling that they use (musts 9, 13 and 18)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from federation.signatures import PrivateKey, PublicKey, SignatureScheme, public_pem
from federation.vocabulary import ActorDocument
from node.database.tables import now
from node.federating.models import Actor, InboxItem
from node.testing.fake_peer import FakePeer, SignedMessage, private_key_pem
from node.testing.nodes import TestNode
from tests.refusals.bending import COVERED, digest_of
from tests.refusals.cases import PARTS, Case, key_of, moment, unwrapped

Bend = Callable[[Case], SignedMessage]


def own_key_document(case: Case) -> SignedMessage:
    """A key with a document of its own, which the owner lists."""
    uri = case.peer.new_id("keys")
    path = case.sender.uri.removeprefix(f"https://{case.peer.host}")
    document = case.peer.documents[path][1]
    key = document["publicKey"] | {"id": uri}
    case.peer.serve(uri, key)
    case.peer.serve(case.sender.uri, document | {"publicKey": key})
    return key_of(case, uri)


def ed25519(case: Case, scheme: SignatureScheme) -> SignedMessage:
    key = PrivateKey(f"{case.sender.uri}#ed25519-key", private_key_pem("ed25519"))
    public = PublicKey(key.key_id, case.sender.uri, public_pem(key.pem))
    listed = ActorDocument(
        id=case.sender.uri, type="Person", inbox=f"{case.sender.uri}/inbox", public_keys=(public,)
    )
    case.peer.serve(case.sender.uri, listed.dump())
    return case.good(key=key, scheme=scheme)


def with_digest(case: Case, change: Callable[[SignedMessage], str]) -> SignedMessage:
    message = case.good()
    return case.again(message.with_headers(digest=change(message)))


ROWS: dict[str, Bend] = {
    "9 keyId with a fragment": lambda c: c.good(),
    "9 keyId without a fragment": lambda c: key_of(c, c.sender.uri),
    "9 keyId with a document of its own": own_key_document,
    "9 algorithm absent": lambda c: c.again(c.good(), algorithm=None),
    "9 algorithm hs2019": lambda c: c.again(c.good(), algorithm="hs2019"),
    "9 algorithm rsa-sha256": lambda c: c.again(c.good(), algorithm="rsa-sha256"),
    "9 Ed25519": lambda c: ed25519(c, SignatureScheme.cavage),
    "9 components in another order": lambda c: c.again(c.good(), *reversed(COVERED)),
    "9 more components": lambda c: c.again(c.good(), *COVERED, "content-type"),
    "9 (created)": lambda c: c.again(
        c.good(), "(created)", *COVERED, algorithm="hs2019", created=str(moment())
    ),
    "11 the digest's name in lower case": lambda c: with_digest(
        c, lambda m: m.headers["digest"].replace("SHA", "sha")
    ),
    "11 a SHA-512 beside the SHA-256": lambda c: with_digest(
        c, lambda m: f"{digest_of(m.body, 'sha512')},{m.headers['digest']}"
    ),
    "12 eleven hours old": lambda c: c.good(at=now() - timedelta(hours=11)),
    "12 almost an hour ahead": lambda c: c.good(at=now() + timedelta(minutes=58)),
    "13 the query signed": lambda c: c.good(target="/inbox?a=1&b=%20"),
    "13 the query left out": lambda c: replace(c.good(), target="/inbox?a=1&b=%20"),
    "13 the council's own inbox": lambda c: c.good(target="/councils/aldermoor/inbox"),
    "18 RFC 9421": lambda c: c.good(scheme=SignatureScheme.rfc9421),
    "18 RFC 9421 without alg": lambda c: unwrapped(c, PARTS, created=moment()),
    "18 RFC 9421 with more components": lambda c: unwrapped(
        c, ("@authority", "content-type", *PARTS), created=moment(), expires=moment() + 60
    ),
    "18 RFC 9421 with Ed25519": lambda c: ed25519(c, SignatureScheme.rfc9421),
    "the content type of JSON-LD": lambda c: c.good().with_headers(
        content_type='application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
    ),
    "a content type with a charset": lambda c: c.good().with_headers(
        content_type="Application/Activity+JSON; charset=utf-8"
    ),
    "an actor given as an object": lambda c: c.signed(
        c.like(actor={"id": c.sender.uri, "type": "Person"})
    ),
    "a type that nobody knows": lambda c: c.signed(c.like(type="Frobnicate")),
}


def each_of(*musts: str) -> pytest.MarkDecorator:
    """The rows of some musts; without one, the others."""
    names = [name for name in ROWS if name.partition(" ")[0] in musts]
    rest = [name for name in ROWS if not name[0].isdigit()]
    return pytest.mark.parametrize("name", names if musts else rest)


@dataclass(frozen=True)
class Scene:
    """Where a row is played."""

    node: TestNode
    peer: FakePeer
    other: FakePeer

    def play(self, name: str) -> None:
        """It is accepted, and stored once however often it comes (must 22)."""
        sender = self.peer.actor()
        message = ROWS[name](Case(self.node, sender, self.other))
        before = count(self.node)
        for _ in range(2):
            answer = message.send(self.node)
            assert (answer.status_code, answer.data) == (202, b"")
            assert count(self.node) == before + 1
        with self.node.reading() as session:
            assert session.scalar(select(func.count()).where(Actor.uri == sender.uri)) == 1


@pytest.fixture
def scene(node: TestNode, peer: FakePeer, other: FakePeer) -> Scene:
    return Scene(node, peer, other)


@each_of("9")
def test_must_9_and_22_every_spelling_of_a_key_and_its_algorithm(name: str, scene: Scene) -> None:
    scene.play(name)


@each_of("11", "12", "13")
def test_musts_11_to_13_hold_within_their_limits(name: str, scene: Scene) -> None:
    scene.play(name)


@each_of("18")
def test_must_18_message_signatures_are_taken(name: str, scene: Scene) -> None:
    scene.play(name)


@each_of()
def test_must_33_what_is_unusual_and_right_is_taken(name: str, scene: Scene) -> None:
    scene.play(name)


def count(node: TestNode) -> int:
    with node.reading() as session:
        return session.scalar(select(func.count()).select_from(InboxItem)) or 0
