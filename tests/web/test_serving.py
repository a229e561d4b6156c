"""How the web server bears those who send slowly."""

import socket
import threading
import time

import pytest

from node import serving
from node.testing.nodes import Nodes

GOOD = b"GET /.well-known/nodeinfo HTTP/1.1\r\nHost: aldermoor.test\r\nConnection: close\r\n\r\n"


def test_a_request_that_comes_in_drips_for_ever_is_ended_and_keeps_nobody_out(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "LONGEST_REQUEST", 0.2)
    node = nodes.start("aldermoor", listen="127.0.0.1:0")
    server = serving.listen(node.app)
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
