"""Writes that touch many rows, in portions: no transaction keeps other writers waiting for long.

A long write begins in the transaction of whoever asks for it, which marks what is to change and
writes the first portion. What is left is a row of `LongWrite`, committed with it: a job writes the
rest, in short transactions, and another process goes on where one was killed.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Select, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from node.db import Base, insert_into, now
from node.error_isolation import for_each
from node.runtime import Node, UnitOfWork

JOB = "long-writes"
# Rows written in one transaction: some 20 to 50 milliseconds.
BATCH_SIZE = 500
# After a portion other writers have as much time as it took, and at least so many seconds. SQLite
# does not queue the writers of different processes: each looks every now and then.
PAUSE_RATIO, MIN_PAUSE_SECONDS = 1.0, 0.005
# Rows are changed in the database alone: sessions hold none of them.
UNSYNCHRONISED = {"synchronize_session": False}


class LongWrite(Base):
    """A long write that has not ended. `subject` says what it is about, such as a host. A step may
    note in `position` where the next one goes on.
    """

    __tablename__ = "long_write"
    __table_args__ = (UniqueConstraint("kind", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(300))
    asked_at: Mapped[datetime]
    position: Mapped[int] = mapped_column(BigInteger)


# Writes a portion of a long write; whether there may be more.
Step = Callable[[UnitOfWork, LongWrite], bool]


@dataclass(frozen=True)
class LongWriteKind:
    """A kind of long write. `step` must not choose again what it has written."""

    name: str
    step: Step


def begin(work: UnitOfWork, kind: LongWriteKind, subject: str = "") -> None:
    """Write the first portion, and have the job write the rest after the commit."""
    work.session.flush()
    row = LongWrite(kind=kind.name, subject=subject, asked_at=now(), position=0)
    if kind.step(work, row):
        _save(work, row)


def enqueue(work: UnitOfWork, kind: LongWriteKind, subject: str = "") -> None:
    """Have the job write all of it after the commit."""
    _save(work, LongWrite(kind=kind.name, subject=subject, asked_at=now(), position=0))


def _save(work: UnitOfWork, row: LongWrite) -> None:
    anew = {"asked_at": row.asked_at, "position": row.position}
    new = insert_into(work.session, LongWrite).values(kind=row.kind, subject=row.subject, **anew)
    key = ["kind", "subject"]
    work.session.execute(new.on_conflict_do_update(index_elements=key, set_=anew))
    work.wake(JOB)


def cancel(work: UnitOfWork, kind: LongWriteKind, subject: str) -> None:
    """What is left of a long write is not done: somebody asked for the opposite."""
    mine = LongWrite.kind == kind.name, LongWrite.subject == subject
    work.session.execute(delete(LongWrite).where(*mine), execution_options=UNSYNCHRONISED)


def run_job(node: Node, kinds: Sequence[LongWriteKind]) -> None:
    """The job: write what is left of long writes, the oldest first."""
    steps = {kind.name: kind.step for kind in kinds}
    query = select(LongWrite.id).where(LongWrite.kind.in_(steps)).order_by(LongWrite.id)
    with node.reading() as session:
        unfinished = session.scalars(query).all()
    for_each(
        node,
        JOB,
        unfinished,
        lambda row_id: run_in_batches(node, JOB, partial(_continue_write, steps, row_id)),
    )


def _continue_write(steps: Mapping[str, Step], row_id: int, work: UnitOfWork) -> bool:
    """Write one portion of a long write, unless another process does."""
    query = select(LongWrite).where(LongWrite.id == row_id)
    row = work.session.scalar(query.with_for_update(skip_locked=True))
    if row is None:
        return False
    if steps[row.kind](work, row):
        return True
    work.session.delete(row)
    return False


def run_in_batches(node: Node, by: str, write: Callable[[UnitOfWork], bool]) -> None:
    """Have `write` write one portion after the other, each in a transaction of its own, until it
    returns that there is no more or the node stops.
    """
    while True:
        began = time.monotonic()
        with node.work(by=by) as work:
            is_more = write(work)
        rest = max((time.monotonic() - began) * PAUSE_RATIO, MIN_PAUSE_SECONDS)
        if not is_more or node.jobs.stopping.wait(rest):
            return


def lock_batch(session: Session, model: type[Base], chosen: Select[Any]) -> Sequence[int]:
    """The ids of up to `PORTION` of the rows of `model` whose ids are `chosen`, locked until the
    end of the transaction. Rows that others have locked are left out.
    """
    return session.scalars(
        chosen.limit(BATCH_SIZE).with_for_update(skip_locked=True, of=model)
    ).all()


def is_any_left(session: Session, chosen: Select[Any]) -> bool:
    """Whether anything is `chosen` now, such as rows that were locked by others."""
    return session.scalar(chosen.limit(1)) is not None
