"""One activity to 1,000 inboxes over TLS, signed and recorded, beside unsigned requests of the same
client to the same server; and how long it takes to find what is sent next, however much waits.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sqlalchemy import delete, func, insert, select

from bench import sender
from bench.load import answers
from bench.memory import resident
from bench.servers import LOADER, SERVER, on_processor
from federation.signatures import PrivateKey, generate_rsa
from node.db import now
from node.federating import delivery
from node.federating.delivery_leases import Capacity, HostCursor
from node.federating.models import Delivery, OutboxActivity
from node.outbound import Outbound
from node.runtime import Node
from node.testing.processes import free_port, wait_until
from tests.interop.authority import certify

INBOXES = 1_000
TURNS = 5
# Milliseconds that the receivers take.
AT_ONCE, SLOW, VERY_SLOW = 0, 100, 1_000
# So many share the work where it consists of waiting, which one processor is enough for.
WORKERS = (1, 2, 4)
WAITING = (1_000, 10_000, 100_000, 1_000_000)
LEASES = 5
PORTION = 10_000


def measure() -> Iterator[tuple[str, str]]:
    yield "RSA-2048 signatures, one thread", f"{_signatures():10,.0f} /s"
    with TemporaryDirectory() as name:
        trusted, presented = certify(Path(name), [f"*.{sender.DOMAIN}"])
        for milliseconds in (AT_ONCE, SLOW):
            with sink(presented, milliseconds) as port:
                yield from _fan_out(Path(name) / str(milliseconds), trusted, port, milliseconds)
        with sink(presented, VERY_SLOW) as port:
            yield from _scaling(Path(name) / str(VERY_SLOW), trusted, port)
    for number in WAITING:
        with TemporaryDirectory() as name:
            yield from _leases(Path(name), number)


def _signatures() -> float:
    key = PrivateKey("https://aldermoor.test/actor#main-key", generate_rsa())
    key.sign(b"")
    started = time.perf_counter()
    for _ in range(INBOXES):
        key.sign(b"a text")
    return INBOXES / (time.perf_counter() - started)


@contextmanager
def sink(certificate: Path, milliseconds: int) -> Iterator[int]:
    """The receiving servers, all in one process. Gives their port."""
    port = free_port()
    command = [sys.executable, "-m", "bench.sink", str(port), str(certificate), str(milliseconds)]
    with on_processor(SERVER):
        process = subprocess.Popen(command)
    try:
        wait_until(lambda: answers(port), "listening")
        with on_processor(LOADER):
            yield port
    finally:
        process.kill()
        process.wait()


def _fan_out(
    folder: Path, trusted: Path, port: int, milliseconds: int
) -> Iterator[tuple[str, str]]:
    folder.mkdir()
    hosts = sender.hosts(INBOXES, port)
    sender.founded(folder, hosts)
    said = f"receivers take {milliseconds} ms" if milliseconds else "receivers answer at once"
    with closing(sender.client(port, trusted, INBOXES)) as outbound:
        node = sender.open_node(folder, outbound)
        small = resident()
        turns = [_turn(node, trusted, port, hosts) for _ in range(TURNS)]
        _check(node, TURNS)
        large = resident()
    yield f"unsigned requests, {said}", f"{median(unsigned for unsigned, _ in turns):10,.0f} /s"
    share = median(signed / unsigned for unsigned, signed in turns)
    signed = f"{median(signed for _, signed in turns):10,.0f} /s = {share:.0%}"
    yield f"signed, sent and recorded, {said}, one worker", signed
    yield "  memory of who sends both, before and after", small + large
    sender.publish(node)
    together = _workers(2, folder, trusted, port)
    _check(node, TURNS + 1)
    yield f"the same, two workers on one processor, {said}", f"{together:10,.0f} /s"
    node.engine.dispose()


def _turn(node: Node, trusted: Path, port: int, hosts: list[str]) -> tuple[float, float]:
    """One activity unsigned, and then one as the node sends it: requests a second of each. By
    turns, so that whatever else the machine does strikes both.
    """
    sender.publish(node)
    unsigned = _unsigned(node, trusted, port, hosts)
    started = time.perf_counter()
    delivery.run_job(node)
    return unsigned, INBOXES / (time.perf_counter() - started)


def _scaling(folder: Path, trusted: Path, port: int) -> Iterator[tuple[str, str]]:
    """More workers, where the receivers and no processor are what they wait for."""
    folder.mkdir()
    sender.founded(folder, sender.hosts(INBOXES, port))
    with closing(sender.client(port, trusted, INBOXES)) as outbound:
        node = sender.open_node(folder, outbound)
        alone = 0.0
        for turn, number in enumerate(WORKERS, 1):
            sender.publish(node)
            rate = _workers(number, folder, trusted, port)
            _check(node, turn)
            alone = alone or rate
            what = f"receivers take {VERY_SLOW:,} ms, {number} worker{'s' if number > 1 else ''}"
            yield what, f"{rate:10,.0f} /s = {rate / alone:.1f} times one"
        node.engine.dispose()


def _unsigned(node: Node, trusted: Path, port: int, hosts: list[str]) -> float:
    """A second, cold client; the same body, the same number of threads."""
    with node.reading() as session:
        body = session.scalars(select(OutboxActivity.body)).first() or ""
    outbound = sender.client(port, trusted, INBOXES)

    def post(host: str) -> int:
        url = f"https://{host}/inbox"
        return outbound.post(url, body.encode(), content_type="application/activity+json").status

    with closing(outbound), ThreadPoolExecutor(node.settings.delivery_threads) as pool:
        started = time.perf_counter()
        assert set(pool.map(post, hosts)) == {202}
        return INBOXES / (time.perf_counter() - started)


def _workers(number: int, folder: Path, trusted: Path, port: int) -> float:
    """From the first attempt to the last: starting a process is no part of it."""
    command = [sys.executable, "-m", "bench.sender", str(folder), str(port), str(trusted)]
    workers = [subprocess.Popen([*command, str(INBOXES)]) for _ in range(number)]
    for worker in workers:
        assert worker.wait() == 0
    with closing(sender.client(port, trusted, 1)) as outbound:
        node = sender.open_node(folder, outbound)
        with node.reading() as session:
            latest = select(func.max(Delivery.activity_id)).scalar_subquery()
            ended = select(func.min(Delivery.finished_at), func.max(Delivery.finished_at))
            first, last = session.execute(ended.where(Delivery.activity_id == latest)).one()
        node.engine.dispose()
    assert first
    assert last
    return INBOXES / (last - first).total_seconds()


def _check(node: Node, activities: int) -> None:
    with node.reading() as session:
        delivered = select(func.count()).where(Delivery.state == "delivered")
        assert session.scalar(delivered) == activities * INBOXES


def _leases(folder: Path, number: int) -> Iterator[tuple[str, str]]:
    """Half of all waits for 1,000 hosts, and the other half, which is older, for a single one."""
    hosts = sender.hosts(INBOXES, 443)
    sender.founded(folder, hosts)
    node = sender.open_node(folder, Outbound(user_agent="Moothall bench"))
    sender.publish(node)
    _wait(node, number, hosts)
    took = []
    way = HostCursor(node)
    for _ in range(LEASES):
        started = time.perf_counter()
        letters, _ = way.lease(Capacity(node.settings.delivery_threads, 1), {})
        took.append((time.perf_counter() - started) * 1000)
        assert len(letters) == node.settings.delivery_threads
    threads = node.settings.delivery_threads
    yield f"lease of {threads} among {number:,} that wait", f"{median(took):10,.1f} ms"
    node.engine.dispose()


def _wait(node: Node, number: int, hosts: list[str]) -> None:
    """The database as after `number` deliveries were put there, in a moment."""
    with node.work(by="bench") as work:
        session = work.session
        session.execute(delete(Delivery))
        activity = session.scalars(select(OutboxActivity.id)).one()
        common = {"activity_id": activity, "due_at": now(), "trying_since": now()}
        for start in range(0, number, PORTION):
            rows = [
                {
                    "host": (host := hosts[0] if index < number / 2 else hosts[index % INBOXES]),
                    "inbox": f"https://{host}/{index}",
                    "object_uri": f"https://aldermoor.test/projects/{index}",
                }
                for index in range(start, min(start + PORTION, number))
            ]
            session.execute(insert(Delivery), [common | row for row in rows])
