"""Selects the first entries that match a query and that the viewer may see, in a given order.

The cost does not grow with the size of the index. Rare words are looked up in the full-text index;
common ones are soon met by scanning the entries in their order. Each SQL query is written so that
the database cannot choose between the two plans, since its statistics about words mislead it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    UnaryExpression,
    exists,
    func,
    select,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.operators import custom_op

from node.projects.models import Project
from node.search.fulltext import FullTextTable
from node.search.models import OutputIndexEntry, ProjectIndexEntry
from node.search.query_syntax import IndexQuery

# A query is common if it matches at least one entry in this many.
COMMON_RATIO = 4
# Entries that SQLite checks against a query one by one, at most.
MAX_ROW_CHECKS = 100
# PostgreSQL reads this many times the limit from its index, because the viewer may not see some of
# the entries; if too few remain, it reads all matches.
OVERSAMPLING = 3

IndexModel = type[ProjectIndexEntry] | type[OutputIndexEntry]
OrderBy = tuple[SQLColumnExpression[Any], ...]


@dataclass(frozen=True)
class EntrySelector:
    """Selects from a table of entries and its full-text table.

    `where` are further conditions on entries, such as who may see them. `first` (inclusive) and
    `last` (exclusive) limit the ids.
    """

    session: Session
    model: IndexModel
    fulltext: FullTextTable
    where: tuple[ColumnElement[bool], ...]
    first: int = 0
    last: int | None = None

    def newest(self, query: IndexQuery, limit: int) -> Sequence[int]:
        """The ids of matching entries, last changed first."""
        newest_first = (self.model.id.desc(),)
        if not query.all_of:
            return self.ordered(newest_first, 0, limit)
        if not self._is_postgresql:
            # SQLite reads its full-text index backwards, and stops at the limit.
            table, key = self.fulltext.table_and_key(self.session)
            statement = (
                select(key)
                .select_from(table)
                .join(self.model, self.model.id == self._without_index(key))
                .where(self.fulltext.matches(self.session, query), *self._visible(key))
            )
            return self.session.scalars(statement.order_by(key.desc()).limit(limit)).all()
        if self.prefers_scan(query, limit):
            return self.ordered(newest_first, 0, limit, self._matches_row(query))
        return self._newest_from_index(query, limit)

    def ordered(
        self, order: OrderBy, start: int, limit: int, *conditions: ColumnElement[bool]
    ) -> Sequence[int]:
        """The ids of entries from position `start` in the given order."""
        statement = select(self.model.id).where(*self._visible(self.model.id), *conditions)
        statement = statement.order_by(*order).offset(start).limit(limit)
        return self.session.scalars(statement).all()

    def matching_in_order(
        self,
        query: IndexQuery,
        newest_matches: Sequence[int],
        order: OrderBy,
        start: int,
        limit: int,
        max_matches: int,
    ) -> Sequence[int]:
        """The ids of matching entries from position `start` in the given order.

        `newest_matches` are the ids that match, newest first. Up to `max_matches` they are all, and
        are sorted directly; if there are more, the index is asked.
        """
        if len(newest_matches) <= max_matches:
            return self.ordered(order, start, limit, self.model.id.in_(newest_matches))
        can_scan = self._is_postgresql or start + limit <= MAX_ROW_CHECKS
        if can_scan and self._is_common(newest_matches):
            return self.ordered(order, start, limit, self._matches_row(query))
        table, key = self.fulltext.table_and_key(self.session)
        ids = select(key).select_from(table).where(self.fulltext.matches(self.session, query))
        return self.ordered(order, start, limit, self._without_index(self.model.id).in_(ids))

    @property
    def _is_postgresql(self) -> bool:
        return self.session.get_bind().dialect.name == "postgresql"

    def _visible(self, key: SQLColumnExpression[int]) -> tuple[ColumnElement[bool], ...]:
        return (*self._id_range(key), *self.where)

    def _id_range(self, key: SQLColumnExpression[int]) -> tuple[ColumnElement[bool], ...]:
        since = (key >= self.first,) if self.first else ()
        return since if self.last is None else (*since, key < self.last)

    def _without_index(self, column: SQLColumnExpression[int]) -> SQLColumnExpression[int]:
        return without_index(self.session, column)

    def _matches_row(self, query: IndexQuery) -> ColumnElement[bool]:
        """The SQL condition that an entry matches, as a subquery evaluated for each entry."""
        table, key = self.fulltext.table_and_key(self.session)
        matches = self.fulltext.matches(self.session, query)
        if self._is_postgresql:
            return select(matches).select_from(table).where(key == self.model.id).scalar_subquery()
        return exists(select(key).select_from(table).where(matches, key == self.model.id))

    def _newest_from_index(self, query: IndexQuery, limit: int) -> Sequence[int]:
        """The newest matches by PostgreSQL's full-text index."""
        table, key = self.fulltext.table_and_key(self.session)
        matches = select(key.label("id")).select_from(table)
        matches = matches.where(self.fulltext.matches(self.session, query), *self._id_range(key))
        rows: Sequence[Any] = ()
        for sample_size in (limit * OVERSAMPLING, None):
            # An expression instead of the column, so that the index on the column is not scanned.
            sample = matches.order_by((key + 0).desc()).limit(sample_size).cte("sample")
            sample = sample.prefix_with("MATERIALIZED")
            count = select(func.count()).select_from(sample).scalar_subquery()
            statement: Select[Any] = select(self.model.id, count.label("count_of_sample"))
            statement = statement.join(sample, sample.c.id == self.model.id).where(*self.where)
            statement = statement.order_by(sample.c.id.desc()).limit(limit)
            rows = self.session.execute(statement).all()
            is_complete = rows and rows[0].count_of_sample < limit * OVERSAMPLING
            if len(rows) == limit or is_complete:
                break
        return [row.id for row in rows]

    def prefers_scan(self, query: IndexQuery, limit: int) -> bool:
        """Whether PostgreSQL's planner expects so many matches that it would not use its full-text
        index (decided by EXPLAIN).

        A phrase needs each row checked after the index lookup, so for phrases the plan that stops
        at `limit` counts.
        """
        table, key = self.fulltext.table_and_key(self.session)
        statement = select(key).select_from(table)
        statement = statement.where(self.fulltext.matches(self.session, query))
        if any(len(term.words) > 1 for terms in query.all_of for term in terms):
            statement = statement.order_by(key.desc()).limit(limit)
        connection = self.session.connection()
        compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
        explain = f"EXPLAIN (FORMAT JSON) {compiled}"
        plan = connection.exec_driver_sql(explain, compiled.params).scalar_one()
        return "Bitmap" not in json.dumps(plan)

    def _is_common(self, newest_matches: Sequence[int]) -> bool:
        """Whether enough of the newest entries match for a scan to find a page soon."""
        newer = select(self.model.id).where(self.model.id >= newest_matches[-1])
        sample = newer.limit(COMMON_RATIO * len(newest_matches) + 1).subquery()
        count = self.session.scalar(select(func.count()).select_from(sample)) or 0
        return count <= COMMON_RATIO * len(newest_matches)


def project_exists(model: IndexModel, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The SQL condition that the project of an entry meets `condition`.

    A correlated subquery, so that the database does not start from the projects, which are many
    more.
    """
    return exists().where(Project.id == model.project_id, condition)


def without_index(session: Session, column: SQLColumnExpression[int]) -> SQLColumnExpression[int]:
    """The column as an expression for which SQLite uses no index (unary plus). Otherwise SQLite
    would scan all projects instead of starting from the matches.
    """
    if session.get_bind().dialect.name != "sqlite":
        return column
    value: Any = column
    return UnaryExpression(value.expression, operator=custom_op("+"))
