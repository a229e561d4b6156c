"""Counts refused messages by host and reason, for the operator; the messages are not stored.

Counts are buffered in memory, so that not every refused message causes a database write.
"""

import dataclasses
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from federation.errors import Refusal
from node.caches_and_limits import BufferedCount
from node.database.tables import insert_into
from node.federating.models import RefusalCount
from node.principal import Principal
from node.queue.pruning import delete_surplus
from node.runtime import Node

log = structlog.get_logger(__name__)

# Anyone can cause refusals, so only the most recent rows are kept.
MAX_ROWS = 2_000
# The buffer is flushed at this number of entries, or at this age.
MAX_BUFFERED = 200
MAX_BUFFERED_AGE = timedelta(seconds=2)


def record(node: Node, host: str, refusal: Refusal) -> None:
    """Count a refusal. `host` is the unverified sender that the message claims."""
    entries, age = node.refusal_buffer.add(host, refusal.reason.value, detail=refusal.detail[:500])
    if entries >= MAX_BUFFERED or age >= MAX_BUFFERED_AGE:
        flush(node)


def flush(node: Node) -> None:
    """Write the buffered counts to the database. A failure is only logged."""
    counts = node.refusal_buffer.drain()
    if not counts:
        return
    try:
        with node.work(by=Principal.job("inbox")) as work:
            for (host, reason), entry in counts.items():
                _save(work.session, host, reason, entry)
            delete_surplus(
                work.session, RefusalCount, max_rows=MAX_ROWS, oldest_first=[RefusalCount.last_at]
            )
    except SQLAlchemyError:
        log.exception("refusals could not be counted", names=len(counts))


def _save(session: Session, host: str, reason: str, entry: BufferedCount) -> None:
    insert = insert_into(session, RefusalCount).values(
        host=host, reason=reason, **dataclasses.asdict(entry)
    )
    changes = {
        "count": RefusalCount.count + entry.count,
        "detail": entry.detail,
        "last_at": entry.last_at,
    }
    session.execute(insert.on_conflict_do_update(index_elements=["host", "reason"], set_=changes))
