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

from bench import sending_node
from bench.load_generator import is_listening
from bench.memory import describe_resident_memory
from bench.servers import LOADER_PROCESSOR, SERVER_PROCESSOR, pinned_to_processor
from federation.signatures import PrivateKey, generate_rsa
from node.database.tables import now
from node.federating.models import Delivery, OutboxActivity
from node.federating.outbound import delivery
from node.federating.outbound.delivery_leases import Capacity, HostCursor
from node.outbound import OutboundClient
from node.principal import Principal
from node.runtime import Node
from node.testing.processes import free_port, wait_until
from tests.interop.authority import certify

INBOX_COUNT = 1_000
ROUNDS = 5
# Milliseconds that the receivers take.
NO_DELAY_MS, SLOW_DELAY_MS, VERY_SLOW_DELAY_MS = 0, 100, 1_000
# So many share the work where it consists of waiting, which one processor is enough for.
WORKER_COUNTS = (1, 2, 4)
WAITING_COUNTS = (1_000, 10_000, 100_000, 1_000_000)
LEASE_ROUNDS = 5
INSERT_BATCH_SIZE = 10_000


def measure() -> Iterator[tuple[str, str]]:
    yield "RSA-2048 signatures, one thread", f"{_measure_signatures():10,.0f} /s"
    with TemporaryDirectory() as name:
        trusted, presented = certify(Path(name), [f"*.{sending_node.SINK_DOMAIN}"])
        for milliseconds in (NO_DELAY_MS, SLOW_DELAY_MS):
            with running_sink(presented, milliseconds) as port:
                yield from _measure_fan_out(
                    Path(name) / str(milliseconds), trusted, port, milliseconds
                )
        with running_sink(presented, VERY_SLOW_DELAY_MS) as port:
            yield from _measure_scaling(Path(name) / str(VERY_SLOW_DELAY_MS), trusted, port)
    for number in WAITING_COUNTS:
        with TemporaryDirectory() as name:
            yield from _measure_leases(Path(name), number)


def _measure_signatures() -> float:
    key = PrivateKey("https://aldermoor.test/actor#main-key", generate_rsa())
    key.sign(b"")
    started = time.perf_counter()
    for _ in range(INBOX_COUNT):
        key.sign(b"a text")
    return INBOX_COUNT / (time.perf_counter() - started)


@contextmanager
def running_sink(certificate: Path, milliseconds: int) -> Iterator[int]:
    """The receiving servers, all in one process. Gives their port."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "bench.sink_server",
        str(port),
        str(certificate),
        str(milliseconds),
    ]
    with pinned_to_processor(SERVER_PROCESSOR):
        process = subprocess.Popen(command)
    try:
        wait_until(lambda: is_listening(port), "listening")
        with pinned_to_processor(LOADER_PROCESSOR):
            yield port
    finally:
        process.kill()
        process.wait()


def _measure_fan_out(
    folder: Path, trusted: Path, port: int, milliseconds: int
) -> Iterator[tuple[str, str]]:
    folder.mkdir()
    hosts = sending_node.list_hosts(INBOX_COUNT, port)
    sending_node.create_node(folder, hosts)
    said = f"receivers take {milliseconds} ms" if milliseconds else "receivers answer at once"
    with closing(sending_node.create_client(port, trusted, INBOX_COUNT)) as outbound:
        node = sending_node.open_node(folder, outbound)
        small = describe_resident_memory()
        turns = [_run_round(node, trusted, port, hosts) for _ in range(ROUNDS)]
        _check_delivered(node, ROUNDS)
        large = describe_resident_memory()
    yield f"unsigned requests, {said}", f"{median(unsigned for unsigned, _ in turns):10,.0f} /s"
    share = median(signed / unsigned for unsigned, signed in turns)
    signed = f"{median(signed for _, signed in turns):10,.0f} /s = {share:.0%}"
    yield f"signed, sent and recorded, {said}, one worker", signed
    yield "  memory of who sends both, before and after", small + large
    sending_node.publish_activity(node)
    together = _run_workers(2, folder, trusted, port)
    _check_delivered(node, ROUNDS + 1)
    yield f"the same, two workers on one processor, {said}", f"{together:10,.0f} /s"
    node.engine.dispose()


def _run_round(node: Node, trusted: Path, port: int, hosts: list[str]) -> tuple[float, float]:
    """One activity unsigned, and then one as the node sends it: requests a second of each. By
    turns, so that whatever else the machine does strikes both.
    """
    sending_node.publish_activity(node)
    unsigned = _send_unsigned(node, trusted, port, hosts)
    started = time.perf_counter()
    delivery.run_job(node)
    return unsigned, INBOX_COUNT / (time.perf_counter() - started)


def _measure_scaling(folder: Path, trusted: Path, port: int) -> Iterator[tuple[str, str]]:
    """More workers, where the receivers and no processor are what they wait for."""
    folder.mkdir()
    sending_node.create_node(folder, sending_node.list_hosts(INBOX_COUNT, port))
    with closing(sending_node.create_client(port, trusted, INBOX_COUNT)) as outbound:
        node = sending_node.open_node(folder, outbound)
        alone = 0.0
        for turn, number in enumerate(WORKER_COUNTS, 1):
            sending_node.publish_activity(node)
            rate = _run_workers(number, folder, trusted, port)
            _check_delivered(node, turn)
            alone = alone or rate
            workers = f"{number} worker{'s' if number > 1 else ''}"
            what = f"receivers take {VERY_SLOW_DELAY_MS:,} ms, {workers}"
            yield what, f"{rate:10,.0f} /s = {rate / alone:.1f} times one"
        node.engine.dispose()


def _send_unsigned(node: Node, trusted: Path, port: int, hosts: list[str]) -> float:
    """A second, cold client; the same body, the same number of threads."""
    with node.reading() as session:
        body = session.scalars(select(OutboxActivity.body)).first() or ""
    outbound = sending_node.create_client(port, trusted, INBOX_COUNT)

    def post(host: str) -> int:
        url = f"https://{host}/inbox"
        return outbound.post(url, body.encode(), content_type="application/activity+json").status

    with closing(outbound), ThreadPoolExecutor(node.settings.delivery_threads) as pool:
        started = time.perf_counter()
        assert set(pool.map(post, hosts)) == {202}
        return INBOX_COUNT / (time.perf_counter() - started)


def _run_workers(number: int, folder: Path, trusted: Path, port: int) -> float:
    """From the first attempt to the last: starting a process is no part of it."""
    command = [sys.executable, "-m", "bench.sending_node", str(folder), str(port), str(trusted)]
    workers = [subprocess.Popen([*command, str(INBOX_COUNT)]) for _ in range(number)]
    for worker in workers:
        assert worker.wait() == 0
    with closing(sending_node.create_client(port, trusted, 1)) as outbound:
        node = sending_node.open_node(folder, outbound)
        with node.reading() as session:
            latest = select(func.max(Delivery.activity_id)).scalar_subquery()
            ended = select(func.min(Delivery.finished_at), func.max(Delivery.finished_at))
            first, last = session.execute(ended.where(Delivery.activity_id == latest)).one()
        node.engine.dispose()
    assert first
    assert last
    return INBOX_COUNT / (last - first).total_seconds()


def _check_delivered(node: Node, activities: int) -> None:
    with node.reading() as session:
        delivered = select(func.count()).where(Delivery.state == "delivered")
        assert session.scalar(delivered) == activities * INBOX_COUNT


def _measure_leases(folder: Path, number: int) -> Iterator[tuple[str, str]]:
    """Half of all waits for 1,000 hosts, and the other half, which is older, for a single one."""
    hosts = sending_node.list_hosts(INBOX_COUNT, 443)
    sending_node.create_node(folder, hosts)
    node = sending_node.open_node(folder, OutboundClient(user_agent="Moothall bench"))
    sending_node.publish_activity(node)
    _fill_queue(node, number, hosts)
    took = []
    way = HostCursor(node)
    for _ in range(LEASE_ROUNDS):
        started = time.perf_counter()
        letters, _ = way.lease(Capacity(node.settings.delivery_threads, 1), {})
        took.append((time.perf_counter() - started) * 1000)
        assert len(letters) == node.settings.delivery_threads
    threads = node.settings.delivery_threads
    yield f"lease of {threads} among {number:,} that wait", f"{median(took):10,.1f} ms"
    node.engine.dispose()


def _fill_queue(node: Node, number: int, hosts: list[str]) -> None:
    """The database as after `number` deliveries were put there, in a moment."""
    with node.work(by=Principal.job("bench")) as work:
        session = work.session
        session.execute(delete(Delivery))
        activity = session.scalars(select(OutboxActivity.id)).one()
        common = {"activity_id": activity, "due_at": now(), "trying_since": now()}
        for start in range(0, number, INSERT_BATCH_SIZE):
            rows = [
                {
                    "host": (
                        host := hosts[0] if index < number / 2 else hosts[index % INBOX_COUNT]
                    ),
                    "inbox": f"https://{host}/{index}",
                    "object_uri": f"https://aldermoor.test/projects/{index}",
                }
                for index in range(start, min(start + INSERT_BATCH_SIZE, number))
            ]
            session.execute(insert(Delivery), [common | row for row in rows])
