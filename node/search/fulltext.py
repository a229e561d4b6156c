"""One interface to both full-text engines: SQLite's FTS5 and PostgreSQL's `tsvector`.

Neither engine tokenises text. Each stores `IndexDocument`s, which hold words with positions and
labels without, and only tests whether a document contains them; so both find the same documents.
The tables are set up in the migration that creates them.
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

from node.database.tables import Base
from node.search.query_syntax import IndexQuery, to_fts5, to_tsquery
from node.search.text_analysis import GAP


@dataclass(frozen=True)
class IndexDocument:
    """The indexed form of a project or an output.

    `positions` are its words in order, with gaps between texts; `labels` have no position.
    """

    positions: Sequence[str]
    labels: frozenset[str]

    def to_fts5(self) -> str:
        return " ".join((*self.positions, GAP, *sorted(self.labels)))

    def to_tsvector(self) -> str:
        positions: dict[str, list[str]] = defaultdict(list)
        for position, word in enumerate(self.positions, 1):
            if word != GAP:
                positions[word].append(str(position))
        lexemes = (f"'{word}':{','.join(numbers)}" for word, numbers in positions.items())
        labels = (f"'{label}'" for label in self.labels if label not in positions)
        return " ".join((*lexemes, *labels))


@dataclass(frozen=True)
class FullTextTable:
    """A full-text table, keyed by the ids of the rows that its documents describe."""

    name: str

    def table_and_key(self, session: Session) -> tuple[Any, ColumnElement[int]]:
        """The table and its key column."""
        fulltext = self._table(session.connection())
        return fulltext, fulltext.c[_key_column(session.connection())]

    def matches(self, session: Session, query: IndexQuery) -> ColumnElement[bool]:
        """The SQL condition that a row of the table matches `query`."""
        if _is_postgresql(session.connection()):
            tsquery = cast(literal(to_tsquery(query), Text), TSQUERY)
            return literal_column(f"{self.name}.document").bool_op("@@")(tsquery)
        return literal_column(self.name).bool_op("MATCH")(literal(to_fts5(query), Text))

    def insert(self, connection: Connection, documents: Mapping[int, IndexDocument]) -> None:
        """Insert documents by id; none of the ids may be in the table already."""
        is_postgresql = _is_postgresql(connection)
        text: Any = bindparam("text", type_=Text)
        values: dict[str, Any] = {
            _key_column(connection): bindparam("key"),
            "document": cast(text, TSVECTOR) if is_postgresql else text,
        }
        rows = [
            {"key": key, "text": document.to_tsvector() if is_postgresql else document.to_fts5()}
            for key, document in documents.items()
        ]
        if rows:
            connection.execute(self._table(connection).insert().values(values), rows)

    def delete(self, connection: Connection, ids: Sequence[int]) -> None:
        fulltext = self._table(connection)
        if ids:
            key = fulltext.c[_key_column(connection)]
            connection.execute(fulltext.delete().where(key.in_(ids)))

    def delete_orphans(self, connection: Connection, rows: type[Base]) -> None:
        """Delete the documents that no row of the model `rows` has any more."""
        fulltext = self._table(connection)
        existing_ids = select(rows.__table__.c.id)
        key = fulltext.c[_key_column(connection)]
        connection.execute(fulltext.delete().where(key.not_in(existing_ids)))

    def _table(self, connection: Connection) -> Any:
        return table(self.name, column(_key_column(connection)), column("document"))


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _key_column(connection: Connection) -> str:
    return "id" if _is_postgresql(connection) else "rowid"


PROJECTS = FullTextTable("fulltext_project")
OUTPUTS = FullTextTable("fulltext_output")
