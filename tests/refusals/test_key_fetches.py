"""What strangers can make a node ask for: not of itself, not often, not with all its threads."""

import gc
import threading
import tracemalloc
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import TestResponse

from federation.signatures import PrivateKey
from node.caches_and_limits import LimitExceededError, RateLimiter
from node.federating.inbound.keystore import MAX_FETCHES_PER_HOST
from node.testing.fake_peer import FakePeer, SignedMessage, private_key_pem
from node.testing.nodes import Nodes, TestNode

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def forged(peer: FakePeer, node: TestNode, key_id: str) -> SignedMessage:
    """What anybody can send: signed with some key, said to be the one at `key_id`."""
    sender = peer.actor()
    return sender.sign(
        sender.build_activity("Like", "x"), node, key=PrivateKey(key_id, private_key_pem(number=3))
    )


def reason(answer: TestResponse) -> tuple[int, str]:
    assert answer.json is not None
    return answer.status_code, answer.json["reason"]


@pytest.mark.parametrize("mode", ["allow-list", "open"])
def test_a_key_is_never_asked_for_of_the_node_itself(mode: str, nodes: Nodes) -> None:
    node = nodes.start("aldermoor", federation=mode)
    peer = FakePeer.join(nodes, "brackwell.test", node)
    itself = FakePeer.join(nodes, node.host)
    for path in ("/somebody#main-key", "/projects", "/actor?x=1"):
        answer = forged(peer, node, itself.uri(path)).send(node)
        assert reason(answer) == (401, "key_not_found")
    assert itself.fetched == []


def test_musts_35_and_37_a_server_is_asked_for_so_many_keys_a_minute(
    node: TestNode, peer: FakePeer
) -> None:
    known = peer.actor()
    assert known.send(known.build_activity("Like", "x"), node).status_code == 202
    before = len(peer.fetched)
    answers = [
        reason(forged(peer, node, peer.uri(f"/nobody/{number}")).send(node))
        for number in range(MAX_FETCHES_PER_HOST + 10)
    ]
    gone, too_many = (401, "key_gone"), (429, "too_many_keys")
    assert answers == [gone] * (MAX_FETCHES_PER_HOST - 1) + [too_many] * 11
    assert len(peer.fetched) - before == MAX_FETCHES_PER_HOST - 1
    assert known.send(known.build_activity("Like", "x"), node).status_code == 202, (
        "whom we know is heard"
    )
    newcomer = peer.actor()
    message = newcomer.sign(newcomer.build_activity("Like", "x"), node)
    answer = message.send(node)
    assert (reason(answer), answer.headers["Retry-After"]) == (too_many, "60")
    node.node.key_fetch_limiter.reset()
    assert message.send(node).status_code == 202, "a minute later, it is heard"


def test_one_server_does_not_use_up_what_another_may_be_asked(
    node: TestNode, peer: FakePeer, other: FakePeer
) -> None:
    for number in range(MAX_FETCHES_PER_HOST):
        forged(peer, node, peer.uri(f"/no/{number}")).send(node)
    sender = other.actor()
    assert sender.send(sender.build_activity("Like", "x"), node).status_code == 202


class Stuck(FakePeer):
    """Answers nobody before it is let go."""

    go = threading.Event()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        self.go.wait(30)
        return super().__call__(environ, start_response)


@pytest.mark.parametrize("path", ["/nobody/{}", "/nobody"], ids=["many keys", "one key"])
def test_must_37_half_of_the_threads_never_wait_for_keys(path: str, nodes: Nodes) -> None:
    node = nodes.start("aldermoor", threads=4)
    stuck = Stuck.join(nodes, "stuck.test", node)
    stuck.go.clear()
    messages = [forged(stuck, node, stuck.uri(path.format(number))) for number in range(6)]
    done = threading.Semaphore(0)

    def send(message: SignedMessage) -> tuple[tuple[int, str], str | None]:
        answer = message.send(node)
        done.release()
        return reason(answer), answer.headers.get("Retry-After")

    with ThreadPoolExecutor(len(messages)) as pool:
        answers = [pool.submit(send, message) for message in messages]
        try:
            refused_at_once = sum(done.acquire(timeout=15) for _ in range(4))
            waiting = sum(not answer.done() for answer in answers)
        finally:
            stuck.go.set()
        assert (refused_at_once, waiting) == (4, 2)
        given = [answer.result(30) for answer in answers]
        assert given.count(((503, "busy"), "10")) == 4
        assert given.count(((401, "key_gone"), None)) == 2
    sender = stuck.actor()
    assert sender.send(sender.build_activity("Like", "x"), node).status_code == 202, (
        "all places are free"
    )


def test_must_35_of_what_strangers_serve_their_keys_alone_stay_in_memory(
    node: TestNode, peer: FakePeer
) -> None:
    """A document of a million bytes takes up to 25 times as many once it is read."""
    senders = [peer.actor(more=[{}] * 200_000) for _ in range(4)]
    messages = [one.sign(one.build_activity("Like", "x"), node) for one in senders]
    gc.collect()
    tracemalloc.start()
    try:
        answers = [message.send(node).status_code for message in messages]
        gc.collect()
        held, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answers == [202] * 4
    assert held < 5_000_000


def test_an_allowance_begins_anew() -> None:
    allowance = RateLimiter(seconds=0.0)
    allowance.hit("a", 1, 1)
    allowance.hit("a", 1, 1)
    lasting = RateLimiter()
    lasting.hit("a", 1, 2)
    with pytest.raises(LimitExceededError, match="a"):
        lasting.hit("a", 1, 2)
    lasting.hit("b", 1, 2)
    with pytest.raises(LimitExceededError, match=r"^$"):
        lasting.hit("c", 1, 2)


def test_a_place_is_given_back_whatever_happens() -> None:
    allowance = RateLimiter()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), allowance.slot(1):
            1 // 0  # noqa: B018
    with allowance.slot(1), pytest.raises(LimitExceededError), allowance.slot(1):
        pass
