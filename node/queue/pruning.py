"""Deletes what is kept no longer, in batches, while other transactions use the tables.

Each room declares as `Retention`s what may be deleted of its tables; one job prunes them all, once
an hour. What strangers could add in that hour is limited by `delete_surplus`, where it is added.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, delete, func, inspect, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from node.database.tables import Base, now
from node.principal import Principal
from node.queue.batched_writes import BATCH_SIZE, NO_SESSION_SYNC, run_in_batches
from node.queue.error_isolation import JobFailure, for_each
from node.queue.hourly_jobs import run_hourly
from node.runtime import Node, UnitOfWork
from node.settings import Settings

log = structlog.get_logger(__name__)

JOB = "housekeeping"
# A failed item that no run has met for this long no longer exists.
JOB_FAILURE_MAX_AGE = timedelta(days=7)

Column = InstrumentedAttribute[Any]


@dataclass(frozen=True)
class MaxAge:
    """Rows are deleted when `since` is longer ago than `age`."""

    since: ColumnElement[Any] | Column
    age: Callable[[Settings], timedelta]

    def select_expired(
        self, node: Node, _model: type[Base], deletable: Select[Any]
    ) -> Iterator[Select[Any]]:
        """Narrows a query of the rows that may be deleted to those that are too old."""
        yield deletable.where(self.since < now() - self.age(node.settings))


@dataclass(frozen=True)
class MaxRows:
    """All but the last `number` rows by `order` are deleted: of all, or for each value of `per`."""

    number: Callable[[Settings], int]
    order: Column
    per: Column | None = None

    def select_expired(
        self, node: Node, model: type[Base], deletable: Select[Any]
    ) -> Iterator[Select[Any]]:
        """Narrows a query of the rows that may be deleted to the surplus: to one query for each
        value of `per` that has any.
        """
        number = self.number(node.settings)
        if self.per is None:
            groups = [deletable]
        else:
            counts = deletable.with_only_columns(self.per).group_by(self.per)
            with node.reading() as session:
                values = session.scalars(counts.having(func.count() > number)).all()
            groups = [deletable.where(self.per == value) for value in values]
        for group in groups:
            yield from self._select_surplus(node, model, group, number)

    def _select_surplus(
        self, node: Node, model: type[Base], group: Select[Any], number: int
    ) -> Iterator[Select[Any]]:
        """Compares with the last surplus row instead of counting, so that two processes that prune
        at the same time delete no row too many.
        """
        columns = [self.order, *(key for key in _key_columns(model) if key is not self.order)]
        group = group.where(self.order.is_not(None))  # PostgreSQL sorts NULL before all others
        latest = group.with_only_columns(*columns).order_by(*(column.desc() for column in columns))
        with node.reading() as session:
            last_surplus = session.execute(latest.offset(number).limit(1)).one_or_none()
        if last_surplus is not None:
            yield group.where(tuple_(*columns) <= tuple(last_surplus))


@dataclass(frozen=True)
class Retention:
    """What is deleted of a table: of the rows that fulfil `may_go`, those beyond any of `limits`;
    all of them without limits. `name` identifies it in the log and on the operator's pages.
    """

    name: str
    model: type[Base]
    limits: tuple[MaxAge | MaxRows, ...] = ()
    may_go: Callable[[], ColumnElement[bool]] = true

    def __str__(self) -> str:
        return self.name


RETENTION = (
    Retention(
        "job_failures", JobFailure, (MaxAge(JobFailure.last_at, lambda _: JOB_FAILURE_MAX_AGE),)
    ),
)


def run_job(node: Node, retentions: Sequence[Retention]) -> None:
    """The job: prune all tables, once an hour. A failing one does not stop the others."""
    run_hourly(node, JOB, partial(_prune_all, node, retentions))


def _prune_all(node: Node, retentions: Sequence[Retention]) -> None:
    deleted: dict[str, int] = {}

    def prune(retention: Retention) -> None:
        if count := _prune(node, retention):
            deleted[retention.name] = count

    for_each(node, JOB, retentions, prune)
    if deleted:
        log.info("old data deleted", **deleted)


def _prune(node: Node, retention: Retention) -> int:
    """Returns the number of deleted rows."""
    model, by = retention.model, Principal.job(JOB)
    deletable = select(*_key_columns(model)).where(retention.may_go())
    if not retention.limits:
        return delete_in_batches(node, by, model, deletable)
    return sum(
        delete_in_batches(node, by, model, query)
        for limit in retention.limits
        for query in limit.select_expired(node, model, deletable)
    )


def delete_in_batches(node: Node, by: Principal, model: type[Base], query: Select[Any]) -> int:
    """Delete the rows of `model` whose primary keys `query` selects. Returns their number.

    Each batch is locked and then selected again: a row that has come into use meanwhile stays, and
    a row that another transaction has locked in order to refer to it is left for the next run.
    """
    columns = _key_columns(model)
    key: Any = columns[0] if len(columns) == 1 else tuple_(*columns)
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

    run_in_batches(node, by, delete_batch)
    return deleted


def delete_surplus(
    session: Session,
    model: type[Base],
    *conditions: ColumnElement[bool],
    max_rows: int,
    oldest_first: Sequence[ColumnElement[Any] | Column] = (),
) -> int:
    """Delete in this transaction all but the last `max_rows` of the rows that fulfil `conditions`,
    by primary key or by `oldest_first`. Returns how many are left.

    For what strangers can add faster than the job prunes.
    """
    counting = select(func.count()).select_from(model).where(*conditions)
    count = session.scalar(counting) or 0
    if count > max_rows:
        key = _key_columns(model)[0]
        oldest = select(key).where(*conditions).order_by(*oldest_first, key)
        surplus = key.in_(oldest.limit(count - max_rows))
        # The conditions are repeated: a row that has come into use meanwhile stays.
        session.execute(delete(model).where(surplus, *conditions))
    return min(count, max_rows)


def _key_columns(model: type[Base]) -> list[Column]:
    mapper = inspect(model)
    return [mapper.get_property_by_column(column).class_attribute for column in mapper.primary_key]
