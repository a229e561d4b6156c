"""Https in front of servers that speak plain http, as a proxy is in front of a council's node.

One listener serves every name and passes a request on by its Host header. It keeps what passed, so
that a test can say which signature came first, and what was answered.
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from threading import Thread

# What belongs to one connection, and is made anew for the next.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}
# What an answer says of itself, which is written anew.
REWRITTEN = HOP_BY_HOP | {"content-length", "date", "server"}
ANSWER_SECONDS = 20


@dataclass(frozen=True)
class Exchange:
    """One request, and the status of its answer. The names of `headers` are lower-case."""

    host: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def scheme(self) -> str:
        """How the request was signed: `rfc9421`, `cavage` or not at all."""
        if "signature-input" in self.headers:
            return "rfc9421"
        return "cavage" if "signature" in self.headers else ""


@dataclass
class Front:
    """`backends` maps the name of a server to the port at which it listens in the clear."""

    certificate: Path
    port: int
    backends: dict[str, int] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)

    def authority(self, name: str) -> str:
        return f"{name}:{self.port}"

    def sent_to(self, name: str, method: str, path: str = "") -> list[Exchange]:
        """What was asked of the server `name`, in the order in which it was answered."""
        host = self.authority(name)
        return [
            one
            for one in self.exchanges.copy()
            if (one.host, one.method) == (host, method) and path in one.path
        ]

    def repeat(self, exchange: Exchange) -> int:
        """Ask for the same again; the status of the answer."""
        status, _headers, _content = self.ask(
            exchange.host, exchange.method, exchange.path, exchange.headers, exchange.body
        )
        return status

    def ask(
        self, host: str, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """The answer of the server behind: status, headers, content. 502 where there is none."""
        name, _, port = host.partition(":")
        behind = self.backends.get(name, 0) if port == str(self.port) else 0
        backend = HTTPConnection("127.0.0.1", behind, timeout=ANSWER_SECONDS)
        try:
            backend.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for header, value in headers.items():
                if header.lower() not in HOP_BY_HOP:
                    backend.putheader(header, value)
            backend.putheader("X-Forwarded-Proto", "https")
            backend.endheaders(body)
            answer = backend.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except OSError:
            return 502, [], b""
        finally:
            backend.close()

    @contextmanager
    def running(self) -> Iterator["Front"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        handler = type("Handler", (_Handler,), {"front": self})
        server = _Server(("127.0.0.1", self.port), handler)
        server.tls = context
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    tls: ssl.SSLContext

    def get_request(self) -> tuple[socket, tuple[str, int]]:
        plain, address = super().get_request()
        # The handshake happens in the connection's own thread, at the first byte it reads.
        secure = self.tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        return secure, address

    def handle_error(self, *_arguments: object) -> None:
        """Whoever breaks off a connection is of no interest."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    front: Front

    def _pass_on(self) -> None:
        host = self.headers.get("Host", "")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, answered, content = self.front.ask(host, self.command, self.path, headers, body)
        exchange = Exchange(host, self.command, self.path, headers, body, status)
        self.front.exchanges.append(exchange)
        self._answer(status, answered, content)

    do_GET = do_HEAD = do_POST = _pass_on  # noqa: N815 -- as the standard library names them

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in REWRITTEN:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """What passed is in `Front.exchanges`."""
