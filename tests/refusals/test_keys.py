"""Keys: how often they are fetched, when they change, when they are gone (musts 20 and 21)."""

import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from federation.signatures import PrivateKey, public_pem
from node.caches_and_limits import SingleFlightCache
from node.federating.models import Actor, ActorKey
from node.testing.fake_peer import FakeActor, FakePeer, private_key_pem
from node.testing.nodes import Nodes, TestNode
from tests.refusals.test_accepted import count

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def statuses(
    sender: FakeActor, node: TestNode, times: int, key: PrivateKey | None = None
) -> list[int]:
    return [
        sender.sign(sender.build_activity("Like", "x"), node, key=key).send(node).status_code
        for _ in range(times)
    ]


def fetches(sender: FakeActor) -> int:
    return sender.peer.fetched.count(sender.uri.removeprefix(f"https://{sender.peer.host}"))


def rotate(sender: FakeActor, which: int = 2) -> FakeActor:
    """The same actor, its key replaced under the same name."""
    peer = sender.peer
    document = peer.documents[sender.uri.removeprefix(f"https://{peer.host}")][1]
    new = PrivateKey(sender.key.key_id, private_key_pem(number=which))
    listed = document["publicKey"] | {"publicKeyPem": public_pem(new.pem)}
    peer.serve(sender.uri, document | {"publicKey": listed})
    return FakeActor(peer, sender.uri, new)


def forget_recent_fetches(node: TestNode) -> None:
    """As if a minute had passed."""
    node.node.key_document_cache.clear()


def test_must_20_a_key_is_fetched_once_and_kept(node: TestNode, peer: FakePeer) -> None:
    sender = peer.actor()
    assert statuses(sender, node, 3) == [202] * 3
    forget_recent_fetches(node)
    assert statuses(sender, node, 3) == [202] * 3
    assert fetches(sender) == 1


def test_must_9_a_key_id_without_a_fragment_is_kept_too(node: TestNode, peer: FakePeer) -> None:
    sender = peer.actor()
    bare = PrivateKey(sender.uri, sender.key.pem)
    assert statuses(sender, node, 2, bare) == [202] * 2
    forget_recent_fetches(node)
    assert statuses(sender, node, 2, bare) == [202] * 2
    assert fetches(sender) == 1


def test_must_20_a_rotated_key_is_accepted_after_one_fetch(node: TestNode, peer: FakePeer) -> None:
    sender = peer.actor()
    assert statuses(sender, node, 1) == [202]
    forget_recent_fetches(node)
    rotated = rotate(sender)
    assert statuses(rotated, node, 3) == [202] * 3
    assert fetches(sender) == 2
    forget_recent_fetches(node)
    assert statuses(sender, node, 1) == [401], "the old key no longer signs"


def test_must_20_wrong_signatures_fetch_at_most_once_a_minute(
    node: TestNode, peer: FakePeer
) -> None:
    sender = peer.actor()
    assert statuses(sender, node, 1) == [202]
    forget_recent_fetches(node)
    forged = FakeActor(peer, sender.uri, PrivateKey(sender.key.key_id, private_key_pem(number=3)))
    assert statuses(forged, node, 5) == [401] * 5
    assert fetches(sender) == 2
    assert statuses(sender, node, 1) == [202], "the key that we know still signs"
    forget_recent_fetches(node)
    assert statuses(forged, node, 2) == [401] * 2
    assert fetches(sender) == 3


def test_a_forged_message_does_not_lock_out_whom_it_names(node: TestNode, peer: FakePeer) -> None:
    """A stranger must not be able to spend the one fetch that a new council needs."""
    sender = peer.actor()
    forged = FakeActor(peer, sender.uri, PrivateKey(sender.key.key_id, private_key_pem(number=3)))
    assert statuses(forged, node, 1) == [401]
    assert statuses(sender, node, 1) == [202]
    assert fetches(sender) == 1


def test_must_20_many_fragments_of_one_document_are_one_fetch(
    node: TestNode, peer: FakePeer
) -> None:
    sender = peer.actor()
    for number in range(5):
        key = PrivateKey(f"{sender.uri}#{number}", sender.key.pem)
        assert statuses(sender, node, 1, key) == [401]
    assert fetches(sender) == 1


def test_must_37_a_server_that_fails_is_asked_once_a_minute(node: TestNode, peer: FakePeer) -> None:
    sender = peer.actor()
    peer.serve(sender.uri, {}, 500)
    assert statuses(sender, node, 4) == [503] * 4
    assert fetches(sender) == 1


def test_must_20_first_messages_that_come_together_share_one_fetch(
    lasting_nodes: Nodes, node: TestNode
) -> None:
    """As a council sends them whose first projects are published at once."""
    peer = SlowPeer.join(lasting_nodes, "slow.test", node)
    sender = peer.actor()
    messages = [sender.sign(sender.build_activity("Like", "x"), node) for _ in range(4)]
    before = count(node)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda message: message.send(node), messages))
    assert [answer.status_code for answer in answers] == [202] * 4
    assert count(node) == before + 4
    assert fetches(sender) == 1
    with node.reading() as session:
        assert len(session.scalars(select(Actor).where(Actor.uri == sender.uri)).all()) == 1


class SlowPeer(FakePeer):
    """Answers after a moment, so that others ask meanwhile."""

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        time.sleep(0.2)
        return super().__call__(environ, start_response)


@dataclass
class GatedPeer(FakePeer):
    """Answers once it is let."""

    is_asked: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        self.is_asked.set()
        self.may_answer.wait(30)
        return super().__call__(environ, start_response)


def test_who_waits_for_a_key_holds_up_nobody(
    lasting_nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    """Messages that arrive together are judged by one thread, which asks nobody."""
    known, gated = peer.actor(), GatedPeer.join(lasting_nodes, "gated.test", node)
    assert statuses(known, node, 1) == [202]
    unknown = gated.actor()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(unknown.send, unknown.build_activity("Like", "x"), node)
        assert gated.is_asked.wait(30)
        assert statuses(known, node, 2) == [202] * 2
        assert not waiting.done()
        gated.may_answer.set()
        assert waiting.result().status_code == 202


def test_must_21_delete_by_an_unknown_actor_that_is_gone_fetches_nothing(
    node: TestNode, peer: FakePeer
) -> None:
    sender = peer.actor()
    peer.serve(sender.uri, {}, 410)
    before = count(node)
    for about in (sender.uri, {"id": sender.uri, "type": "Person"}):
        answer = sender.send(sender.build_activity("Delete", about), node)
        assert answer.status_code == 202
    assert fetches(sender) == 0
    assert count(node) == before


def test_must_21_a_thousand_actors_that_are_gone_cause_no_fetch(
    node: TestNode, peer: FakePeer
) -> None:
    """As when a large server closes, or somebody says so of a thousand that never were."""
    before, fetched = count(node), len(peer.fetched)
    for number in range(1_000):
        uri = peer.uri(f"/gone/{number}")
        gone = FakeActor(peer, uri, PrivateKey(f"{uri}#main-key", private_key_pem()))
        assert gone.send(gone.build_activity("Delete", uri), node).status_code == 202
    assert len(peer.fetched) == fetched
    assert count(node) == before


def test_two_actors_that_list_one_key_id(node: TestNode, peer: FakePeer) -> None:
    """A careless or hostile neighbour on the same host does no harm beyond a fetch."""
    first, second = peer.actor(), peer.actor()
    assert statuses(first, node, 1) == [202]
    document = peer.documents[second.uri.removeprefix(f"https://{peer.host}")][1]
    taken = {
        "id": first.key.key_id,
        "owner": second.uri,
        "publicKeyPem": public_pem(private_key_pem(number=2)),
    }
    peer.serve(second.uri, document | {"publicKey": [document["publicKey"], taken]})
    assert statuses(second, node, 1) == [202]
    forget_recent_fetches(node)
    assert statuses(first, node, 2) == [202] * 2
    with node.reading() as session:
        query = select(ActorKey).where(ActorKey.key_id == first.key.key_id)
        assert session.scalars(query).one().actor.uri == first.uri


@pytest.mark.parametrize(
    "more",
    [
        {"name": "N" * 5000, "preferredUsername": "u" * 5000},
        {"url": f"https://brackwell.test/{'u' * 5000}"},
        {"name": None, "preferredUsername": None, "url": None},
        {"name": ["a"], "preferredUsername": 7, "url": {"a": 1}, "summary": []},
        {"nameMap": {"en": "Brackwell"}, "name": None},
        {"inbox": f"https://brackwell.test/{'i' * 1900}"},
        {"outbox": f"https://brackwell.test/{'o' * 5000}", "endpoints": []},
        {"summary": "s" * 500_000},
    ],
    ids=",".join,
)
def test_odd_actors_are_remembered_as_far_as_they_fit(
    more: dict[str, Any], node: TestNode, peer: FakePeer
) -> None:
    sender = peer.actor(**more)
    assert statuses(sender, node, 2) == [202] * 2
    with node.reading() as session:
        actor = session.scalars(select(Actor).where(Actor.uri == sender.uri)).one()
        assert actor.name
        assert len(actor.about) <= 5_000


def test_recent_does_a_thing_once_and_waits_for_it() -> None:
    recent: SingleFlightCache[int] = SingleFlightCache(seconds=60, max_entries=2)
    begun, go = threading.Event(), threading.Event()

    def slowly() -> int:
        begun.set()
        go.wait(5)
        return 1

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(recent.get_or_compute, "a", slowly)
        begun.wait(5)
        second = pool.submit(recent.get_or_compute, "a", lambda: 2)
        go.set()
        assert (first.result(5), second.result(5)) == (1, 1)
    assert recent.get_or_compute("b", lambda: 3) == 3
    assert recent.get_or_compute("c", lambda: 4) == 4
    assert recent.get_or_compute("a", lambda: 5) == 5, "beyond the limit, the oldest is forgotten"


def test_must_35_recent_forgets_what_takes_up_too_much() -> None:
    recent: SingleFlightCache[str] = SingleFlightCache(max_bytes=100)
    for name in "abc":
        assert recent.get_or_compute(name, lambda: 40 * "x") == 40 * "x"
    assert recent.get_or_compute("c", lambda: "again") == 40 * "x"
    assert recent.get_or_compute("a", lambda: "again") == "again", "the oldest is forgotten"
    assert recent.get_or_compute("d", lambda: 200 * "x") == 200 * "x"
    assert recent.get_or_compute("d", lambda: "again") == "again", "nothing that is larger is kept"


def test_recent_forgets_what_is_old_and_what_failed() -> None:
    recent: SingleFlightCache[int] = SingleFlightCache(seconds=0.0)
    assert [recent.get_or_compute("a", lambda: 1), recent.get_or_compute("a", lambda: 2)] == [1, 2]
    lasting: SingleFlightCache[int] = SingleFlightCache()
    with pytest.raises(ZeroDivisionError):
        lasting.get_or_compute("a", lambda: 1 // 0)
    assert lasting.get_or_compute("a", lambda: 1) == 1
