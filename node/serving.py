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

from node.app import node_of
from node.councils import service as councils
from node.data_folder import with_secret
from node.errors import SettingsError
from node.federating import queues, refusals
from node.people.sign_in import first_run_token
from node.people.tries import origin
from node.runtime import Node
from node.web.host_door import HostDoor

log = structlog.get_logger(__name__)

REQUEST_BYTES = 4 * 1024 * 1024
# Of a larger request so much is read and thrown away, so that its sender, or the proxy between,
# gets to read why it is refused. Who sends yet more is cut off.
MOST_DISCARDED = 64 * 1024 * 1024
FLUSH_SECONDS = 1.0
# Of connections, so many are open; of a request that has begun, all arrives within so many seconds.
MOST_CONNECTIONS, LONGEST_REQUEST = 1_000, 60.0
# Of one address, so many; of one that sends nothing, for so many seconds. Looked at so often.
MAX_OF_ADDRESS, SILENT_SECONDS, CLEANUP_SECONDS = 250, 10, 5
# Shorter answers are sent by the thread that waits for the sockets, many at once. It would look
# over and over at a socket into which another thread is about to send, and keep that one from it.
SENT_BY_OTHERS = 18_000
# What glibc's mallopt calls the greatest number of heaps.
M_ARENA_MAX, HEAPS = -8, 2


def serve(app: Flask, announce: Callable[[Node, str], None] | None = None) -> None:
    """Answer web requests until SIGTERM or Ctrl-C. `announce` is called once the node listens, with
    the addresses at which it does.

    Raises `SettingsError` where another program listens at the address already.
    """
    node = node_of(app)
    share_heaps()
    server = listen(app)
    if node.settings.jobs == "inside":
        queues.release_all(node)
        node.jobs.start()
    # What is there by now stays: nobody need look again and again whether it is garbage.
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_write_refusals_down, args=[node], daemon=True).start()
    try:
        if announce:
            announce(node, _where(server))
        server.run()
    except KeyboardInterrupt:
        log.info("stopping")
    finally:
        server.close()
        node.jobs.stop()
        refusals.flush(node)


def listen(app: Flask) -> waitress.server.BaseWSGIServer:
    """What answers requests to `app`, once it is run. Raises `SettingsError`."""
    node = node_of(app)
    try:
        server = waitress.create_server(
            HostDoor(app, node.settings),
            listen=node.settings.address,
            threads=node.settings.threads,
            ident="moothall",
            max_request_body_size=REQUEST_BYTES,
            connection_limit=MOST_CONNECTIONS,
            asyncore_use_poll=True,
            cleanup_interval=CLEANUP_SECONDS,
            clear_untrusted_proxy_headers=True,
            **_proxy(node),
        )
    except (OSError, ValueError) as error:
        raise SettingsError(f"Cannot listen on {node.settings.address}: {error}.") from error
    server.adj.send_bytes = SENT_BY_OTHERS
    for one in (server, *getattr(server, "map", {}).values()):  # one for each address
        one.channel_class = Channel
    return server


class TooSlow(waitress.utilities.Error):  # type: ignore[misc]  # waitress has no types
    """A request that does not come to an end."""

    code, reason = 408, "Request Timeout"


class Parser(waitress.parser.HTTPRequestParser):  # type: ignore[misc]
    """Reads one request, and no longer than `LONGEST_REQUEST`, however it comes in drips: whoever
    opens many that never end keeps nobody else out. What is too large is read to its end and not
    kept.
    """

    expect_continue: bool = False

    def __init__(self, adj: object) -> None:
        super().__init__(adj)
        self._began = monotonic()

    def received(self, data: bytes) -> int:
        if monotonic() - self._began > LONGEST_REQUEST:
            self.error, self.completed = TooSlow("It took too long to arrive."), True
            return len(data)
        read: int = super().received(data)
        if isinstance(self.error, waitress.utilities.RequestEntityTooLarge):
            self._discard()
        return read

    def _discard(self) -> None:
        """Complete only once the body is, unless its sender waits to be told to send it."""
        body, waits = self.body_rcv, self.expect_continue
        self.expect_continue = False
        if not isinstance(body.buf, Discarded):
            body.buf.close()
            body.buf = Discarded()
        size = max(self.content_length, self.body_bytes_received)
        self.completed = bool(waits or body.completed or body.error or size > MOST_DISCARDED)


class Discarded:
    """A buffer of waitress that keeps nothing."""

    def append(self, data: bytes) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing was kept."""

    def __len__(self) -> int:
        return 0


class Channel(waitress.channel.HTTPChannel):  # type: ignore[misc]
    """A connection. One address has so many, and one that sends nothing is closed soon, so that
    nobody keeps others out who only connects. The proxy has as many as it likes.
    """

    parser_class = Parser

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
        self.last_activity -= adj.channel_timeout - SILENT_SECONDS
        self.origin = origin(addr[0])
        same = sum(one.origin == self.origin for one in list(server.active_channels.values()))
        if addr[0] != adj.trusted_proxy and same > MAX_OF_ADDRESS:
            self.handle_close()


def share_heaps() -> None:
    """Have all threads of this process share two heaps, where its C library has one for each: each
    would keep what the largest page needed that it ever made.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)


def _write_refusals_down(node: Node) -> None:
    """Have what this process refused seen by the operator within seconds."""
    while not node.jobs.stopping.wait(FLUSH_SECONDS):
        refusals.flush(node)


def work(node: Node, announce: Callable[[], None] = lambda: None) -> None:
    """Work the jobs off until SIGTERM or Ctrl-C. `announce` is called once it has begun."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    share_heaps()
    node.jobs.start()
    announce()
    stop.wait()
    node.jobs.stop()


def say_where(node: Node, listens: str) -> None:
    """Tell whoever started it where it listens, and where to go."""
    click.echo(f"Listening on {listens} for {node.settings.base_url}")
    with node.reading() as session:
        if councils.own(session) is None:
            token = first_run_token(with_secret(node.settings))
            click.echo(f"Set the node up at {node.settings.base_url}/first-run?token={token}")


def _where(server: waitress.server.BaseWSGIServer) -> str:
    """Each `host:port` at which a server listens."""
    several = getattr(server, "effective_listen", None)
    every = several or [(server.effective_host, server.effective_port)]
    return ", ".join(
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in every
    )


def _proxy(node: Node) -> dict[str, object]:
    if not node.settings.trusted_proxy:
        return {}
    return {
        "trusted_proxy": str(ip_address(node.settings.trusted_proxy)),
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
    }


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
