"""Deleting what is too old or too much, while others go on using the rows."""

from typing import Any

from sqlalchemy import Select, and_, delete, inspect, or_, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from node.db import Base
from node.long_writes import BATCH_SIZE, UNSYNCHRONISED, run_in_batches
from node.runtime import Node, UnitOfWork


def prune(node: Node, job: str, model: type[Base], chosen: Select[*tuple[Any, ...]]) -> int:
    """Delete the rows of `model` whose primary keys are `chosen`, some at a time. Returns how many.

    Each portion is locked first and then chosen once more: what came to be needed meanwhile stays,
    and what somebody is about to refer to is left for the next time.
    """
    columns: Any = inspect(model).primary_key
    key = columns[0] if len(columns) == 1 else tuple_(*columns)
    deleted = 0

    def delete_some(work: UnitOfWork) -> bool:
        nonlocal deleted
        portion = chosen.limit(BATCH_SIZE).with_for_update(skip_locked=True, of=model)
        found = work.session.execute(portion).all()
        if not found:
            return False
        values = zip(columns, zip(*found, strict=True), strict=True)
        these = [column.in_(parts) for column, parts in values]
        still = delete(model).where(key.in_(chosen.order_by(None).where(*these)))
        gone = work.session.execute(still.returning(*columns), execution_options=UNSYNCHRONISED)
        deleted += len(gone.all())
        return len(found) == BATCH_SIZE

    run_in_batches(node, job, delete_some)
    return deleted


def prune_surplus(
    node: Node,
    job: str,
    model: type[Base],
    chosen: Select[int],
    order: InstrumentedAttribute[Any],
    most: int,
) -> int:
    """Delete all but the last `most` of the rows `chosen`, in that order. Returns how many.

    They are told by where the last begin and not by number, so that two processes which prune at
    once delete them once.
    """
    key: Any = model.__table__.c.id
    last = chosen.with_only_columns(order, key).order_by(None).order_by(order.desc(), key.desc())
    with node.reading() as session:
        first = session.execute(last.offset(most - 1).limit(1)).one_or_none()
    if first is None:
        return 0
    value, row_id = first
    is_before = or_(order < value, and_(order == value, key < row_id))
    return prune(node, job, model, chosen.where(is_before))
