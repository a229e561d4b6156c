"""Deleting what is too old or too much, while others go on using the rows."""

from typing import Any

from sqlalchemy import Select, and_, delete, or_
from sqlalchemy.orm import InstrumentedAttribute

from node.db import Base
from node.runtime import Node

# Rows deleted in one transaction, so that nobody waits long.
PORTION = 500


def prune(node: Node, job: str, model: type[Base], chosen: Select[int]) -> int:
    """Delete the rows of `model` whose ids are `chosen`, some at a time. Returns how many.

    Each portion is locked first and then chosen once more: what came to be needed meanwhile stays,
    and what somebody is about to refer to is left for the next time.
    """
    key: Any = model.__table__.c.id
    deleted = 0
    while True:
        with node.work(by=job) as work:
            session = work.session
            portion = chosen.limit(PORTION).with_for_update(skip_locked=True, of=model)
            ids = session.scalars(portion).all()
            still = delete(model).where(key.in_(chosen.order_by(None).where(key.in_(ids))))
            options = {"synchronize_session": False}
            deleted += len(session.scalars(still.returning(key), execution_options=options).all())
        if len(ids) < PORTION or node.jobs.stopping.is_set():
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
