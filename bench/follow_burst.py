"""A thousand councils of a thousand servers follow ours within a minute: when has each its Accept?

Every server is an address of its own on the loopback network. Each sends its Follow at its moment,
and sends it again when it is told to; all answer from one process.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.load_generator import is_listening
from bench.servers import LOADER_PROCESSOR, node_server, pinned_to_processor
from federation.signatures import PrivateKey, generate_rsa, sign
from node.database.tables import now
from node.testing.nodes import make_settings, set_up_database
from node.testing.processes import free_port, wait_until

SERVER_COUNT, FOLLOW_PERIOD_SECONDS = 1_000, 60.0
# The Accepts are to be delivered so many seconds after the last Follow.
MAX_ACCEPT_SECONDS = 120.0
SENDER_THREADS = 32
COUNCIL_URI = "https://aldermoor.test/councils/aldermoor"


class FollowResult(NamedTuple):
    """What one server was answered, and when that was 202 (s)."""

    statuses: list[int]
    accepted_at: float


def measure() -> Iterator[tuple[str, str]]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        port = free_port()
        hosts = [f"{loopback_address(number)}:{port}" for number in range(SERVER_COUNT)]
        database = f"sqlite:///{folder / 'bench.db'}"
        set_up_database("aldermoor", database, folder)
        settings = make_settings(
            "aldermoor",
            database,
            folder,
            federation="open",
            jobs="inside",
            private_hosts=tuple(hosts),
        )
        key = PrivateKey("", generate_rsa())
        (folder / "key.pem").write_text(key.pem)
        accepts = folder / "accepts"
        command = [
            sys.executable,
            "-m",
            "bench.followed_servers",
            str(folder),
            str(port),
            str(SERVER_COUNT),
        ]
        with pinned_to_processor(LOADER_PROCESSOR):
            process = subprocess.Popen(command)
        try:
            wait_until(lambda: is_listening(port), "listening")
            with node_server(settings) as server:
                yield from _measure_follows(server.port, hosts, key, accepts)
        finally:
            process.kill()
            process.wait()


def loopback_address(number: int) -> str:
    return f"127.0.{number // 250}.{1 + number % 250}"


def _measure_follows(
    port: int, hosts: list[str], key: PrivateKey, accepts: Path
) -> Iterator[tuple[str, str]]:
    started = time.time()
    with ThreadPoolExecutor(SENDER_THREADS) as pool:
        followed = list(
            pool.map(
                lambda number: _send_follow(
                    port,
                    hosts[number],
                    key,
                    started + number * FOLLOW_PERIOD_SECONDS / SERVER_COUNT,
                ),
                range(len(hosts)),
            )
        )
    last = max(one.accepted_at for one in followed)
    while (
        len(arrived := _read_accept_times(accepts)) < len(hosts)
        and time.time() < last + MAX_ACCEPT_SECONDS
    ):
        time.sleep(0.5)
    statuses = Counter(status for one in followed for status in one.statuses)
    told = ", ".join(f"{number:,} times {status}" for status, number in sorted(statuses.items()))
    yield f"{len(hosts):,} Follows of {len(hosts):,} servers were answered", told
    yield "the last of them was taken after", f"{last - started:7.1f} s"
    yield "Accepts that were delivered", f"{len(arrived):7,}"
    if arrived:
        yield "the last of them after the last Follow", f"{max(arrived.values()) - last:7.1f} s"
        pairs = zip(hosts, followed, strict=True)
        waits = [arrived[host] - one.accepted_at for host, one in pairs if host in arrived]
        yield (
            "from a Follow to its Accept: median, longest",
            (f"{median(waits):7.1f} s {max(waits):7.1f} s"),
        )


def _send_follow(port: int, host: str, key: PrivateKey, at: float) -> FollowResult:
    time.sleep(max(0.0, at - time.time()))
    actor = f"http://{host}/actor"
    body = json.dumps(
        {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"http://{host}/follows/1",
            "type": "Follow",
            "actor": actor,
            "object": COUNCIL_URI,
        }
    ).encode()
    signer = PrivateKey(f"{actor}#main-key", key.pem)
    statuses: list[int] = []
    while True:
        headers = sign("POST", "https://aldermoor.test/inbox", {}, body, signer, now())
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        more = {"Host": "aldermoor.test", "Content-Type": "application/activity+json"}
        connection.request("POST", "/inbox", body, {**headers, **more})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        statuses.append(answer.status)
        if answer.status not in {429, 503}:
            return FollowResult(statuses, time.time())
        time.sleep(float(answer.headers["Retry-After"]))


def _read_accept_times(accepts: Path) -> dict[str, float]:
    """When the Accept came, by server."""
    lines = accepts.read_text().splitlines() if accepts.exists() else []
    return {host: float(moment) for host, moment in (line.split() for line in lines)}
