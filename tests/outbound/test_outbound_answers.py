"""Answers: bounded in size, of the right kind, from where redirects lead."""

import gzip
import socket
from collections.abc import Callable, Collection

import pytest

from node.outbound import (
    AS2_MEDIA_TYPES,
    JRD_MEDIA_TYPES,
    OutboundError,
    OutboundErrorCode,
    OutboundResponse,
)
from tests.outbound.clients import Clients
from tests.outbound.peers import Peers, response

LIMIT = 1_048_576
AS2_PROFILE = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'


def failure(call: Callable[[], object]) -> OutboundError:
    with pytest.raises(OutboundError) as failed:
        call()
    return failed.value


def test_an_answer_is_given_whole(serve: Peers, client: Clients) -> None:
    peer = serve(response(b'{"id": 1}', x_thing="a"))
    answer = client(peer).get(peer.url, accept="application/activity+json")
    assert (answer.status, answer.body, answer.url) == (200, b'{"id": 1}', peer.url)
    assert answer.headers["x-thing"] == "a"
    assert 0 < answer.elapsed_seconds < 5


@pytest.mark.parametrize(
    "content_type,wanted,fits",
    [
        ("application/activity+json", AS2_MEDIA_TYPES, True),
        ("Application/Activity+JSON; charset=utf-8", AS2_MEDIA_TYPES, True),
        (AS2_PROFILE, AS2_MEDIA_TYPES, True),
        (
            'application/ld+json;profile="https://www.w3.org/ns/activitystreams https://w3id.org/x"',
            AS2_MEDIA_TYPES,
            True,
        ),
        ("application/ld+json", AS2_MEDIA_TYPES, False),
        ('application/ld+json; profile="https://example.org/other"', AS2_MEDIA_TYPES, False),
        ("application/json", AS2_MEDIA_TYPES, False),
        ("text/html", AS2_MEDIA_TYPES, False),
        ("application/activity+json, text/html", AS2_MEDIA_TYPES, False),
        ("application/activity+jsonx", AS2_MEDIA_TYPES, False),
        ("", AS2_MEDIA_TYPES, False),
        (";;;=", AS2_MEDIA_TYPES, False),
        ("application/jrd+json", JRD_MEDIA_TYPES, True),
        ("application/json", JRD_MEDIA_TYPES, True),
        ("text/html", JRD_MEDIA_TYPES, False),
    ],
)
def test_must_25_a_document_of_another_kind_is_refused(
    serve: Peers, client: Clients, content_type: str, wanted: Collection[str], fits: bool
) -> None:
    peer = serve(response(content_type=content_type))

    def get() -> OutboundResponse:
        return client(peer).get(peer.url, accept="*/*", content_types=wanted)

    if fits:
        assert get().status == 200
    else:
        assert failure(get).code == OutboundErrorCode.WRONG_CONTENT_TYPE


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone", "429 Too Many", "503 Unavailable"])
def test_an_answer_other_than_success_may_be_of_any_kind(
    serve: Peers, client: Clients, status: str
) -> None:
    peer = serve(response(b"<html>", status, content_type="text/html", retry_after="60"))
    answer = client(peer).get(peer.url, accept="*/*")
    assert answer.status == int(status[:3])
    assert answer.headers["retry-after"] == "60"


def test_an_answer_of_the_greatest_size_is_read(serve: Peers, client: Clients) -> None:
    peer = serve(response(b" " * LIMIT))
    assert len(client(peer).get(peer.url, accept="*/*").body) == LIMIT


@pytest.mark.parametrize("how", ["length", "chunks", "no length"])
def test_must_25_a_larger_answer_is_refused_while_it_arrives(
    serve: Peers, client: Clients, how: str
) -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/activity+json\r\n"
        framing = {
            "length": b"content-length: 99999999999\r\n",
            "chunks": b"transfer-encoding: chunked\r\n",
        }
        connection.sendall(head + framing.get(how, b"") + b"\r\n")
        part = b" " * 65536
        while True:
            connection.sendall(b"10000\r\n" + part + b"\r\n" if how == "chunks" else part)
            sent += len(part)

    peer = serve(flood)
    error = failure(lambda: client(peer).get(peer.url, accept="*/*"))
    assert error.code == OutboundErrorCode.TOO_LARGE
    assert error.permanent
    assert sent < 20 * LIMIT


def test_headers_without_end_are_refused(serve: Peers, client: Clients) -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"x-header: " + b"y" * 1000 + b"\r\n")

    peer = serve(flood)
    assert (
        failure(lambda: client(peer).get(peer.url, accept="*/*")).code
        == OutboundErrorCode.PROTOCOL_ERROR
    )


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "gzip, gzip"])
def test_a_compressed_answer_is_neither_asked_for_nor_taken(
    serve: Peers, client: Clients, encoding: str
) -> None:
    peer = serve(response(gzip.compress(b" " * 2 * LIMIT), content_encoding=encoding))
    outbound = client(peer)
    assert (
        failure(lambda: outbound.get(peer.url, accept="*/*")).code
        == OutboundErrorCode.PROTOCOL_ERROR
    )
    assert peer.last[1]["accept-encoding"] == "identity"
    answer = outbound.post(peer.url, b"{}", content_type="application/json")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: \x00\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
    ],
)
def test_an_answer_that_is_not_http_is_a_typed_error(
    serve: Peers, client: Clients, answer: bytes
) -> None:
    def say(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.close()

    peer = serve(say)
    error = failure(lambda: client(peer, timeout=2.0).get(peer.url, accept="*/*"))
    assert error.code == OutboundErrorCode.PROTOCOL_ERROR


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
def test_redirects_are_followed_to_another_server(
    serve: Peers, client: Clients, status: str
) -> None:
    there = serve(response(b'{"there": 1}'))
    here = serve(response(b"", status, location=f"{there.url}actor#main-key"))
    answer = client(here, there).get(here.url, accept="*/*")
    assert (answer.status, answer.body, answer.url) == (200, b'{"there": 1}', f"{there.url}actor")
    assert there.last[1]["host"] == there.authority


def test_must_25_three_redirects_are_followed_and_no_more(serve: Peers, client: Clients) -> None:
    peer = serve()
    hops = [serve(response(b"", "302 Found", location=peer.url))]
    for _ in range(3):
        hops.append(serve(response(b"", "302 Found", location=hops[-1].url)))
    outbound = client(peer, *hops)
    assert outbound.get(hops[2].url, accept="*/*").url == peer.url
    assert (
        failure(lambda: outbound.get(hops[3].url, accept="*/*")).code
        == OutboundErrorCode.TOO_MANY_REDIRECTS
    )


@pytest.mark.parametrize(
    "location,code",
    [
        ("http://127.0.0.1:{port}/", OutboundErrorCode.FORBIDDEN_SCHEME),
        ("https://169.254.169.254/latest/meta-data/", OutboundErrorCode.FORBIDDEN_ADDRESS),
        ("https://inside.example/", OutboundErrorCode.FORBIDDEN_ADDRESS),
        ("https://peer.example:22/", OutboundErrorCode.FORBIDDEN_PORT),
        ("file:///etc/passwd", OutboundErrorCode.FORBIDDEN_SCHEME),
        ("//user@peer.example:{port}/", OutboundErrorCode.BAD_URL),
        ("http://[::1/", OutboundErrorCode.BAD_URL),
        ("/caf\u00e9", OutboundErrorCode.BAD_URL),
    ],
)
def test_must_25_a_redirect_is_judged_like_any_url(
    serve: Peers, client: Clients, location: str, code: OutboundErrorCode
) -> None:
    private = serve()
    peer = serve(
        response(b"", "302 Found").replace(
            b"content-length",
            b"location: " + location.format(port=private.port).encode() + b"\r\ncontent-length",
        )
    )
    outbound = client(peer, names={"inside.example": ["10.0.0.1"]})
    assert failure(lambda: outbound.get(peer.url, accept="*/*")).code == code
    assert private.connections == 0


def test_each_server_on_the_way_is_asked_for_leave_before_it_is_visited(
    serve: Peers, client: Clients
) -> None:
    there = serve()
    here = serve(response(b"", "302 Found", location=there.url))
    outbound, asked = client(here, there), list[str]()

    def may_visit(authority: str) -> bool:
        asked.append(authority)
        return authority == here.authority

    error = failure(lambda: outbound.get(here.url, accept="*/*", is_host_allowed=may_visit))
    assert (error.code, error.permanent) == (OutboundErrorCode.FORBIDDEN_SERVER, True)
    assert there.authority in error.safe_text
    assert asked == [here.authority, there.authority]
    assert (here.connections, there.connections) == (1, 0)


def test_a_redirect_without_a_place_to_go_is_an_answer(serve: Peers, client: Clients) -> None:
    peer = serve(response(b"", "304 Not Modified"))
    assert client(peer).get(peer.url, accept="*/*").status == 304


def test_a_post_is_not_sent_on(serve: Peers, client: Clients) -> None:
    there = serve()
    here = serve(response(b"", "307 Temporary Redirect", location=there.url))
    answer = client(here, there).post(here.url, b"{}", content_type="application/json")
    assert (answer.status, answer.headers["location"], answer.url) == (307, there.url, here.url)
    assert there.connections == 0


def test_a_long_answer_to_a_post_is_cut_off(serve: Peers, client: Clients) -> None:
    peer = serve(response(b"x" * 200_000, "202 Accepted"))
    answer = client(peer).post(peer.url, b"{}", content_type="application/json")
    assert (answer.status, len(answer.body)) == (202, 65_536)
