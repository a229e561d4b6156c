"""Dead letters: marks deliveries that will not be retried as failed, in batches."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import ColumnElement, exists, insert, literal, null, select, update
from sqlalchemy.orm import Session

from federation.retry import GIVE_UP_AFTER
from federation.vocabulary.activity_types import names_of_types
from node.database.tables import now
from node.federating.models import Delivery, DeliveryAttempt, OutboxActivity
from node.principal import Principal
from node.queue.batched_writes import NO_SESSION_SYNC, is_any_left, lock_batch, run_in_batches
from node.runtime import Node, UnitOfWork

# Not given up with the others.
MUST_REACH_ALL_TYPES = names_of_types(lambda row: row.must_reach_all)
HOST_UNREACHABLE_REASON = "The server has not responded for seven days."


def dead_letter_batch(session: Session, reason: str, *conditions: ColumnElement[bool]) -> bool:
    """Fail a batch of the waiting deliveries that match `conditions`, recording `reason`. Returns
    whether there are more.
    """
    waiting = select(Delivery.id).where(Delivery.state == Delivery.WAITING_STATE, *conditions)
    _mark_failed(session, reason, lock_batch(session, Delivery, waiting))
    return is_any_left(session, waiting)


def _mark_failed(session: Session, reason: str, ids: Sequence[int]) -> None:
    finished_at = now()
    is_chosen = Delivery.id.in_(ids)
    at = literal(finished_at, DeliveryAttempt.at.type)
    final_attempts = select(Delivery.id, at, null(), literal(reason), literal(0)).where(is_chosen)
    columns = ["delivery_id", "at", "status", "answer", "milliseconds"]
    session.execute(insert(DeliveryAttempt).from_select(columns, final_attempts))
    values = {"state": "failed", "finished_at": finished_at, "leased_until": None}
    fail = update(Delivery).where(is_chosen).values(values)
    session.execute(fail, execution_options=NO_SESSION_SYNC)


def dead_letter_host(node: Node, host: str) -> None:
    """Fail the deliveries that have waited for an unreachable host for `GIVE_UP_AFTER`, except
    Deletes, which are kept longer.
    """
    must_reach_all = exists().where(
        OutboxActivity.id == Delivery.activity_id, OutboxActivity.type.in_(MUST_REACH_ALL_TYPES)
    )
    conditions = (
        Delivery.host == host,
        Delivery.trying_since < now() - GIVE_UP_AFTER,
        ~must_reach_all,
    )
    run_in_batches(node, Principal.job(Delivery.JOB), partial(_dead_letter_unreachable, conditions))


def _dead_letter_unreachable(conditions: Sequence[ColumnElement[bool]], work: UnitOfWork) -> bool:
    return dead_letter_batch(work.session, HOST_UNREACHABLE_REASON, *conditions)
