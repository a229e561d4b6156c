"""The tables and columns that a transaction changes, read from its SQL statements."""

import re
from collections.abc import Collection, Mapping, Set
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

WRITING = re.compile(r'(INSERT INTO|UPDATE|DELETE FROM) "?(\w+)"?')
SETTING = re.compile(r'(?:\bSET |, )"?(\w+)"? ?=')
CHANGES = "changes"
# Stand for a column if whole rows were inserted or deleted.
ADDED, REMOVED = "+", "-"


class Change(NamedTuple):
    """A `column` that was set; or `ADDED` or `REMOVED`, if rows were inserted or deleted."""

    table: str
    column: str


Changes = Set[Change]
# The columns on which a cache depends, by table; None if it depends on all of them.
Sources = Mapping[str, Collection[str] | None]


def watch(engine: Engine) -> None:
    """Record the changes made through the connections of `engine`."""
    if not event.contains(engine, "before_cursor_execute", _note):
        event.listen(engine, "before_cursor_execute", _note)


def take(session: Session) -> Changes:
    """The changes of the current transaction of `session`, to be called just before its commit."""
    session.flush()
    if not session.in_transaction():
        return frozenset()
    changed: Changes = session.connection().info.pop(CHANGES, frozenset())
    return changed


def concern(changes: Changes, sources: Sources) -> bool:
    """Whether any of `changes` affects a cache that depends on `sources`."""
    return any(
        columns is None or change.column in columns
        for change in changes
        if (columns := sources.get(change.table, ())) != ()
    )


def _note(connection: Connection, _cursor: object, statement: str, *_more: Any) -> None:
    if changes := _of(statement):
        connection.info.setdefault(CHANGES, set()).update(changes)


@lru_cache(maxsize=2_000)
def _of(statement: str) -> Changes:
    """The changes of a statement; in doubt, too many rather than too few."""
    if statement.startswith("SELECT"):
        return frozenset()
    columns = SETTING.findall(statement)
    changes = set()
    for doing, table in WRITING.findall(statement):
        changes |= {Change(table, column) for column in columns}
        if doing != "UPDATE":
            changes.add(Change(table, ADDED if doing == "INSERT INTO" else REMOVED))
    return frozenset(changes)
