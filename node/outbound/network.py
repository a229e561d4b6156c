"""Guarded connections: look a name up once, check every IP address, connect to a checked one.

The pool passes the numbers of a request's `timeout` extension unchanged to the backend and to its
streams. Ours read them as the deadline of the whole request (`time.monotonic()`), so that a slow
server cannot restart the clock with each byte.
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
from node.outbound.errors import OutboundError, OutboundErrorCode, timeout_error
from node.outbound.ip_addresses import can_connect

Resolver = Callable[[str], Sequence[str]]
"""Returns the numeric IP addresses of a name, best first. Raises `OSError` if there are none."""

# Concurrent look-ups. A look-up that hangs cannot be stopped, and occupies its thread.
MAX_LOOKUPS = 64
# Addresses tried per name.
MAX_TRIED_ADDRESSES = 4


def system_resolver(host: str) -> list[str]:
    """Look up the IP addresses of `host` with the operating system's resolver."""
    results = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(socket_address[0]) for *_, socket_address in results))


def seconds_left(deadline: float | None) -> float:
    """Seconds until `deadline`. Raises `OutboundError` (timeout) if it has passed or is None."""
    remaining = (deadline or 0.0) - monotonic()
    if remaining <= 0:
        raise timeout_error()
    return remaining


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens connections to public addresses, and for `private_hosts` also to local ones.

    The pool reuses a connection only for the same scheme, host and port, on which alone the check
    depends, so a reused connection has passed it as well.
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
            raise _not_resolved_error()
        if not all(can_connect(address, allow_private=private) for address in addresses):
            raise OutboundError(
                OutboundErrorCode.FORBIDDEN_ADDRESS,
                msg("The server’s name points to an address that is not public."),
            )
        candidates = addresses[:MAX_TRIED_ADDRESSES]
        for index, address in enumerate(candidates):
            share = seconds_left(timeout) / (len(candidates) - index)
            try:
                stream = self._dialler.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
            return DeadlineStream(stream)
        raise OutboundError(OutboundErrorCode.UNREACHABLE, msg("The server cannot be reached."))

    def _look_up(self, host: str, deadline: float | None) -> Sequence[str]:
        if not self._lookups.acquire(timeout=seconds_left(deadline)):
            raise timeout_error()
        future: Future[Sequence[str]] = Future()
        Thread(target=self._resolve, args=(host, future), daemon=True).start()
        try:
            return future.result(seconds_left(deadline))
        except TimeoutError as error:
            raise timeout_error() from error
        except (OSError, UnicodeError) as error:
            raise _not_resolved_error() from error

    def _resolve(self, host: str, future: "Future[Sequence[str]]") -> None:
        try:
            future.set_result(self._resolver(host))
        except Exception as error:  # noqa: BLE001 -- raised in the waiting thread
            future.set_exception(error)
        finally:
            self._lookups.release()


class DeadlineStream(httpcore2.NetworkStream):
    """A connection whose `timeout` arguments are deadlines, which no operation outlasts."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, seconds_left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # The wrapped stream's `write` would restart the timeout after each partial send.
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
        remaining = seconds_left(timeout)
        try:
            return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, remaining))
        except httpcore2.ConnectError as error:
            raise OutboundError(
                OutboundErrorCode.TLS, msg("A secure connection to the server could not be made.")
            ) from error

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _not_resolved_error() -> OutboundError:
    return OutboundError(
        OutboundErrorCode.NAME_NOT_RESOLVED, msg("The server’s name could not be found.")
    )
