"""The processes of a node: the web server, with jobs if the settings say so, and the worker."""

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
from node.federating.peers import refusals
from node.people.attempt_limits import network_of
from node.people.sign_in import first_run_token
from node.queue import leases
from node.runtime import Node
from node.web.host_middleware import HostMiddleware

log = structlog.get_logger(__name__)

MAX_REQUEST_BYTES = 4 * 1024 * 1024
# A larger request is read and discarded up to this size, so that the client, or a proxy, reads the
# response with the error. Beyond it the connection is closed.
MAX_DISCARDED_BYTES = 64 * 1024 * 1024
FLUSH_INTERVAL_SECONDS = 1.0
# Open connections, and the time within which a whole request must arrive.
MAX_CONNECTIONS, MAX_REQUEST_SECONDS = 1_000, 60.0
# Connections of one network, how long one may send nothing, and how often that is checked.
MAX_CONNECTIONS_PER_ADDRESS, IDLE_TIMEOUT_SECONDS, CLEANUP_INTERVAL_SECONDS = 250, 10, 5
# Shorter responses are sent by waitress's main thread, in batches. Otherwise its poll loop would
# spin on a socket to which another thread is about to write, and delay that thread.
MIN_SEND_BYTES = 18_000
# glibc's mallopt parameter for the maximum number of arenas, and its value.
M_ARENA_MAX, MAX_ARENAS = -8, 2


def serve(app: Flask, on_ready: Callable[[Node, str], None] | None = None) -> None:
    """Answer web requests until SIGTERM or Ctrl-C. `on_ready(node, addresses)` is called when the
    node listens; `addresses` is a text with each `host:port`.

    Raises `SettingsError` if the node cannot listen, such as when the port is in use.
    """
    node = get_node(app)
    limit_malloc_arenas()
    server = create_server(app)
    if node.settings.jobs == "inside":
        leases.release_all_leases(node)
        node.jobs.start()
    # Everything allocated so far is permanent: keep the garbage collector from scanning it.
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
    """Create the server of `app`, which listens but does not run yet. Raises `SettingsError`."""
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
    for listener in (server, *getattr(server, "map", {}).values()):  # one for each address
        listener.channel_class = LimitedChannel
    return server


class RequestTimeout(waitress.utilities.Error):  # type: ignore[misc]  # waitress has no types
    """A request that did not arrive in time."""

    code, reason = 408, "Request Timeout"


class BoundedRequestParser(waitress.parser.HTTPRequestParser):  # type: ignore[misc]
    """Reads one request within `MAX_REQUEST_SECONDS`, so that slow clients cannot occupy all
    connections (Slowloris). A request that is too large is read to its end and discarded.
    """

    expect_continue: bool = False

    def __init__(self, adj: object) -> None:
        super().__init__(adj)
        self._started = monotonic()

    def received(self, data: bytes) -> int:
        if monotonic() - self._started > MAX_REQUEST_SECONDS:
            self.error, self.completed = RequestTimeout("The request took too long."), True
            return len(data)
        consumed: int = super().received(data)
        if isinstance(self.error, waitress.utilities.RequestEntityTooLarge):
            self._discard()
        return consumed

    def _discard(self) -> None:
        """Discard the body. The request is complete when the body has ended, or at once if the
        client waits for `100 Continue` before it sends the body.
        """
        body, is_waiting = self.body_rcv, self.expect_continue
        self.expect_continue = False
        if not isinstance(body.buf, DiscardingBuffer):
            body.buf.close()
            body.buf = DiscardingBuffer()
        size = max(self.content_length, self.body_bytes_received)
        self.completed = bool(
            is_waiting or body.completed or body.error or size > MAX_DISCARDED_BYTES
        )


class DiscardingBuffer:
    """A waitress buffer that discards what is written to it."""

    def append(self, data: bytes) -> None:
        """Discard `data`."""

    def close(self) -> None:
        """Nothing to close."""

    def __len__(self) -> int:
        return 0


class LimitedChannel(waitress.channel.HTTPChannel):  # type: ignore[misc]
    """A connection. Limits connections per network and closes idle ones soon, so that a client
    cannot occupy all of them. The trusted proxy has no limit.
    """

    parser_class = BoundedRequestParser

    def __init__(
        self,
        server: waitress.server.BaseWSGIServer,
        sock: socket.socket,
        addr: tuple[Any, ...],
        adj: waitress.adjustments.Adjustments,
        map: dict[int, object] | None = None,  # noqa: A002 -- waitress's name
    ) -> None:
        super().__init__(server, sock, addr, adj, map)
        # The server closes a channel `channel_timeout` after its last activity. Received data
        # resets this, so only new connections have the shorter timeout.
        self.last_activity -= adj.channel_timeout - IDLE_TIMEOUT_SECONDS
        self.network = network_of(addr[0])
        channels = list(server.active_channels.values())
        count = sum(channel.network == self.network for channel in channels)
        if addr[0] != adj.trusted_proxy and count > MAX_CONNECTIONS_PER_ADDRESS:
            self.handle_close()


def limit_malloc_arenas() -> None:
    """Limit glibc to two malloc arenas. By default each thread gets its own, which never shrinks
    below what the largest page that the thread rendered needed.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, MAX_ARENAS)


def _flush_refusals(node: Node) -> None:
    """Write the refusals that this process has buffered to the database every second."""
    while not node.jobs.stopping.wait(FLUSH_INTERVAL_SECONDS):
        refusals.flush(node)


def run_worker(node: Node, on_ready: Callable[[], None] = lambda: None) -> None:
    """Run the jobs until SIGTERM or Ctrl-C. `on_ready` is called when they have started."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    limit_malloc_arenas()
    node.jobs.start()
    on_ready()
    stop.wait()
    node.jobs.stop()


def print_addresses(node: Node, addresses: str) -> None:
    """Print where the node listens, and the first-run page's address until the node is set up."""
    click.echo(f"Listening on {addresses} for {node.settings.base_url}")
    with node.reading() as session:
        if councils.get_own(session) is None:
            token = first_run_token(get_secret_key(node.settings))
            click.echo(f"Set up the server at {node.settings.base_url}/first-run?token={token}")


def _listening_addresses(server: waitress.server.BaseWSGIServer) -> str:
    """Each `host:port` at which a server listens, separated by commas."""
    listeners = getattr(server, "effective_listen", None)
    addresses = listeners or [(server.effective_host, server.effective_port)]
    return ", ".join(
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses
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
