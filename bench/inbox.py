"""Activities verified, stored and acted on, beside a bare view that takes the same requests."""

import time
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import create_engine, func, insert, select
from sqlalchemy.orm import Session

from bench.alternating_load import alternate
from bench.load_generator import request_bytes
from bench.memory import describe_resident_memory
from bench.nodes import PEER_URI, build_signed_like, created_node
from bench.servers import baseline_server, node_server
from federation.signatures import PrivateKey
from node.app import create_app, get_node
from node.database.tables import now
from node.federating.inbound import inbox_processor
from node.federating.models import InboxItem
from node.settings import Settings

# Signed before the clock runs: more than can be taken in one round.
PREPARED_REQUESTS = 3_000
STORED_COUNTS = (1_000, 100_000)
ResultLine = tuple[str, str]


def measure() -> Iterator[ResultLine]:
    with created_node(most_waiting=1_000_000) as (settings, key):
        elsewhere, inside = replace(settings, jobs="memory"), replace(settings, jobs="inside")
        yield from compare_with_baseline("stored; a worker elsewhere acts on them", elsewhere, key)
        yield "acted on, one after another", measure_processing(elsewhere)
        for number in STORED_COUNTS:
            store_messages(settings, number)
            yield from compare_with_baseline(f"stored beside {number:,} others", elsewhere, key)
        yield from compare_with_baseline("stored, and acted on in the same process", inside, key)
        yield "acted on, beside all of these", measure_processing(elsewhere)


def compare_with_baseline(what: str, settings: Settings, key: PrivateKey) -> Iterator[ResultLine]:
    """The same requests to a view that does nothing, and to the inbox."""

    def requests() -> tuple[list[bytes], list[bytes]]:
        letters = [
            signed_request(key, f"{now().timestamp()}-{each}") for each in range(PREPARED_REQUESTS)
        ]
        return letters, letters

    with baseline_server() as limit, node_server(settings) as node:
        before, small = count_messages(settings), describe_resident_memory(node.process_id)
        bare, inbox = alternate(limit, node, requests)
        assert set(inbox.statuses) == {202}, inbox.statuses
        assert count_messages(settings) - before == sum(inbox.statuses.values()), (
            "answered, and not stored"
        )
        large = describe_resident_memory(node.process_id)
    yield "a bare Flask view", bare.summarise()
    yield what, inbox.summarise(baseline=bare)
    yield "  its memory, before and after", small + large


def signed_request(key: PrivateKey, name: str) -> bytes:
    headers, body = build_signed_like(key, name)
    return request_bytes("POST", "/inbox", {"Host": "aldermoor.test", **headers}, body)


def count_messages(settings: Settings) -> int:
    engine = create_engine(settings.sqlalchemy_url)
    with Session(engine) as session:
        found = session.scalar(select(func.count()).select_from(InboxItem)) or 0
    engine.dispose()
    return found


def store_messages(settings: Settings, number: int) -> None:
    """Have so many messages there that were acted on."""
    engine = create_engine(settings.sqlalchemy_url)
    done = {"state": "done", "needs_fetch": False, "finished_at": now(), "outcome": ""}
    whose = {"actor_uri": PEER_URI, "host": "peer.test", "type": "Like", "attempts": 0}
    body = {
        "id": PEER_URI,
        "type": "Like",
        "actor": PEER_URI,
        "object": PEER_URI,
        "content": "x" * 300,
    }
    with engine.begin() as connection:
        there = connection.scalar(select(func.count()).select_from(InboxItem)) or 0
        rows = [
            {"uri": f"{PEER_URI}/{each}", "body": body, **done, **whose}
            for each in range(there, max(there, number))
        ]
        if rows:
            connection.execute(insert(InboxItem), rows)
    engine.dispose()


def measure_processing(settings: Settings) -> str:
    """How fast the job acts on what waits, with nothing else going on."""
    app = create_app(settings)
    node = get_node(app)
    with node.reading() as session:
        waiting = select(func.count()).where(InboxItem.state == InboxItem.WAITING_STATE)
        before = session.scalar(waiting) or 0
    started = time.perf_counter()
    inbox_processor.run_job(node)
    took = time.perf_counter() - started
    node.engine.dispose()
    return f"{before / took:7,.0f} /s  of {before:,}"
