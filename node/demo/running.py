"""Starting the councils' nodes, each in a process of its own, and stopping them."""

import multiprocessing
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import permutations
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import click

from node import logs, migrating
from node.app import create_app, node_of
from node.councils import service as councils
from node.councils.founding import found
from node.demo.councils import COUNCILS, PASSWORD, DemoCouncil
from node.errors import MoothallError
from node.federating import fetching, peers
from node.people import service as people
from node.people.permissions import OFFICER
from node.projects import service as projects
from node.runtime import Node
from node.serving import serve
from node.settings import Settings

BY = "demonstration"
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


def stay(port: int) -> None:
    """Run until Ctrl-C."""
    with federation(port) as running:
        for follower, followed in permutations(running, 2):
            follow(follower, followed)
        for one in running:
            click.echo(f"\n{one.council.name}   {one.settings.base_url}")
            click.echo(f"  officer   {one.council.email('officer')}   password: {PASSWORD}")
            click.echo(f"  operator  {one.council.email('operator')}  password: {PASSWORD}")
        click.echo("\nCtrl-C stops both. Nothing is kept.")
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        while not stop.wait(0.5):
            for one in running:
                if not one.process.is_alive():
                    raise DemoError(f"The node of {one.council.name} stopped by itself.")
        click.echo("\nStopping")


@contextmanager
def federation(port: int) -> Iterator[list[Running]]:
    """The councils' nodes, answering and allowing each other; stopped and forgotten at the end."""
    for council in COUNCILS:
        _check_free(port + council.place)
    kind = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context: BaseContext = multiprocessing.get_context(kind)
    with tempfile.TemporaryDirectory(prefix="moothall-demo-") as folder:
        started: list[tuple[DemoCouncil, Settings, BaseProcess]] = []
        try:
            for council in COUNCILS:
                settings = council.settings(Path(folder), port, len(COUNCILS))
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
        people.create(
            work,
            name=council.officer,
            email=council.email("officer"),
            password=PASSWORD,
            role=OFFICER,
        )
        for host in settings.private_hosts:
            if host != settings.authority:
                peers.decide(work, host, peers.ALLOWED)
        for text in council.projects():
            projects.publish(work, projects.create(work, own, text))
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
