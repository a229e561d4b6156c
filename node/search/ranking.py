"""Which entries of the index come first: of those that whoever reads may see, in the order that is
wanted, and no more than are turned to.

Nothing here grows with the number of entries. What is rare is taken from the index of words; what
is common is come upon soon by going through the entries in their order. Each query is put so that
the database has no choice between the two: what it knows of words is not enough to choose by.
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

# What is found in one of so many entries is common.
COMMON_RATIO = 4
# Of so many at most SQLite asks one by one whether they have a word.
MAX_ROW_CHECKS = 100
# Of what PostgreSQL finds, so many times as many as are wanted are looked at, in case some of it
# may not be seen; if that is not enough, all.
OVERSAMPLING = 3

IndexModel = type[ProjectIndexEntry] | type[OutputIndexEntry]
OrderBy = tuple[SQLColumnExpression[Any], ...]


@dataclass(frozen=True)
class EntrySelector:
    """A table of entries with its texts. `where` is what must be true of an entry besides; only
    ids from `first` on and before `last` are looked at.
    """

    session: Session
    model: IndexModel
    texts: FullTextTable
    where: tuple[ColumnElement[bool], ...]
    first: int = 0
    last: int | None = None

    def newest(self, asked: IndexQuery, most: int) -> Sequence[int]:
        """The ids of entries that have what is asked for, last changed first."""
        newest_first = (self.model.id.desc(),)
        if not asked.all_of:
            return self.ordered(newest_first, 0, most)
        if not self._is_postgresql:
            # Which reads its index of words from the newest on, and no further than it must.
            rows, key = self.texts.table_and_key(self.session)
            query = (
                select(key)
                .select_from(rows)
                .join(self.model, self.model.id == self._without_index(key))
            )
            query = query.where(self.texts.matches(self.session, asked), *self._visible(key))
            return self.session.scalars(query.order_by(key.desc()).limit(most)).all()
        if self.prefers_scan(asked, most):
            return self.ordered(newest_first, 0, most, self._matches_row(asked))
        return self._from_index(asked, most)

    def ordered(
        self, order: OrderBy, start: int, most: int, *more: ColumnElement[bool]
    ) -> Sequence[int]:
        """The ids of entries in another order."""
        query = select(self.model.id).where(*self._visible(self.model.id), *more).order_by(*order)
        return self.session.scalars(query.offset(start).limit(most)).all()

    def matching_in_order(
        self,
        asked: IndexQuery,
        found: Sequence[int],
        order: OrderBy,
        start: int,
        most: int,
        limit: int,
    ) -> Sequence[int]:
        """In another order, those that have what is asked for. `found` are the newest of them: all,
        unless they are more than `limit`.
        """
        if len(found) <= limit:
            return self.ordered(order, start, most, self.model.id.in_(found))
        if (self._is_postgresql or start + most <= MAX_ROW_CHECKS) and self._is_common(found):
            return self.ordered(order, start, most, self._matches_row(asked))
        rows, key = self.texts.table_and_key(self.session)
        have = select(key).select_from(rows).where(self.texts.matches(self.session, asked))
        return self.ordered(order, start, most, self._without_index(self.model.id).in_(have))

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

    def _matches_row(self, asked: IndexQuery) -> ColumnElement[bool]:
        """Whether one entry has what is asked for, as a question about each."""
        rows, key = self.texts.table_and_key(self.session)
        matches = self.texts.matches(self.session, asked)
        if self._is_postgresql:
            return select(matches).select_from(rows).where(key == self.model.id).scalar_subquery()
        return exists(select(key).select_from(rows).where(matches, key == self.model.id))

    def _from_index(self, asked: IndexQuery, most: int) -> Sequence[int]:
        rows, key = self.texts.table_and_key(self.session)
        found = select(key.label("id")).select_from(rows)
        found = found.where(self.texts.matches(self.session, asked), *self._id_range(key))
        picked: Sequence[Any] = ()
        for looked_at in (most * OVERSAMPLING, None):
            # Not by the column alone: to read all rows in its order would be the wrong way.
            some = found.order_by((key + 0).desc()).limit(looked_at).cte("found")
            some = some.prefix_with("MATERIALIZED")
            number = select(func.count()).select_from(some).scalar_subquery()
            query: Select[Any] = select(self.model.id, number.label("number"))
            query = query.join(some, some.c.id == self.model.id).where(*self.where)
            picked = self.session.execute(query.order_by(some.c.id.desc()).limit(most)).all()
            if len(picked) == most or (picked and picked[0].number < most * OVERSAMPLING):
                break
        return [row.id for row in picked]

    def prefers_scan(self, asked: IndexQuery, most: int) -> bool:
        """Whether PostgreSQL, by what it knows of words, would not ask its index for all of these.
        For phrases, which the index alone cannot tell, not even for so many.
        """
        rows, key = self.texts.table_and_key(self.session)
        query = select(key).select_from(rows).where(self.texts.matches(self.session, asked))
        if any(len(term.words) > 1 for choice in asked.all_of for term in choice):
            query = query.order_by(key.desc()).limit(most)
        connection = self.session.connection()
        compiled = query.compile(connection, compile_kwargs={"render_postcompile": True})
        explain = f"EXPLAIN (FORMAT JSON) {compiled}"
        plan = connection.exec_driver_sql(explain, compiled.params).scalar_one()
        return "Bitmap" not in json.dumps(plan)

    def _is_common(self, found: Sequence[int]) -> bool:
        """Whether the newest of all entries have it often enough to come upon it."""
        since = select(self.model.id).where(self.model.id >= found[-1])
        few = since.limit(COMMON_RATIO * len(found) + 1).subquery()
        number = self.session.scalar(select(func.count()).select_from(few)) or 0
        return number <= COMMON_RATIO * len(found)


def project_exists(model: IndexModel, shown: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the project of an entry is one of these. As a question about each entry, so that no
    database begins with the projects, which are many more.
    """
    return exists().where(Project.id == model.project_id, shown)


def without_index(session: Session, column: SQLColumnExpression[int]) -> SQLColumnExpression[int]:
    """A column as a value and no more. SQLite is to go from what is found to the projects, and not
    through all projects to what is found, as it would choose.
    """
    if session.get_bind().dialect.name != "sqlite":
        return column
    value: Any = column
    return UnaryExpression(value.expression, operator=custom_op("+"))
