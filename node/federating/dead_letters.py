"""Deliveries that are not tried any more, many at once: dead letters."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import ColumnElement, exists, insert, literal, null, select, update
from sqlalchemy.orm import Session

from federation.retry import GIVE_UP_AFTER
from node.db import now
from node.federating.models import Delivery, DeliveryAttempt, OutboxActivity
from node.long_writes import UNSYNCHRONISED, is_any_left, lock_batch, run_in_batches
from node.runtime import Node, UnitOfWork

HOST_UNREACHABLE = "Nobody has answered there for seven days."


def dead_letter_batch(session: Session, why: str, *which: ColumnElement[bool]) -> bool:
    """A portion of what waits and fulfils `which` is not sent, and says why. Returns whether there
    is more.
    """
    waiting = select(Delivery.id).where(Delivery.state == Delivery.WAITING, *which)
    _mark_failed(session, why, lock_batch(session, Delivery, waiting))
    return is_any_left(session, waiting)


def _mark_failed(session: Session, why: str, ids: Sequence[int]) -> None:
    moment = now()
    these = Delivery.id.in_(ids)
    at = literal(moment, DeliveryAttempt.at.type)
    last = select(Delivery.id, at, null(), literal(why), literal(0)).where(these)
    columns = ["delivery_id", "at", "status", "answer", "milliseconds"]
    session.execute(insert(DeliveryAttempt).from_select(columns, last))
    values = {"state": "failed", "finished_at": moment, "leased_until": None}
    given_up = update(Delivery).where(these).values(values)
    session.execute(given_up, execution_options=UNSYNCHRONISED)


def dead_letter_host(node: Node, host: str) -> None:
    """Nobody has answered at `host` for long: what waits as long is given up, and not what says
    that something is gone.
    """
    is_delete = exists().where(
        OutboxActivity.id == Delivery.activity_id, OutboxActivity.type == "Delete"
    )
    old = Delivery.host == host, Delivery.trying_since < now() - GIVE_UP_AFTER, ~is_delete
    run_in_batches(node, Delivery.JOB, partial(_dead_letter_unreachable, old))


def _dead_letter_unreachable(old: Sequence[ColumnElement[bool]], work: UnitOfWork) -> bool:
    return dead_letter_batch(work.session, HOST_UNREACHABLE, *old)
