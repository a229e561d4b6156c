"""Deletes old or surplus rows in batches, while other transactions use the table."""

from typing import Any

from sqlalchemy import Select, and_, delete, inspect, or_, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from node.database.tables import Base
from node.principal import Principal
from node.queue.batched_writes import BATCH_SIZE, NO_SESSION_SYNC, run_in_batches
from node.runtime import Node, UnitOfWork


def prune(node: Node, job: str, model: type[Base], query: Select[*tuple[Any, ...]]) -> int:
    """Delete the rows of `model` whose primary keys `query` selects. Returns their number.

    Each batch is locked and then selected again: a row that has come into use meanwhile stays, and
    a row that another transaction has locked in order to refer to it is left for the next run.
    """
    columns: Any = inspect(model).primary_key
    key = columns[0] if len(columns) == 1 else tuple_(*columns)
    deleted = 0

    def delete_batch(work: UnitOfWork) -> bool:
        nonlocal deleted
        batch = query.limit(BATCH_SIZE).with_for_update(skip_locked=True, of=model)
        keys = work.session.execute(batch).all()
        if not keys:
            return False
        values_by_column = zip(columns, zip(*keys, strict=True), strict=True)
        is_locked = [column.in_(values) for column, values in values_by_column]
        statement = delete(model).where(key.in_(query.order_by(None).where(*is_locked)))
        result = work.session.execute(
            statement.returning(*columns), execution_options=NO_SESSION_SYNC
        )
        deleted += len(result.all())
        return len(keys) == BATCH_SIZE

    run_in_batches(node, Principal.job(job), delete_batch)
    return deleted


def prune_surplus(
    node: Node,
    job: str,
    model: type[Base],
    query: Select[int],
    order: InstrumentedAttribute[Any],
    max_rows: int,
) -> int:
    """Of the rows that `query` selects, delete all but the last `max_rows` by `order`. Returns the
    number of deleted rows.

    Rows are deleted by comparison with the first one to keep, not by count, so that two processes
    that prune at the same time delete no row too many.
    """
    key: Any = model.__table__.c.id
    latest = query.with_only_columns(order, key).order_by(None).order_by(order.desc(), key.desc())
    with node.reading() as session:
        first_kept = session.execute(latest.offset(max_rows - 1).limit(1)).one_or_none()
    if first_kept is None:
        return 0
    value, row_id = first_kept
    is_before = or_(order < value, and_(order == value, key < row_id))
    return prune(node, job, model, query.where(is_before))
