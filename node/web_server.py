"""Serving a node: the web server, and the jobs beside it where the settings say so."""

import ctypes
import gc
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from time import monotonic
from types import FrameType
from typing import Any

import click
import structlog
import waitress
import waitress.adjustments
import waitress.channel
import waitress.parser
import waitress.server
import waitress.utilities
from flask import Flask

from node.app import get_node
from node.councils import service as councils
from node.data_folder import get_secret_key
from node.errors import SettingsError
from node.federating import queues, refusals
from node.people.attempt_limits import network_of
from node.people.sign_in import first_run_token
from node.runtime import Node
from node.web.host_middleware import HostMiddleware

log = structlog.get_logger(__name__)

MAX_REQUEST_BYTES = 4 * 1024 * 1024
# Of a larger request so much is read and thrown away, so that its sender, or the proxy between,
# gets to read why it is refused. Who sends yet more is cut off.
MAX_DISCARDED_BYTES = 64 * 1024 * 1024
FLUSH_INTERVAL_SECONDS = 1.0
# Of connections, so many are open; of a request that has begun, all arrives within so many seconds.
MAX_CONNECTIONS, MAX_REQUEST_SECONDS = 1_000, 60.0
# Of one address, so many; of one that sends nothing, for so many seconds. Looked at so often.
MAX_CONNECTIONS_PER_ADDRESS, IDLE_TIMEOUT_SECONDS, CLEANUP_INTERVAL_SECONDS = 250, 10, 5
# Shorter answers are sent by the thread that waits for the sockets, many at once. It would look
# over and over at a socket into which another thread is about to send, and keep that one from it.
MIN_SEND_BYTES = 18_000
# What glibc's mallopt calls the greatest number of heaps.
M_ARENA_MAX, MAX_HEAPS = -8, 2


def serve(app: Flask, on_ready: Callable[[Node, str], None] | None = None) -> None:
    """Answer web requests until SIGTERM or Ctrl-C. `announce` is called once the node listens, with
    the addresses at which it does.

    Raises `SettingsError` where another program listens at the address already.
    """
    node = get_node(app)
    limit_malloc_arenas()
    server = create_server(app)
    if node.settings.jobs == "inside":
        queues.release_all_leases(node)
        node.jobs.start()
    # What is there by now stays: nobody need look again and again whether it is garbage.
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_flush_refusals, args=[node], daemon=True).start()
    try:
        if on_ready:
            on_ready(node, _listening_addresses(server))
        server.run()
    except KeyboardInterrupt:
        log.info("stopping")
    finally:
        server.close()
        node.jobs.stop()
        refusals.flush(node)


def create_server(app: Flask) -> waitress.server.BaseWSGIServer:
    """What answers requests to `app`, once it is run. Raises `SettingsError`."""
    node = get_node(app)
    try:
        server = waitress.create_server(
            HostMiddleware(app, node.settings),
            listen=node.settings.listen_address,
            threads=node.settings.threads,
            ident="moothall",
            max_request_body_size=MAX_REQUEST_BYTES,
            connection_limit=MAX_CONNECTIONS,
            asyncore_use_poll=True,
            cleanup_interval=CLEANUP_INTERVAL_SECONDS,
            clear_untrusted_proxy_headers=True,
            **_proxy_options(node),
        )
    except (OSError, ValueError) as error:
        raise SettingsError(f"Cannot listen on {node.settings.listen_address}: {error}.") from error
    server.adj.send_bytes = MIN_SEND_BYTES
    for one in (server, *getattr(server, "map", {}).values()):  # one for each address
        one.channel_class = LimitedChannel
    return server


class RequestTimeout(waitress.utilities.Error):  # type: ignore[misc]  # waitress has no types
    """A request that does not come to an end."""

    code, reason = 408, "Request Timeout"


class BoundedRequestParser(waitress.parser.HTTPRequestParser):  # type: ignore[misc]
    """Reads one request, and no longer than `LONGEST_REQUEST`, however it comes in drips: whoever
    opens many that never end keeps nobody else out. What is too large is read to its end and not
    kept.
    """

    expect_continue: bool = False

    def __init__(self, adj: object) -> None:
        super().__init__(adj)
        self._began = monotonic()

    def received(self, data: bytes) -> int:
        if monotonic() - self._began > MAX_REQUEST_SECONDS:
            self.error, self.completed = RequestTimeout("It took too long to arrive."), True
            return len(data)
        read: int = super().received(data)
        if isinstance(self.error, waitress.utilities.RequestEntityTooLarge):
            self._discard()
        return read

    def _discard(self) -> None:
        """Complete only once the body is, unless its sender waits to be told to send it."""
        body, waits = self.body_rcv, self.expect_continue
        self.expect_continue = False
        if not isinstance(body.buf, DiscardingBuffer):
            body.buf.close()
            body.buf = DiscardingBuffer()
        size = max(self.content_length, self.body_bytes_received)
        self.completed = bool(waits or body.completed or body.error or size > MAX_DISCARDED_BYTES)


class DiscardingBuffer:
    """A buffer of waitress that keeps nothing."""

    def append(self, data: bytes) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing was kept."""

    def __len__(self) -> int:
        return 0


class LimitedChannel(waitress.channel.HTTPChannel):  # type: ignore[misc]
    """A connection. One address has so many, and one that sends nothing is closed soon, so that
    nobody keeps others out who only connects. The proxy has as many as it likes.
    """

    parser_class = BoundedRequestParser

    def __init__(
        self,
        server: waitress.server.BaseWSGIServer,
        sock: socket.socket,
        addr: tuple[Any, ...],
        adj: waitress.adjustments.Adjustments,
        map: dict[int, object] | None = None,  # noqa: A002 -- waitress names it so
    ) -> None:
        super().__init__(server, sock, addr, adj, map)
        # The server closes what was active too long ago; what arrives makes it active.
        self.last_activity -= adj.channel_timeout - IDLE_TIMEOUT_SECONDS
        self.origin = network_of(addr[0])
        same = sum(one.origin == self.origin for one in list(server.active_channels.values()))
        if addr[0] != adj.trusted_proxy and same > MAX_CONNECTIONS_PER_ADDRESS:
            self.handle_close()


def limit_malloc_arenas() -> None:
    """Have all threads of this process share two heaps, where its C library has one for each: each
    would keep what the largest page needed that it ever made.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, MAX_HEAPS)


def _flush_refusals(node: Node) -> None:
    """Have what this process refused seen by the operator within seconds."""
    while not node.jobs.stopping.wait(FLUSH_INTERVAL_SECONDS):
        refusals.flush(node)


def run_worker(node: Node, on_ready: Callable[[], None] = lambda: None) -> None:
    """Work the jobs off until SIGTERM or Ctrl-C. `announce` is called once it has begun."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    limit_malloc_arenas()
    node.jobs.start()
    on_ready()
    stop.wait()
    node.jobs.stop()


def print_addresses(node: Node, listens: str) -> None:
    """Tell whoever started it where it listens, and where to go."""
    click.echo(f"Listening on {listens} for {node.settings.base_url}")
    with node.reading() as session:
        if councils.own(session) is None:
            token = first_run_token(get_secret_key(node.settings))
            click.echo(f"Set the node up at {node.settings.base_url}/first-run?token={token}")


def _listening_addresses(server: waitress.server.BaseWSGIServer) -> str:
    """Each `host:port` at which a server listens."""
    several = getattr(server, "effective_listen", None)
    every = several or [(server.effective_host, server.effective_port)]
    return ", ".join(
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in every
    )


def _proxy_options(node: Node) -> dict[str, object]:
    if not node.settings.trusted_proxy:
        return {}
    return {
        "trusted_proxy": str(ip_address(node.settings.trusted_proxy)),
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
    }


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
