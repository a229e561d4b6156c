"""Whoever writes to SQLite again and again leaves the others their turn."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import OperationalError

from node.federating import peers
from node.testing.nodes import Nodes
from node.turns import Turns


@pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)
def test_who_writes_without_a_pause_holds_nobody_up(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    ends, begun = threading.Event(), threading.Event()

    def write_on_and_on() -> None:
        while not ends.is_set():
            with node.node.work(by="test") as work:
                peers.row(work.session, "a.test").comment = "busy"
                work.session.flush()
                begun.set()
                time.sleep(0.02)

    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(write_on_and_on)
        begun.wait(5)
        started = time.monotonic()
        for _ in range(20):
            with node.node.work(by="test") as work:
                peers.heard(work.session, "b.test")
        took = time.monotonic() - started
        ends.set()
        busy.result(5)
    assert took < 4


@pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)
def test_a_turn_that_does_not_come_is_an_error(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.db.BUSY_SECONDS", 0.1)
    node = nodes.start("aldermoor")
    with node.work() as work:
        peers.heard(work.session, "a.test")
        with pytest.raises(OperationalError, match="locked"), node.node.work(by="x") as other:
            peers.heard(other.session, "b.test")
    with node.work() as work:
        peers.heard(work.session, "b.test")


def test_turns_come_in_order() -> None:
    turns, order = Turns(), list[int]()
    assert turns.take(1)

    def wait(number: int) -> None:
        assert turns.take(5)
        order.append(number)
        turns.give()

    threads = [threading.Thread(target=wait, args=[number]) for number in range(5)]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    assert not turns.take(0.01)
    turns.give()
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2, 3, 4]
    assert turns.take(1)
