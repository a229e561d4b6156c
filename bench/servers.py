"""Servers to measure, each a process on one processor of its own; who loads them has another."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import NamedTuple

from bench.load import answers
from node.settings import Settings
from node.testing.processes import NodeProcess, free_port, wait_until

SERVER, LOADER = 0, 1


class Server(NamedTuple):
    """A server that listens: its port, and the number of its process."""

    port: int
    process: int


@contextmanager
def bare_server() -> Iterator[Server]:
    """Flask views that do nothing (`bench.bare`)."""
    port = free_port()
    with on_processor(SERVER):
        process = subprocess.Popen([sys.executable, "-m", "bench.bare", str(port)])
    try:
        wait_until(lambda: answers(port), "listening")
        with on_processor(LOADER):
            yield Server(port, process.pid)
    finally:
        process.kill()
        process.wait()


@contextmanager
def node_server(settings: Settings) -> Iterator[Server]:
    """`moothall serve`, as an operator runs it."""
    port = free_port()
    listening = replace(settings, listen=f"127.0.0.1:{port}", log_level="INFO")
    process = NodeProcess(listening, as_program=True)
    with on_processor(SERVER):
        process.launch()
    try:
        process.wait()
        with on_processor(LOADER):
            yield Server(port, process.pid)
    finally:
        process.end()


@contextmanager
def worker(settings: Settings) -> Iterator[int]:
    """`moothall worker` beside a server, on the same processor. Gives the number of its process."""
    process = NodeProcess(settings, as_program=True, command="worker")
    with on_processor(SERVER):
        process.launch()
    try:
        yield process.pid
    finally:
        process.end()


@contextmanager
def on_processor(number: int) -> Iterator[None]:
    """This process, and what it starts meanwhile, stays on that processor, where there is one."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    with suppress(OSError):
        os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
