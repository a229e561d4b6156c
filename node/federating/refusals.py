"""Refused messages are counted, not kept: by host and reason, for the operator to see.

They are counted in memory first: no stranger makes a node write to its database for each of them.
"""

import dataclasses
from datetime import timedelta

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from federation.errors import Refusal
from node.caches_and_limits import BufferedCount
from node.db import insert_into
from node.federating.models import RefusalCount
from node.runtime import Node

log = structlog.get_logger(__name__)

# What strangers can make grow: beyond so many rows, those that were not added to for longest go.
MAX_ROWS = 2_000
# Counts of so many hosts and reasons are kept in memory, and for so long.
MAX_BUFFERED = 200
MAX_BUFFERED_AGE = timedelta(seconds=2)


def count(node: Node, host: str, refusal: Refusal) -> None:
    """Count one refusal. `host` is what the message claims, which nobody has proved."""
    kept, age = node.refusal_buffer.add(host, refusal.reason.value, detail=refusal.detail[:500])
    if kept >= MAX_BUFFERED or age >= MAX_BUFFERED_AGE:
        flush(node)


def flush(node: Node) -> None:
    """Write down what was counted, so that the operator sees it. If that fails, it is logged."""
    taken = node.refusal_buffer.drain()
    if not taken:
        return
    try:
        with node.work(by="inbox") as work:
            for (host, reason), counted in taken.items():
                _save(work.session, host, reason, counted)
            _prune(work.session)
    except SQLAlchemyError:
        log.exception("refusals could not be counted", names=len(taken))


def _save(session: Session, host: str, reason: str, counted: BufferedCount) -> None:
    new = insert_into(session, RefusalCount).values(
        host=host, reason=reason, **dataclasses.asdict(counted)
    )
    more = {
        "count": RefusalCount.count + counted.count,
        "detail": counted.detail,
        "last_at": counted.last_at,
    }
    session.execute(new.on_conflict_do_update(index_elements=["host", "reason"], set_=more))


def _prune(session: Session) -> None:
    newest_first = select(RefusalCount.id).order_by(RefusalCount.last_at.desc(), RefusalCount.id)
    oldest = newest_first.offset(MAX_ROWS)
    session.execute(delete(RefusalCount).where(RefusalCount.id.in_(oldest)))
