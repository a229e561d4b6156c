"""Connections: a name looked up once, every address judged, the judged address dialled, in time.

The pool hands the numbers of a request's `timeout` extension untouched to the backend and to the
streams it got from there. Ours read them as the moment (`time.monotonic()`) at which the whole
request must be over, so that nothing a server does, however slowly, starts the clock again.
"""

import socket
import ssl
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from time import monotonic
from typing import Any

import httpcore2

from node.messages import msg
from node.outbound.errors import OutboundCode, OutboundError, timed_out
from node.outbound.ip_addresses import can_connect

Resolver = Callable[[str], Sequence[str]]
"""Gives the numeric addresses of a name, best first. Raises `OSError` when there are none."""

# Look-ups that hang cannot be stopped, only left behind: so many at most.
MAX_LOOKUPS = 64
# So many addresses of one name are tried.
MAX_TRIED_ADDRESSES = 4


def system_resolver(host: str) -> list[str]:
    """The addresses the operating system knows for `host`."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def seconds_left(deadline: float | None) -> float:
    """Seconds until `deadline`; none given counts as over.

    Raises `OutboundError` `timeout` when it is over.
    """
    left = (deadline or 0.0) - monotonic()
    if left <= 0:
        raise timed_out()
    return left


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens connections to public addresses; for those in `private_hosts` also to local ones.

    The pool reuses a connection for its own scheme, host and port alone. What these may do depends
    on nothing else and never changes, so a connection in the pool was judged by the same rule.
    """

    def __init__(self, resolver: Resolver, private_hosts: Collection[str]) -> None:
        self._resolver = resolver
        self._private_hosts = private_hosts
        self._lookups = BoundedSemaphore(MAX_LOOKUPS)
        self._dialler = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = self._look_up(host, timeout)
        private = f"{host}:{port}" in self._private_hosts
        if not addresses:
            raise _not_resolved()
        if not all(can_connect(address, private=private) for address in addresses):
            raise OutboundError(
                OutboundCode.FORBIDDEN_ADDRESS,
                msg("The server’s name points to an address that is not public."),
            )
        dialled = addresses[:MAX_TRIED_ADDRESSES]
        for place, address in enumerate(dialled):
            share = seconds_left(timeout) / (len(dialled) - place)
            try:
                stream = self._dialler.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
            return DeadlineStream(stream)
        raise OutboundError(OutboundCode.UNREACHABLE, msg("The server cannot be reached."))

    def _look_up(self, host: str, deadline: float | None) -> Sequence[str]:
        if not self._lookups.acquire(timeout=seconds_left(deadline)):
            raise timed_out()
        answer: Future[Sequence[str]] = Future()
        Thread(target=self._resolve, args=(host, answer), daemon=True).start()
        try:
            return answer.result(seconds_left(deadline))
        except TimeoutError as error:
            raise timed_out() from error
        except (OSError, UnicodeError) as error:
            raise _not_resolved() from error

    def _resolve(self, host: str, answer: "Future[Sequence[str]]") -> None:
        try:
            answer.set_result(self._resolver(host))
        except Exception as error:  # noqa: BLE001 -- whoever waits for the answer gets it
            answer.set_exception(error)
        finally:
            self._lookups.release()


class DeadlineStream(httpcore2.NetworkStream):
    """A connection on which no step outlasts the deadline it is given as its timeout."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, seconds_left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # Not the wrapped stream's own loop: it waits the full time again for each piece taken.
        connection: socket.socket = self._stream.get_extra_info("socket")
        unsent = memoryview(buffer)
        try:
            while unsent:
                connection.settimeout(seconds_left(timeout))
                unsent = unsent[connection.send(unsent) :]
        except TimeoutError as error:
            raise httpcore2.WriteTimeout from error
        except OSError as error:
            raise httpcore2.WriteError from error

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = seconds_left(timeout)
        try:
            return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left))
        except httpcore2.ConnectError as error:
            raise OutboundError(
                OutboundCode.TLS, msg("A secure connection to the server could not be made.")
            ) from error

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _not_resolved() -> OutboundError:
    return OutboundError(
        OutboundCode.NAME_NOT_RESOLVED, msg("The server’s name could not be found.")
    )
