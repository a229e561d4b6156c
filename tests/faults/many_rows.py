"""Many rows for a test, and how they are written: in how many transactions, and who beside."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, event, func, insert, literal, select, update

from node.database.tables import insert_once, now
from node.federating.models import Actor, Delivery, Follow, OutboxActivity
from node.principal import Principal
from node.queue import batched_writes
from node.queue.batched_writes import BATCH_SIZE
from node.queue.hourly_jobs import HourlyJob
from node.rooms import ROOMS
from node.testing.nodes import TestNode

HOST = "brackwell.test"
MANY, FEW = 10_000, 3_000
# A portion of deliveries given up also writes an attempt for each; one kind of rows may end, and
# the next begin.
MOST_AT_ONCE = 3 * BATCH_SIZE + 10
DAY = timedelta(days=1)
WRITES = ("INSERT", "UPDATE", "DELETE", "WITH")


@dataclass
class Transactions:
    """How many rows each transaction wrote, in order: those of an operation, and how many another
    writer committed beside it.
    """

    sizes: list[int] = field(default_factory=list)
    of_others: int = 0
    on_commit: Callable[[], None] = lambda: None


@contextmanager
def recorded(node: TestNode, *, by_command: bool = False) -> Iterator[Transactions]:
    """What is committed inside, while another thread writes one small thing after the other.
    `by_command`: a command counts too, which opens the database itself.
    """
    engine: Any = Engine if by_command else node.node.engine
    found, over = Transactions(), threading.Event()
    is_sqlite = node.node.engine.dialect.name == "sqlite"

    def begun(connection: Connection) -> None:
        connection.info["wrote"] = -_total(connection) if is_sqlite else 0

    def executed(connection: Connection, cursor: Any, statement: str, *_more: Any) -> None:
        if not is_sqlite and statement.lstrip().upper().startswith(WRITES):
            connection.info["wrote"] += max(cursor.rowcount, 0)

    def committed(connection: Connection) -> None:
        wrote = connection.info.pop("wrote", 0) + (_total(connection) if is_sqlite else 0)
        if threading.current_thread() is not other and wrote:
            found.sizes.append(wrote)
            found.on_commit()

    def write() -> None:
        while not over.is_set():
            with node.node.work(by=Principal.job("another")) as work:
                row = update(HourlyJob).where(HourlyJob.job == "another")
                work.session.execute(row.values(due_at=now()))
            found.of_others += 1
            over.wait(0.002)

    with node.work() as work:
        insert_once(work.session, HourlyJob, job="another", due_at=now())
    other = threading.Thread(target=write)
    listeners: dict[str, Any] = {
        "begin": begun,
        "after_cursor_execute": executed,
        "commit": committed,
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    other.start()
    try:
        yield found
    finally:
        over.set()
        other.join()
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


def _total(connection: Connection) -> int:
    dbapi: Any = connection.connection.dbapi_connection
    return int(dbapi.total_changes)


def check(found: Transactions, rows: int) -> None:
    """It was written in portions, and the other writer had its turn after each."""
    portions_needed = rows // BATCH_SIZE
    assert max(found.sizes) <= MOST_AT_ONCE
    assert len(found.sizes) >= portions_needed
    assert found.of_others >= portions_needed / 2


def numbers(many: int = MANY) -> Any:
    """The numbers from 1 to `many`, as a table of the database's own making."""
    number = select(literal(1).label("number")).cte("numbers", recursive=True)
    return number.union_all(select(number.c.number + 1).where(number.c.number < many))


def fill(node: TestNode, model: Any, /, many: Any = MANY, **values: Any) -> None:
    """Insert many rows. A value that is a function is given the number of the row."""
    table = numbers(many)
    number = table.c.number
    named = {name: value(number) if callable(value) else value for name, value in values.items()}
    columns = [
        each if hasattr(each, "label") else literal(each, model.__table__.c[name].type)
        for name, each in named.items()
    ]
    with node.work() as work:
        work.session.execute(
            insert(model).from_select([*named], select(*columns).select_from(table))
        )


def uri(kind: str) -> Callable[[Any], Any]:
    return lambda number: literal(f"https://{HOST}/{kind}/").concat(number)


def deliveries(node: TestNode, many: int = MANY, **more: Any) -> None:
    moment = now()
    with node.work() as work:
        actor = work.session.scalars(select(Actor).where(Actor.is_local)).first()
        said = {"type": "Create", "body": "{}", "audience": "public"}
        row = OutboxActivity(uri="https://aldermoor.test/1", object_uri="x:1", actor=actor, **said)
        work.session.add(row)
        work.session.flush()
        activity = row.id
    values = {"activity_id": activity, "inbox": uri("inboxes"), "host": HOST, "object_uri": "x:1"}
    times = {"due_at": moment + DAY, "trying_since": moment, "attempts": 3}
    fill(node, Delivery, many, **(values | times | {"state": "pending"} | more))


def finish(node: TestNode) -> None:
    """Run the job of long writes alone: the others would begin to send."""
    kinds = [kind for room in ROOMS for kind in room.batched_writes]
    batched_writes.run_job(node.node, kinds)


def is_finished(node: TestNode) -> bool:
    """Whether no long write is left."""
    with node.reading() as session:
        return session.scalar(select(func.count()).select_from(batched_writes.BatchedWrite)) == 0


def remote_actors(node: TestNode, many: int = FEW) -> None:
    """Actors of the other server."""
    names = {"username": "x", "name": "x", "kind": "Person", "inbox": f"https://{HOST}/inbox"}
    more = {"about": "", "url": "", "also_known_as": [], "fetched_at": now()}
    no = {"is_blocked": False, "is_for_peers": False, "is_local": False}
    fill(node, Actor, many, uri=uri("actors"), host=HOST, **names, **more, **no)


def followers_of(node: TestNode, actor_id: int) -> None:
    """All actors of the other server follow one of ours."""
    follow, moment = literal("x:").concat(Actor.id), literal(now(), Follow.created_at.type)
    theirs = select(follow, Actor.id, literal(actor_id), literal("accepted"), moment)
    columns = ["uri", "follower_id", "followed_id", "state", "created_at"]
    with node.work() as work:
        new = insert(Follow).from_select(columns, theirs.where(Actor.host == HOST))
        work.session.execute(new)
