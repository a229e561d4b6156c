"""Whoever writes to SQLite again and again leaves the others their turn."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.exc import OperationalError

from node.database.fair_lock import FairLock
from node.federating.peers import service as peers
from node.principal import Principal
from node.testing.nodes import Nodes


@pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)
def test_who_writes_without_a_pause_holds_nobody_up(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    ends, begun = threading.Event(), threading.Event()
    writes = count()

    def write_on_and_on() -> None:
        while not ends.is_set():
            with node.node.work(by=Principal.job("test")) as work:
                peers.get_or_create(work.session, "a.test").comment = "busy"
                work.session.flush()
                begun.set()
                next(writes)
                time.sleep(0.02)

    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(write_on_and_on)
        begun.wait(5)
        for _ in range(20):
            with node.node.work(by=Principal.job("test")) as work:
                peers.record_seen(work.session, "b.test")
        ends.set()
        busy.result(5)
    assert next(writes) < 100, "by turns, or nearly so"


@pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)
def test_the_turn_ends_after_the_commit(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a COMMIT runs, which may take long, whoever waits has no turn to try in vain."""
    node = nodes.start("aldermoor")
    engine, has_turn = node.node.engine, threading.Event()
    take, commit = FairLock.acquire, engine.dialect.do_commit
    too_early = list[bool]()

    def noting(turns: FairLock, seconds: float) -> bool:
        is_mine = take(turns, seconds)
        if threading.current_thread() is not threading.main_thread():
            has_turn.set()
        return is_mine

    def slow_commit(connection: PoolProxiedConnection) -> None:
        if threading.current_thread() is threading.main_thread():
            other.start()
            too_early.append(has_turn.wait(0.5))
        commit(connection)

    def write_too() -> None:
        with node.node.work(by=Principal.job("test")) as work:
            peers.record_seen(work.session, "b.test")

    other = threading.Thread(target=write_too)
    with monkeypatch.context() as patched:
        patched.setattr(FairLock, "acquire", noting)
        patched.setattr(engine.dialect, "do_commit", slow_commit)
        with node.node.work(by=Principal.job("test")) as work:
            peers.record_seen(work.session, "a.test")
        other.join(10)
    assert too_early == [False]
    assert has_turn.is_set()


@pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)
def test_a_turn_that_does_not_come_is_an_error(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.database.engine.LOCK_TIMEOUT_SECONDS", 0.1)
    node = nodes.start("aldermoor")
    with node.work() as work:
        peers.record_seen(work.session, "a.test")
        with (
            pytest.raises(OperationalError, match="locked"),
            node.node.work(by=Principal.job("x")) as other,
        ):
            peers.record_seen(other.session, "b.test")
    with node.work() as work:
        peers.record_seen(work.session, "b.test")


def test_turns_come_in_order() -> None:
    turns, order = FairLock(), list[int]()
    assert turns.acquire(1)

    def wait(number: int) -> None:
        assert turns.acquire(5)
        order.append(number)
        turns.release()

    threads = [threading.Thread(target=wait, args=[number]) for number in range(5)]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    assert not turns.acquire(0.01)
    turns.release()
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2, 3, 4]
    assert turns.acquire(1)
