"""Refused messages are counted, not kept: by host and reason, for the operator to see."""

from sqlalchemy import func, select, update

from federation.errors import Refusal
from node.db import insert_once, now
from node.federating.models import RefusalCount
from node.runtime import Node

# What strangers can make grow: beyond so many rows, new hosts are counted together.
MOST_ROWS = 2_000
OTHERS = "(others)"


def count(node: Node, host: str, refusal: Refusal) -> None:
    """Count one refusal. `host` is what the message claims, which nobody has proved."""
    with node.work(by="inbox") as work:
        session, reason = work.session, refusal.reason.value
        known = select(RefusalCount.id).where(
            RefusalCount.host == host, RefusalCount.reason == reason
        )
        if session.scalar(known) is None:
            rows = session.scalar(select(func.count()).select_from(RefusalCount)) or 0
            host = host if rows < MOST_ROWS else OTHERS
            at = now()
            insert_once(
                session,
                RefusalCount,
                host=host,
                reason=reason,
                count=0,
                detail="",
                first_at=at,
                last_at=at,
            )
        session.execute(
            update(RefusalCount)
            .where(RefusalCount.host == host, RefusalCount.reason == reason)
            .values(count=RefusalCount.count + 1, last_at=now(), detail=refusal.detail[:500])
        )
