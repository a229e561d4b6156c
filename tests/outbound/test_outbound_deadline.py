"""One deadline for a whole request, whatever makes it slow."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event

import pytest

from node.outbound import OutboundError, OutboundErrorCode
from tests.outbound.clients import Clients
from tests.outbound.peers import Answering, Peers, response

TIMEOUT = 0.5
# Every server here goes on for ever; a client that waits for it is given up after so long.
GIVEN_UP = 60.0
FOUND = b"HTTP/1.1 200 OK\r\ncontent-type: application/activity+json\r\n"


def assert_times_out(call: Callable[[], object]) -> None:
    """It fails by itself, and not before its time."""
    started = time.monotonic()
    error = failure_of(call)
    assert error.code == OutboundErrorCode.TIMEOUT
    assert not error.permanent
    assert time.monotonic() - started > TIMEOUT * 0.9


def failure_of(call: Callable[[], object]) -> OutboundError:
    threads = ThreadPoolExecutor(1)
    with pytest.raises(OutboundError) as failed:
        threads.submit(call).result(GIVEN_UP)
    threads.shutdown()
    return failed.value


def drip(beginning: bytes, drop: bytes) -> Answering:
    """Says `beginning`, and then `drop` every 0.1 s."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(beginning)
        while True:
            connection.sendall(drop)
            time.sleep(0.1)

    return answer


@pytest.mark.parametrize(
    "beginning,drop",
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nx: ", b"y"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (
            FOUND + b"content-length: 9999\r\n\r\n",
            b" ",
        ),
        (
            FOUND + b"transfer-encoding: chunked\r\n\r\n",
            b"1\r\n \r\n",
        ),
        (FOUND + b"\r\n", b" "),
    ],
    ids=["silence", "headers", "header", "informational", "body", "chunks", "body-without-end"],
)
def test_must_25_an_answer_that_drips_in(
    serve: Peers, client: Clients, beginning: bytes, drop: bytes
) -> None:
    peer = serve(drip(beginning, drop))
    assert_times_out(lambda: client(peer, timeout=TIMEOUT).get(peer.url, accept="*/*"))


def test_a_look_up_that_hangs(client: Clients) -> None:
    released = Event()

    def hang(host: str) -> list[str]:
        released.wait(30)
        return []

    outbound = client(timeout=TIMEOUT, resolver=hang)
    assert_times_out(lambda: outbound.get("https://peer.example/", accept="*/*"))
    released.set()


def test_a_connection_that_is_never_accepted(client: Clients) -> None:
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        for _ in range(4):  # Fills the queue: whoever comes after it hears nothing.
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(address)
        authority = f"peer.example:{address[1]}"
        outbound = client(timeout=TIMEOUT, private_hosts=[authority])
        error = failure_of(lambda: outbound.get(f"http://{authority}/", accept="*/*"))
        assert error.code in {OutboundErrorCode.TIMEOUT, OutboundErrorCode.UNREACHABLE}


def test_a_handshake_that_never_begins(client: Clients, serve: Peers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        authority = f"peer.example:{listener.getsockname()[1]}"
        outbound = client(timeout=TIMEOUT, private_hosts=[authority])
        assert_times_out(lambda: outbound.get(f"https://{authority}/", accept="*/*"))


def test_a_handshake_that_drips_in(client: Clients) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:

        def serve_slowly() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(5)
                try:
                    connection.sendall(b"\x16\x03\x03\x40\x00")
                    while True:
                        connection.sendall(b"\x02")
                        time.sleep(0.1)
                except OSError:
                    return

        threads.submit(serve_slowly)
        authority = f"peer.example:{listener.getsockname()[1]}"
        outbound = client(timeout=TIMEOUT, private_hosts=[authority])
        error = failure_of(lambda: outbound.get(f"https://{authority}/", accept="*/*"))
        assert error.code in {OutboundErrorCode.TIMEOUT, OutboundErrorCode.TLS}


def test_a_server_that_does_not_take_what_is_sent(client: Clients) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        authority = f"peer.example:{listener.getsockname()[1]}"
        outbound = client(timeout=TIMEOUT, private_hosts=[authority])
        body = b" " * 50_000_000
        assert_times_out(
            lambda: outbound.post(f"http://{authority}/", body, content_type="application/json")
        )


def test_a_server_that_takes_what_is_sent_in_sips(client: Clients) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:

        def sip() -> None:
            connection, _ = listener.accept()
            with connection:
                while not given_up.wait(0.1):
                    connection.recv(100_000)

        given_up = Event()

        threads.submit(sip)
        authority = f"peer.example:{listener.getsockname()[1]}"
        outbound = client(timeout=TIMEOUT, private_hosts=[authority])
        assert_times_out(
            lambda: outbound.post(
                f"http://{authority}/", b" " * 20_000_000, content_type="application/json"
            )
        )
        given_up.set()


def test_must_25_redirects_share_the_deadline(serve: Peers, client: Clients) -> None:
    def send_on(connection: socket.socket) -> None:
        time.sleep(0.2)
        connection.sendall(response(b"", "302 Found", location="/next"))

    peer = serve(send_on)
    assert_times_out(lambda: client(peer, timeout=TIMEOUT).get(peer.url, accept="*/*"))
    assert len(peer.requests) == 3


def test_a_status_that_arrived_counts_even_if_its_body_never_does(
    serve: Peers, client: Clients
) -> None:
    peer = serve(drip(b"HTTP/1.1 202 Accepted\r\ncontent-length: 9999\r\n\r\nthanks", b" "))
    answer = client(peer, timeout=TIMEOUT).post(peer.url, b"{}", content_type="application/json")
    assert answer.status == 202
    assert answer.body.startswith(b"thanks")
    assert answer.elapsed_seconds > TIMEOUT * 0.9


def test_a_slow_server_delays_nobody_else(serve: Peers, client: Clients) -> None:
    slow, quick = serve(drip(b"", b"")), serve()
    outbound = client(slow, quick)
    with ThreadPoolExecutor(20) as threads:
        waiting = [threads.submit(outbound.get, slow.url, accept="*/*") for _ in range(20)]
        while slow.connections < 20:
            time.sleep(0.01)
        assert outbound.get(quick.url, accept="*/*").elapsed_seconds < 1
        slow.close()
        for each in waiting:
            assert isinstance(each.exception(), OutboundError)
