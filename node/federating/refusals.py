"""Refused messages are counted, not kept: by host and reason, for the operator to see."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from federation.errors import Refusal
from node.db import insert_once, now
from node.federating.models import RefusalCount
from node.runtime import Node

# What strangers can make grow: beyond so many rows, those that were not added to for longest go.
MOST_ROWS = 2_000


def count(node: Node, host: str, refusal: Refusal) -> None:
    """Count one refusal. `host` is what the message claims, which nobody has proved."""
    with node.work(by="inbox") as work:
        session, reason = work.session, refusal.reason.value
        known = select(RefusalCount.id).where(
            RefusalCount.host == host, RefusalCount.reason == reason
        )
        if session.scalar(known) is None:
            _make_room(session)
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


def _make_room(session: Session) -> None:
    newest_first = select(RefusalCount.id).order_by(RefusalCount.last_at.desc(), RefusalCount.id)
    oldest = newest_first.offset(MOST_ROWS - 1)
    session.execute(delete(RefusalCount).where(RefusalCount.id.in_(oldest)))
