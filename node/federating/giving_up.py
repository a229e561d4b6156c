"""Deliveries that are not tried any more, many at once: dead letters."""

from sqlalchemy import ColumnElement, exists, insert, literal, null, select, update
from sqlalchemy.orm import Session

from federation.retry import GIVE_UP_AFTER
from node.db import now
from node.federating.models import Delivery, DeliveryAttempt, OutboxActivity
from node.runtime import Node

AT_ONCE = 1_000
LOST = "Nobody has answered there for seven days."


def give_up(session: Session, why: str, *which: ColumnElement[bool]) -> int:
    """What waits and fulfils `which` is not sent, and says why. Returns how many there were."""
    moment = now()
    waits = Delivery.state == Delivery.WAITING, *which
    at = literal(moment, DeliveryAttempt.at.type)
    last = select(Delivery.id, at, null(), literal(why), literal(0)).where(*waits)
    columns = ["delivery_id", "at", "status", "answer", "milliseconds"]
    session.execute(insert(DeliveryAttempt).from_select(columns, last))
    values = {"state": "failed", "finished_at": moment, "leased_until": None}
    given_up = update(Delivery).where(*waits).values(values)
    return len(session.scalars(given_up.returning(Delivery.id)).all())


def give_up_lost(node: Node, host: str) -> None:
    """Nobody has answered at `host` for long: what waits as long is given up, and not what says
    that something is gone.
    """
    is_delete = exists().where(
        OutboxActivity.id == Delivery.activity_id, OutboxActivity.type == "Delete"
    )
    old = Delivery.host == host, Delivery.trying_since < now() - GIVE_UP_AFTER, ~is_delete
    query = select(Delivery.id).where(Delivery.state == Delivery.WAITING, *old).limit(AT_ONCE)
    while True:
        with node.work(by=Delivery.JOB) as work:
            some = work.session.scalars(query).all()
            if not some:
                return
            give_up(work.session, LOST, Delivery.host == host, Delivery.id.in_(some))
