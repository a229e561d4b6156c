"""Starts the councils' nodes, each in a process of its own, and stops them."""

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

from node import logs, schema_migrations
from node.access.permissions import COORDINATOR, OFFICER, OPERATOR
from node.app import create_app, get_node
from node.councils import own_location
from node.councils import service as councils
from node.councils.first_run import set_up
from node.demo.councils import COUNCILS, DEMO_PASSWORD, DemoCouncil
from node.demo.demo_projects import create_project
from node.errors import MoothallError
from node.federating.peers import fetching
from node.federating.peers import service as peers
from node.people import service as people
from node.plugin_api.info import DemoInfo
from node.principal import Principal
from node.projects import plugin_data
from node.runtime import Node
from node.settings import Settings
from node.web_server import serve

DEMONSTRATION = Principal.command("demonstration")
# Councils that are started first; the others join them later.
INITIAL_COUNCIL_COUNT = 2
# Enough for a slow machine.
MAX_START_SECONDS = 60.0


class DemoError(MoothallError):
    """The demonstration cannot continue."""


@dataclass(frozen=True)
class RunningNode:
    """A council whose node is up. `node` is the same node, opened in this process too."""

    council: DemoCouncil
    settings: Settings
    node: Node
    process: BaseProcess


def run_until_stopped(port: int, councils: int) -> None:
    """Run until Ctrl-C: the first councils, and then all others."""
    with ExitStack() as stack:
        running: list[RunningNode] = []
        for group in (COUNCILS[:INITIAL_COUNCIL_COUNT], COUNCILS[INITIAL_COUNCIL_COUNT:councils]):
            running += stack.enter_context(running_federation(port, group, councils))
            for follower, followed in permutations(running, 2):
                if follower.council in group or followed.council in group:
                    follow(follower, followed)
            for started in running[-len(group) :] if group else ():
                click.echo(f"\n{started.council.name}   {started.settings.base_url}")
                for role in (OFFICER, COORDINATOR, OPERATOR):
                    click.echo(f"  {role:<12} {started.council.email(role)}")
        click.echo(f"\nPassword of all accounts: {DEMO_PASSWORD}")
        click.echo("Press Ctrl-C to stop all servers and delete their data.")
        _wait_for_stop(running)
        click.echo("\nStopping")


def _wait_for_stop(running: list[RunningNode]) -> None:
    """Wait for Ctrl-C. Raises `DemoError` when a node stops by itself."""
    stop = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stop.set())
    while not stop.wait(0.5):
        for running_node in running:
            if not running_node.process.is_alive():
                raise DemoError(f"The server of {running_node.council.name} stopped unexpectedly.")


@contextmanager
def running_federation(
    port: int,
    councils: Sequence[DemoCouncil] = COUNCILS[:INITIAL_COUNCIL_COUNT],
    council_count: int = INITIAL_COUNCIL_COUNT,
) -> Iterator[list[RunningNode]]:
    """Run the councils' nodes, which allow each other; stop and delete them at the end.

    `council_count` is how many councils there will be in total, from the first port on.
    """
    for council in councils:
        _require_free_port(port + council.index)
    start_method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context: BaseContext = multiprocessing.get_context(start_method)
    with tempfile.TemporaryDirectory(prefix="moothall-demo-") as folder:
        started: list[tuple[DemoCouncil, Settings, BaseProcess]] = []
        try:
            for council in councils:
                settings = council.settings(Path(folder), port, council_count)
                process = context.Process(target=_serve, args=(council, settings), daemon=True)  # type: ignore[attr-defined]
                click.echo(f"Starting {council.name} with its projects")
                process.start()
                started.append((council, settings, process))
            for council, settings, process in started:
                _wait_until_up(council, settings, process)
            running = [
                RunningNode(council, settings, get_node(create_app(settings)), process)
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


def follow(follower: RunningNode, followed: RunningNode) -> None:
    """Have one council follow the other, as its operator would."""
    address = f"@{followed.council.slug}@{followed.settings.authority}"
    document = fetching.fetch_actor_by_address(follower.node, address, approved_by_operator=True)
    with follower.node.work(by=DEMONSTRATION) as work:
        councils.follow(work, document, approved_by_operator=True)


def _serve(council: DemoCouncil, settings: Settings) -> None:
    """The child process: create and fill the database, and serve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    logs.configure(settings)
    app = create_app(settings)
    node = get_node(app)
    schema_migrations.upgrade(node.engine, node.hooks)
    with app.app_context(), node.work(by=DEMONSTRATION) as work:
        set_up(work, council.first_run_input)
        own_council = councils.require_own(work.session)
        own_location.set_location(work, council.location)
        officer, _coordinator = (
            people.create(
                work, name=name, email=council.email(role), password=DEMO_PASSWORD, role=role
            )
            for role, name in ((OFFICER, council.officer), (COORDINATOR, council.coordinator))
        )
        for host in settings.private_hosts:
            if host != settings.authority:
                peers.decide(work, host, peers.ALLOWED)
        for demo_project in council.projects():
            create_project(work, own_council, officer, demo_project)
        work.session.flush()
        view = DemoInfo(
            councils.to_council_info(own_council),
            people.to_plugin_view(officer),
            tuple(plugin_data.list_own(work.session)),
        )
        node.hooks.call(work, "demo", demo=view)
    serve(app)


def _wait_until_up(council: DemoCouncil, settings: Settings, process: BaseProcess) -> None:
    """Wait until the node answers."""
    host, _, port = settings.listen_address.rpartition(":")
    deadline = time.monotonic() + MAX_START_SECONDS
    while time.monotonic() < deadline:
        if not process.is_alive():
            raise DemoError(f"The server of {council.name} did not start.")
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise DemoError(f"The server of {council.name} does not respond.")


def _require_free_port(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise DemoError(f"Port {port} is in use. Choose another one with --port.")
