"""Other servers on loopback, as well or as badly behaved as a test wants them."""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

Answering = Callable[[socket.socket], None]


def response(body: bytes = b"{}", status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP answer; `content_type="…"` becomes the header `content-type`."""
    given = {
        "content_type": "application/activity+json",
        "content_length": str(len(body)),
        **headers,
    }
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in given.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


class Peer:
    """A server that notes each connection and request, and answers as it is told."""

    def __init__(
        self,
        answer: bytes | Answering,
        address: str,
        port: int,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self._answer = answer
        self._tls = tls
        self._open: list[socket.socket] = []
        self._listener = socket.create_server((address, port), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.authority = f"peer.example:{self.port}"
        self.url = f"http://{self.authority}/"
        Thread(target=self._accept, daemon=True).start()

    @property
    def last(self) -> tuple[str, dict[str, str], bytes]:
        """Request line, headers with lower-case names, and body of the latest request."""
        head, _, body = self.requests[-1].partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        return (
            line,
            {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)},
            body,
        )

    def hang_up(self) -> None:
        """Close the connections, as a server does with idle ones."""
        while self._open:
            connection = self._open.pop()
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as lines:
                while line := lines.readline():
                    request = line
                    while line not in (b"\r\n", b""):
                        line = lines.readline()
                        request += line
                    length = [
                        each
                        for each in request.lower().split(b"\r\n")
                        if each.startswith(b"content-length:")
                    ]
                    request += lines.read(int(length[0].split(b":")[1])) if length else b""
                    self.requests.append(request)
                    if isinstance(self._answer, bytes):
                        connection.sendall(self._answer)
                    else:
                        self._answer(connection)


class Peers:
    """Starts peers, and stops them all in the end."""

    def __init__(self) -> None:
        self._started: list[Peer] = []

    def __call__(
        self,
        answer: bytes | Answering = b"",
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> Peer:
        self._started.append(Peer(answer or response(), address, port, tls))
        return self._started[-1]

    def close(self) -> None:
        for peer in self._started:
            peer.close()
