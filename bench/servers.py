"""Servers to measure, each a process on one processor of its own; who loads them has another."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import NamedTuple

from bench.load_generator import is_listening
from node.settings import Settings
from node.testing.processes import NodeProcess, free_port, wait_until

SERVER_PROCESSOR, LOADER_PROCESSOR = 0, 1


class RunningServer(NamedTuple):
    """A server that listens: its port, and the number of its process."""

    port: int
    process_id: int


@contextmanager
def baseline_server() -> Iterator[RunningServer]:
    """Flask views that do nothing (`bench.baseline_app`)."""
    port = free_port()
    with pinned_to_processor(SERVER_PROCESSOR):
        process = subprocess.Popen([sys.executable, "-m", "bench.baseline_app", str(port)])
    try:
        wait_until(lambda: is_listening(port), "listening")
        with pinned_to_processor(LOADER_PROCESSOR):
            yield RunningServer(port, process.pid)
    finally:
        process.kill()
        process.wait()


@contextmanager
def node_server(settings: Settings) -> Iterator[RunningServer]:
    """`moothall serve`, as an operator runs it."""
    port = free_port()
    listening = replace(settings, listen=f"127.0.0.1:{port}", log_level="INFO")
    process = NodeProcess(listening, runs_program=True)
    with pinned_to_processor(SERVER_PROCESSOR):
        process.launch()
    try:
        process.wait()
        with pinned_to_processor(LOADER_PROCESSOR):
            yield RunningServer(port, process.pid)
    finally:
        process.ensure_killed()


@contextmanager
def running_worker(settings: Settings) -> Iterator[int]:
    """`moothall worker` beside a server, on the same processor. Gives the number of its process."""
    process = NodeProcess(settings, runs_program=True, command="worker")
    with pinned_to_processor(SERVER_PROCESSOR):
        process.launch()
    try:
        yield process.pid
    finally:
        process.ensure_killed()


@contextmanager
def pinned_to_processor(number: int) -> Iterator[None]:
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
