"""How the web server bears those who send slowly, or too much."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import pytest

from node import web_server
from node.testing.nodes import Nodes

Address: TypeAlias = tuple[str, int]
GOOD = b"GET /.well-known/nodeinfo HTTP/1.1\r\nHost: aldermoor.test\r\nConnection: close\r\n\r\n"


@pytest.fixture
def address(nodes: Nodes) -> Iterator[Address]:
    """Where a node listens."""
    server = web_server.create_server(nodes.start("aldermoor", listen="127.0.0.1:0").app)
    threading.Thread(target=server.run, daemon=True).start()
    yield server.socket.getsockname()
    server.close()


def test_one_address_has_so_many_connections_and_no_more(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_server, "MAX_CONNECTIONS_PER_ADDRESS", 3)
    monkeypatch.setattr(web_server, "IDLE_TIMEOUT_SECONDS", 60)
    many = [socket.create_connection(address, 5) for _ in range(4)]
    assert many[3].recv(1) == b""  # closed at once
    many[0].close()
    many[1].sendall(GOOD)
    assert many[1].recv(100).startswith(b"HTTP/1.1 200 ")
    for one in many:
        one.close()


def test_a_connection_that_says_nothing_is_closed(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_server, "IDLE_TIMEOUT_SECONDS", -1)
    monkeypatch.setattr(web_server, "CLEANUP_INTERVAL_SECONDS", 0)
    server = web_server.create_server(nodes.start("aldermoor", listen="127.0.0.1:0").app)
    threading.Thread(target=server.run, daemon=True).start()
    with socket.create_connection(server.socket.getsockname(), 30) as silent:
        assert silent.recv(1) == b""
    server.close()


def test_a_request_that_comes_in_drips_for_ever_is_ended_and_keeps_nobody_out(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_server, "MAX_REQUEST_SECONDS", 0.2)
    node = nodes.start("aldermoor", listen="127.0.0.1:0")
    server = web_server.create_server(node.app)
    threading.Thread(target=server.run, daemon=True).start()
    address = server.socket.getsockname()
    # More than waitress lets in by itself.
    many = [socket.create_connection(address) for _ in range(120)]
    try:
        for one in many:
            one.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        with socket.create_connection(address, 5) as quick:
            quick.sendall(GOOD)
            assert quick.recv(100).startswith(b"HTTP/1.1 200 ")
        time.sleep(0.2)
        many[0].settimeout(5)
        many[0].sendall(b"x")
        assert many[0].recv(100).startswith(b"HTTP/1.0 408 ")
    finally:
        for one in many:
            one.close()
        server.close()


CHUNK = b"x" * 65_536
POST = b"POST %s HTTP/1.1\r\nHost: aldermoor.test\r\nContent-Type: text/plain\r\n"


@contextmanager
def answering(nodes: Nodes) -> Iterator[tuple[str, int]]:
    server = web_server.create_server(nodes.start("aldermoor", listen="127.0.0.1:0").app)
    threading.Thread(target=server.run, daemon=True).start()
    try:
        yield server.socket.getsockname()
    finally:
        server.close()


def answer_to(address: tuple[str, int], head: bytes, parts: int, end: bytes = b"") -> bytes:
    """Send all of it, as proxies do, and only then read what is answered, to the end."""
    with socket.create_connection(address, 30) as sender:
        sender.sendall(head + b"\r\n")
        for _ in range(parts):
            sender.sendall(b"10000\r\n" + CHUNK + b"\r\n" if end else CHUNK)
        sender.sendall(end)
        received = b""
        while more := sender.recv(65_536):
            received += more
        return received


@pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)
def test_must_41_what_is_too_large_is_answered_413_and_not_cut_off(nodes: Nodes) -> None:
    parts = web_server.MAX_REQUEST_BYTES // len(CHUNK) * 2
    length = b"Content-Length: %d\r\n" % (parts * len(CHUNK))
    chunked = b"Transfer-Encoding: chunked\r\n"
    with answering(nodes) as address:
        for path in (b"/inbox", b"/projects/import"):
            head = POST % path
            for answer in (
                answer_to(address, head + length, parts),
                answer_to(address, head + chunked, parts, b"0\r\n\r\n"),
                answer_to(address, head + length + b"Expect: 100-continue\r\n", 0),
            ):
                assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]
                assert b"connection: close" in answer.lower()
        with socket.create_connection(address, 30) as quick:
            quick.sendall(GOOD)
            assert quick.recv(100).startswith(b"HTTP/1.1 200 ")
