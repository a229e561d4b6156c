"""Which rows a transaction has changed, as its statements say: by table, and by column."""

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
# What stands for a column where whole rows came or went.
ADDED, REMOVED = "+", "-"


class Change(NamedTuple):
    """Rows of a table were `ADDED` or `REMOVED`, or their `column` was set."""

    table: str
    column: str


Changes = Set[Change]
# The tables that something is made of, and which columns of each; None: any change matters.
Sources = Mapping[str, Collection[str] | None]


def watch(engine: Engine) -> None:
    """Note what is changed over the connections of `engine`."""
    if not event.contains(engine, "before_cursor_execute", _note):
        event.listen(engine, "before_cursor_execute", _note)


def take(session: Session) -> Changes:
    """What the transaction of `session`, which is about to be committed, has changed."""
    session.flush()
    if not session.in_transaction():
        return frozenset()
    changed: Changes = session.connection().info.pop(CHANGES, frozenset())
    return changed


def concern(changes: Changes, sources: Sources) -> bool:
    """Whether what is made of `sources` may be another now."""
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
    """What a statement changes; where in doubt, too much rather than too little."""
    if statement.startswith("SELECT"):
        return frozenset()
    columns = SETTING.findall(statement)
    changes = set()
    for doing, table in WRITING.findall(statement):
        changes |= {Change(table, column) for column in columns}
        if doing != "UPDATE":
            changes.add(Change(table, ADDED if doing == "INSERT INTO" else REMOVED))
    return frozenset(changes)
