"""Writes to many rows, split into batches so that no transaction keeps other writers waiting.

A long write starts in the transaction that requests it, which writes the first batch and commits a
row of `BatchedWrite` for the rest. A job writes the remaining batches in short transactions; after
a crash, another process continues from that row.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Select, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from node.database.tables import Base, insert_into, now
from node.principal import Principal
from node.queue.error_isolation import for_each
from node.runtime import Node, UnitOfWork

JOB = "long-writes"
# Rows in one transaction, which then takes 20 to 50 milliseconds.
BATCH_SIZE = 500
# The pause after a batch, as a multiple of its duration, and at least. SQLite does not queue the
# writers of different processes: they poll, and need time to find the database unlocked.
PAUSE_RATIO, MIN_PAUSE_SECONDS = 1.0, 0.005
# Execution options of bulk statements: no session holds the rows that they change.
NO_SESSION_SYNC = {"synchronize_session": False}


class BatchedWrite(Base):
    """A long write that is not finished. `subject` is what it applies to, such as a host. A step
    may store in `position` where the next one continues.
    """

    __tablename__ = "long_write"
    __table_args__ = (UniqueConstraint("kind", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(300))
    asked_at: Mapped[datetime]
    position: Mapped[int] = mapped_column(BigInteger)


# Writes one batch of a long write. Returns whether there may be more.
BatchStep = Callable[[UnitOfWork, BatchedWrite], bool]


@dataclass(frozen=True)
class BatchedWriteKind:
    """A kind of long write. `step` must not select again the rows that it has written."""

    name: str
    write_batch: BatchStep


def start(work: UnitOfWork, kind: BatchedWriteKind, subject: str = "") -> None:
    """Write the first batch in this transaction, and have the job write the rest afterwards."""
    work.session.flush()
    row = BatchedWrite(kind=kind.name, subject=subject, asked_at=now(), position=0)
    if kind.write_batch(work, row):
        _save(work, row)


def enqueue(work: UnitOfWork, kind: BatchedWriteKind, subject: str = "") -> None:
    """Have the job write all batches after the commit."""
    _save(work, BatchedWrite(kind=kind.name, subject=subject, asked_at=now(), position=0))


def _save(work: UnitOfWork, row: BatchedWrite) -> None:
    values = {"asked_at": row.asked_at, "position": row.position}
    insert = insert_into(work.session, BatchedWrite).values(
        kind=row.kind, subject=row.subject, **values
    )
    key = ["kind", "subject"]
    work.session.execute(insert.on_conflict_do_update(index_elements=key, set_=values))
    work.wake(JOB)


def cancel(work: UnitOfWork, kind: BatchedWriteKind, subject: str) -> None:
    """Skip the remaining batches of a long write, because the opposite was requested."""
    is_same = BatchedWrite.kind == kind.name, BatchedWrite.subject == subject
    work.session.execute(delete(BatchedWrite).where(*is_same), execution_options=NO_SESSION_SYNC)


def run_job(node: Node, kinds: Sequence[BatchedWriteKind]) -> None:
    """The job: write the remaining batches of all long writes, oldest first."""
    steps = {kind.name: kind.write_batch for kind in kinds}
    query = select(BatchedWrite.id).where(BatchedWrite.kind.in_(steps)).order_by(BatchedWrite.id)
    with node.reading() as session:
        unfinished = session.scalars(query).all()
    for_each(
        node,
        JOB,
        unfinished,
        lambda row_id: run_in_batches(
            node, Principal.job(JOB), partial(_write_next_batch, steps, row_id)
        ),
    )


def _write_next_batch(steps: Mapping[str, BatchStep], row_id: int, work: UnitOfWork) -> bool:
    """Write one batch of a long write, unless another process is doing so. Returns whether there
    may be more.
    """
    query = select(BatchedWrite).where(BatchedWrite.id == row_id)
    row = work.session.scalar(query.with_for_update(skip_locked=True))
    if row is None:
        return False
    if steps[row.kind](work, row):
        return True
    work.session.delete(row)
    return False


def run_in_batches(node: Node, by: Principal, write: Callable[[UnitOfWork], bool]) -> None:
    """Call `write` repeatedly, each time in a transaction of its own, until it returns that there
    are no more rows or the node stops.
    """
    while True:
        started = time.monotonic()
        with node.work(by=by) as work:
            has_more = write(work)
        pause = max((time.monotonic() - started) * PAUSE_RATIO, MIN_PAUSE_SECONDS)
        if not has_more or node.jobs.stopping.wait(pause):
            return


def lock_batch(session: Session, model: type[Base], query: Select[Any]) -> Sequence[int]:
    """Lock up to `BATCH_SIZE` rows of `model`, whose ids `query` selects, until the end of the
    transaction, and return the ids. Rows locked by other transactions are skipped.
    """
    return session.scalars(
        query.limit(BATCH_SIZE).with_for_update(skip_locked=True, of=model)
    ).all()


def is_any_left(session: Session, query: Select[Any]) -> bool:
    """Whether `query` selects any rows, such as rows that other transactions had locked."""
    return session.scalar(query.limit(1)) is not None
