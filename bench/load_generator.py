"""A load generator: requests over sockets that stay open, so many at once, from one process."""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

CONNECTIONS = 32
HEADERS_END = b"\r\n\r\n"
CONTENT_LENGTH = b"content-length:"


@dataclass
class LoadResult:
    """What came of a run: how long it took, each answer's status and how long each took (s)."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    response_seconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.response_seconds) / self.seconds

    def percentile(self, share: float) -> float:
        """The milliseconds within which `share` of the answers came."""
        ordered = sorted(self.response_seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def request_bytes(method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    lines = [
        f"{method} {target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + HEADERS_END + body


def is_listening(port: int) -> bool:
    """Whether somebody listens there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def send_requests(
    port: int, requests: Iterator[bytes], seconds: float, connections: int = CONNECTIONS
) -> LoadResult:
    """Send `requests` for so many seconds, or until none is left, each on a connection that is
    free.
    """
    outcome = LoadResult()
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            sock = socket.create_connection(("127.0.0.1", port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(sock, selectors.EVENT_READ, _ClientConnection(sock))
        started = time.perf_counter()
        for key in selector.get_map().values():
            key.data.ask(next(requests))
        busy = connections
        while busy:
            for key, _ in selector.select(timeout=30):
                if not key.data.hear(outcome):
                    continue
                following = next(requests, None)
                if following is None or time.perf_counter() - started >= seconds:
                    busy -= 1
                    selector.unregister(key.data.sock)
                    key.data.sock.close()
                else:
                    key.data.ask(following)
        outcome.seconds = time.perf_counter() - started
    return outcome


class _ClientConnection:
    """One connection: a question, and the answer as far as it has come."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._received = b""
        self._sent_at = 0.0

    def send(self, request: bytes) -> None:
        self._received = b""
        self._sent_at = time.perf_counter()
        self.sock.sendall(request)

    def receive(self, outcome: LoadResult) -> bool:
        """Read what there is; whether the answer is whole."""
        more = self.sock.recv(65536)
        if not more:
            raise ConnectionError(f"the server hung up after {self._received[:200]!r}")
        self._received += more
        head, end, body = self._received.partition(HEADERS_END)
        if not end:
            return False
        lengths = [
            line[len(CONTENT_LENGTH) :]
            for line in head.lower().split(b"\r\n")
            if CONTENT_LENGTH in line
        ]
        if len(body) < int(lengths[0] if lengths else 0):
            return False
        outcome.response_seconds.append(time.perf_counter() - self._sent_at)
        outcome.statuses[int(head[9:12])] += 1
        return True
