"""Activities verified, stored and acted on, beside a bare view that takes the same requests."""

import time
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import create_engine, func, insert, select
from sqlalchemy.orm import Session

from bench.load import request_bytes
from bench.memory import resident
from bench.nodes import PEER, founded, signed_like
from bench.servers import bare_server, node_server
from bench.turns import by_turns
from federation.signatures import PrivateKey
from node.app import create_app, get_node
from node.db import now
from node.federating import inbox_processor
from node.federating.models import InboxItem
from node.settings import Settings

# Signed before the clock runs: more than can be taken in one round.
PREPARED = 3_000
STORED = (1_000, 100_000)
Line = tuple[str, str]


def measure() -> Iterator[Line]:
    with founded(most_waiting=1_000_000) as (settings, key):
        elsewhere, inside = replace(settings, jobs="memory"), replace(settings, jobs="inside")
        yield from beside("stored; a worker elsewhere acts on them", elsewhere, key)
        yield "acted on, one after another", handled(elsewhere)
        for number in STORED:
            fill(settings, number)
            yield from beside(f"stored beside {number:,} others", elsewhere, key)
        yield from beside("stored, and acted on in the same process", inside, key)
        yield "acted on, beside all of these", handled(elsewhere)


def beside(what: str, settings: Settings, key: PrivateKey) -> Iterator[Line]:
    """The same requests to a view that does nothing, and to the inbox."""

    def requests() -> tuple[list[bytes], list[bytes]]:
        letters = [letter(key, f"{now().timestamp()}-{each}") for each in range(PREPARED)]
        return letters, letters

    with bare_server() as limit, node_server(settings) as node:
        before, small = count(settings), resident(node.process)
        bare, inbox = by_turns(limit, node, requests)
        assert set(inbox.statuses) == {202}, inbox.statuses
        assert count(settings) - before == sum(inbox.statuses.values()), "answered, and not stored"
        large = resident(node.process)
    yield "a bare Flask view", bare.told()
    yield what, inbox.told(beside=bare)
    yield "  its memory, before and after", small + large


def letter(key: PrivateKey, name: str) -> bytes:
    headers, body = signed_like(key, name)
    return request_bytes("POST", "/inbox", {"Host": "aldermoor.test", **headers}, body)


def count(settings: Settings) -> int:
    engine = create_engine(settings.sqlalchemy_url)
    with Session(engine) as session:
        found = session.scalar(select(func.count()).select_from(InboxItem)) or 0
    engine.dispose()
    return found


def fill(settings: Settings, number: int) -> None:
    """Have so many messages there that were acted on."""
    engine = create_engine(settings.sqlalchemy_url)
    done = {"state": "done", "needs_fetch": False, "finished_at": now(), "outcome": ""}
    whose = {"actor_uri": PEER, "host": "peer.test", "type": "Like", "attempts": 0}
    body = {"id": PEER, "type": "Like", "actor": PEER, "object": PEER, "content": "x" * 300}
    with engine.begin() as connection:
        there = connection.scalar(select(func.count()).select_from(InboxItem)) or 0
        rows = [
            {"uri": f"{PEER}/{each}", "body": body, **done, **whose}
            for each in range(there, max(there, number))
        ]
        if rows:
            connection.execute(insert(InboxItem), rows)
    engine.dispose()


def handled(settings: Settings) -> str:
    """How fast the job acts on what waits, with nothing else going on."""
    app = create_app(settings)
    node = get_node(app)
    with node.reading() as session:
        waiting = select(func.count()).where(InboxItem.state == InboxItem.WAITING)
        before = session.scalar(waiting) or 0
    started = time.perf_counter()
    inbox_processor.run_job(node)
    took = time.perf_counter() - started
    node.engine.dispose()
    return f"{before / took:7,.0f} /s  of {before:,}"
