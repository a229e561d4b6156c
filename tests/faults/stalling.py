"""A TCP proxy that holds up what it is told to, so that a process can be killed meanwhile."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 65_536
# Whoever waits is killed, or goes on, long before.
LONGEST_HOLD = 60.0


class Proxy(socketserver.ThreadingTCPServer):
    """Passes connections at `port` on to `target`, both on loopback."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, target: int) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        self.target = target
        self.held_request = threading.Event()
        self.held_answer = threading.Event()
        self.released = threading.Event()
        self._beginning: bytes | None = None
        self._answers_only = False

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            thread.join(5)

    def hold(self, beginning: bytes, *, answers_only: bool = False) -> None:
        """From now on keep requests that begin so, or only the answers to them."""
        self.held_request.clear()
        self.held_answer.clear()
        self.released.clear()
        self._beginning, self._answers_only = beginning, answers_only

    def release(self) -> None:
        """Cut off what is held, and pass on what comes."""
        self._beginning = None
        self.released.set()

    def holds(self, request: bytes) -> bool:
        return self._beginning is not None and request.startswith(self._beginning)

    @property
    def answers_only(self) -> bool:
        return self._answers_only


class _Connection(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        self._muted = threading.Event()
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", self.server.target)) as there,
        ):
            back = threading.Thread(target=self._pass_back, args=(there,), daemon=True)
            back.start()
            self._pass_on(there)
            there.shutdown(socket.SHUT_RDWR)
            back.join(5)

    def _pass_on(self, there: socket.socket) -> None:
        with suppress(OSError):
            while chunk := self.request.recv(CHUNK):
                if self.server.holds(chunk):
                    if not self.server.answers_only:
                        self.server.held_request.set()
                        self.server.released.wait(LONGEST_HOLD)
                        return
                    self._muted.set()
                there.sendall(chunk)

    def _pass_back(self, there: socket.socket) -> None:
        with suppress(OSError):
            while chunk := there.recv(CHUNK):
                if self._muted.is_set():
                    self.server.held_answer.set()
                    self.server.released.wait(LONGEST_HOLD)
                    break
                self.request.sendall(chunk)
        with suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)
