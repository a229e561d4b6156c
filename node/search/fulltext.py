"""The one face of both full-text engines: FTS5 of SQLite, and `tsvector` of PostgreSQL.

Neither is left to decide what a word is. What is kept is a `Document`: words in their places, and
labels that have none. Both answer whether it has them, so both give the same answer. The migration
that makes the tables says how they are set up.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    bindparam,
    cast,
    column,
    literal,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.orm import Session

from node.db import Base
from node.search.query_syntax import IndexQuery, to_fts5, to_tsquery
from node.search.text_analysis import GAP


@dataclass(frozen=True)
class IndexDocument:
    """What something is found by."""

    positions: Sequence[str]
    labels: frozenset[str]

    def to_fts5(self) -> str:
        return " ".join((*self.positions, GAP, *sorted(self.labels)))

    def to_tsvector(self) -> str:
        where: dict[str, list[str]] = defaultdict(list)
        for place, word in enumerate(self.positions, 1):
            if word != GAP:
                where[word].append(str(place))
        placed = (f"'{word}':{','.join(places)}" for word, places in where.items())
        return " ".join((*placed, *(f"'{label}'" for label in self.labels if label not in where)))


@dataclass(frozen=True)
class FullTextTable:
    """A table of documents by the ids of other rows."""

    name: str

    def table_and_key(self, session: Session) -> tuple[Any, ColumnElement[int]]:
        """The table, and its ids."""
        found = self._table(session.connection())
        return found, found.c[_key_column(session.connection())]

    def matches(self, session: Session, query: IndexQuery) -> ColumnElement[bool]:
        """Whether a row of the table is what is asked for."""
        if _is_postgresql(session.connection()):
            asked = cast(literal(to_tsquery(query), Text), TSQUERY)
            return literal_column(f"{self.name}.document").bool_op("@@")(asked)
        return literal_column(self.name).bool_op("MATCH")(literal(to_fts5(query), Text))

    def insert(self, connection: Connection, documents: Mapping[int, IndexDocument]) -> None:
        """Keep documents whose ids are not there."""
        is_postgresql = _is_postgresql(connection)
        given: Any = bindparam("said", type_=Text)
        values: dict[str, Any] = {
            _key_column(connection): bindparam("number"),
            "document": cast(given, TSVECTOR) if is_postgresql else given,
        }
        rows = [
            {"number": number, "said": one.to_tsvector() if is_postgresql else one.to_fts5()}
            for number, one in documents.items()
        ]
        if rows:
            connection.execute(self._table(connection).insert().values(values), rows)

    def delete(self, connection: Connection, ids: Sequence[int]) -> None:
        mine = self._table(connection)
        if ids:
            connection.execute(mine.delete().where(mine.c[_key_column(connection)].in_(ids)))

    def delete_orphans(self, connection: Connection, rows: type[Base]) -> None:
        """Remove what is of none of these rows any more."""
        mine = self._table(connection)
        there = select(rows.__table__.c.id)
        connection.execute(mine.delete().where(mine.c[_key_column(connection)].not_in(there)))

    def _table(self, connection: Connection) -> Any:
        return table(self.name, column(_key_column(connection)), column("document"))


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _key_column(connection: Connection) -> str:
    return "id" if _is_postgresql(connection) else "rowid"


PROJECTS = FullTextTable("fulltext_project")
OUTPUTS = FullTextTable("fulltext_output")
