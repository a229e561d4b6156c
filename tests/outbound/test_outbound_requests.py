"""Requests as they arrive at the other server."""

from collections.abc import Callable

import pytest

from node.outbound import OutboundError, OutboundErrorCode
from tests.outbound.clients import Clients
from tests.outbound.peers import Peers, response


class Notary:
    """A signer that notes what it was asked to sign."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes | None]] = []

    def __call__(self, method: str, url: str, body: bytes | None) -> dict[str, str]:
        self.asked.append((method, url, body))
        return {
            "Host": "elsewhere.example",
            "Signature": f"{len(self.asked)}",
            "Content-Length": "999",
        }


def test_a_post_carries_its_body_and_headers(serve: Peers, client: Clients) -> None:
    peer = serve()
    notary = Notary()
    client(peer).post(
        f"{peer.url}inbox",
        b'{"a": 1}',
        content_type="application/activity+json",
        sign=notary,
        headers={"X-Thing": "b"},
    )
    line, headers, body = peer.last
    assert (line, body) == ("POST /inbox HTTP/1.1", b'{"a": 1}')
    assert headers == {
        "host": peer.authority,
        "user-agent": "Moothall/test",
        "accept-encoding": "identity",
        "content-type": "application/activity+json",
        "content-length": "8",
        "signature": "1",
        "x-thing": "b",
    }
    assert notary.asked == [("POST", f"{peer.url}inbox", b'{"a": 1}')]


def test_an_empty_body_has_a_length(serve: Peers, client: Clients) -> None:
    peer = serve()
    client(peer).post(peer.url, b"", content_type="application/activity+json")
    assert peer.last[1]["content-length"] == "0"


def test_each_hop_is_signed_anew(serve: Peers, client: Clients) -> None:
    there = serve()
    here = serve(response(b"", "302 Found", location=there.url))
    notary = Notary()
    client(here, there).get(here.url, accept="application/activity+json", sign=notary)
    assert notary.asked == [("GET", here.url, None), ("GET", there.url, None)]
    assert here.last[1]["signature"] == "1"
    assert there.last[1]["signature"] == "2"
    assert there.last[1]["accept"] == "application/activity+json"
    assert there.last[1]["host"] == there.authority


@pytest.mark.parametrize(
    "name,value",
    [
        ("X-Thing", "a\r\nX-Injected: 1"),
        ("X-Thing", "a\nX-Injected: 1"),
        ("X-Thing", "a\x00"),
        ("X-Thing", "caf\u00e9"),
        ("X-Thing", " a"),
        ("X-Thing", "a\n"),
        ("X-Thing: 1\r\nX-Injected", "a"),
        ("X Thing", "a"),
        ("X-Thing\n", "a"),
        ("", "a"),
    ],
)
def test_headers_cannot_be_injected(serve: Peers, client: Clients, name: str, value: str) -> None:
    peer = serve()
    outbound = client(peer)
    calls: tuple[Callable[[], object], ...] = (
        lambda: outbound.post(peer.url, b"", content_type="text/plain", headers={name: value}),
        lambda: outbound.post(
            peer.url, b"", content_type="text/plain", sign=lambda *_: {name: value}
        ),
        lambda: outbound.get(peer.url, accept="*/*", sign=lambda *_: {name: value}),
    )
    for call in calls:
        with pytest.raises(OutboundError) as refused:
            call()
        assert refused.value.code == OutboundErrorCode.BAD_HEADER
    assert peer.requests == []


def test_a_signer_cannot_frame_the_body(serve: Peers, client: Clients) -> None:
    peer = serve()
    client(peer).post(
        peer.url,
        b"{}",
        content_type="text/plain",
        sign=lambda *_: {"Transfer-Encoding": "chunked", "Connection": "close"},
    )
    assert peer.last[2] == b"{}"
    assert "transfer-encoding" not in peer.last[1]
