"""Starting the councils' nodes, each in a process of its own, and stopping them."""

import multiprocessing
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import permutations
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import click

from node import logs, migrating
from node.app import create_app, node_of
from node.councils import placing
from node.councils import service as councils
from node.councils.founding import found
from node.demo.councils import COUNCILS, PASSWORD, DemoCouncil
from node.demo.stories import tell
from node.errors import MoothallError
from node.federating import fetching, peers
from node.people import service as people
from node.people.permissions import COORDINATOR, OFFICER, OPERATOR
from node.projects import viewing
from node.runtime import Node
from node.serving import serve
from node.settings import Settings
from node.shown import DemoView

BY = "demonstration"
# So many councils are there at once; the others join them.
FIRST = 2
# A slow machine, not a fast one, decides this.
START_SECONDS = 60.0


class DemoError(MoothallError):
    """The demonstration cannot go on."""


@dataclass(frozen=True)
class Running:
    """One council whose node answers. `node` is the same node, opened in this process too."""

    council: DemoCouncil
    settings: Settings
    node: Node
    process: BaseProcess


def stay(port: int, councils: int) -> None:
    """Run until Ctrl-C: two councils at once, and then the others."""
    with ExitStack() as stack:
        running: list[Running] = []
        for some in (COUNCILS[:FIRST], COUNCILS[FIRST:councils]):
            running += stack.enter_context(federation(port, some, councils))
            for follower, followed in permutations(running, 2):
                if follower.council in some or followed.council in some:
                    follow(follower, followed)
            for one in running[-len(some) :] if some else ():
                click.echo(f"\n{one.council.name}   {one.settings.base_url}")
                for role in (OFFICER, COORDINATOR, OPERATOR):
                    click.echo(f"  {role:<12} {one.council.email(role)}")
        click.echo(f"\nThe password of everybody: {PASSWORD}")
        click.echo("Ctrl-C stops all. Nothing is kept.")
        _wait(running)
        click.echo("\nStopping")


def _wait(running: list[Running]) -> None:
    """Until Ctrl-C. Raises `DemoError` when a node stops by itself."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(0.5):
        for one in running:
            if not one.process.is_alive():
                raise DemoError(f"The node of {one.council.name} stopped by itself.")


@contextmanager
def federation(
    port: int, councils: Sequence[DemoCouncil] = COUNCILS[:FIRST], in_all: int = FIRST
) -> Iterator[list[Running]]:
    """The councils' nodes, answering and allowing each other; stopped and forgotten at the end.

    `in_all` is how many councils there will be, from the first port on.
    """
    for council in councils:
        _check_free(port + council.place)
    kind = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context: BaseContext = multiprocessing.get_context(kind)
    with tempfile.TemporaryDirectory(prefix="moothall-demo-") as folder:
        started: list[tuple[DemoCouncil, Settings, BaseProcess]] = []
        try:
            for council in councils:
                settings = council.settings(Path(folder), port, in_all)
                process = context.Process(target=_serve, args=(council, settings), daemon=True)  # type: ignore[attr-defined]
                click.echo(f"Starting {council.name} with its projects")
                process.start()
                started.append((council, settings, process))
            for council, settings, process in started:
                _await(council, settings, process)
            running = [
                Running(council, settings, node_of(create_app(settings)), process)
                for council, settings, process in started
            ]
            yield running
        finally:
            for _council, _settings, process in started:
                process.terminate()
            for _council, _settings, process in started:
                process.join(5)
                if process.is_alive():
                    process.kill()


def follow(follower: Running, followed: Running) -> None:
    """One council follows the other, as its operator would."""
    address = f"@{followed.council.slug}@{followed.settings.authority}"
    document = fetching.find_actor(follower.node, address, vouched=True)
    with follower.node.work(by=BY) as work:
        councils.follow(work, document, vouched=True)


def _serve(council: DemoCouncil, settings: Settings) -> None:
    """The child process: make the database, fill it, and serve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    logs.configure(settings)
    app = create_app(settings)
    node = node_of(app)
    migrating.upgrade(node.engine, node.hooks)
    with app.app_context(), node.work(by=BY) as work:
        found(work, council.founding)
        own = councils.require_own(work.session)
        placing.place(work, council.whereabouts)
        officer, _coordinator = (
            people.create(work, name=name, email=council.email(role), password=PASSWORD, role=role)
            for role, name in ((OFFICER, council.officer), (COORDINATOR, council.coordinator))
        )
        for host in settings.private_hosts:
            if host != settings.authority:
                peers.decide(work, host, peers.ALLOWED)
        for story in council.stories():
            tell(work, own, officer, story)
        work.session.flush()
        view = DemoView(
            councils.as_view(own), people.as_view(officer), tuple(viewing.ours(work.session))
        )
        node.hooks.ask(work, "demo", demo=view)
    serve(app)


def _await(council: DemoCouncil, settings: Settings, process: BaseProcess) -> None:
    """Wait until the node answers."""
    host, _, port = settings.address.rpartition(":")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if not process.is_alive():
            raise DemoError(f"The node of {council.name} did not start.")
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise DemoError(f"The node of {council.name} does not answer.")


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise DemoError(f"Port {port} is taken. Choose another with --port.")
