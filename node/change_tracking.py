"""The tables and columns that a transaction changes, read from its SQL statements, and a cache of
answers that lasts until one of the columns on which they depend is changed.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Set
from contextlib import contextmanager
from functools import lru_cache, update_wrapper
from typing import Any, Generic, NamedTuple, TypeVar, TypeVarTuple

from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

WRITE_STATEMENT = re.compile(r'(INSERT INTO|UPDATE|DELETE FROM) "?(\w+)"?')
SET_COLUMN = re.compile(r'(?:\bSET |, )"?(\w+)"? ?=')
CHANGES_KEY, RESULTS_KEY = "changes", "answers"
# Stand for a column if whole rows were inserted or deleted.
ADDED, REMOVED = "+", "-"


class ColumnChange(NamedTuple):
    """A `column` that was set; or `ADDED` or `REMOVED`, if rows were inserted or deleted."""

    table: str
    column: str


Changes = Set[ColumnChange]
# The columns on which a cache depends, by table; None if it depends on all of them.
Sources = Mapping[str, Collection[str] | None]
Arguments = TypeVarTuple("Arguments")
QueryResult = TypeVar("QueryResult")


def track(engine: Engine) -> None:
    """Record the changes made through the connections of `engine`."""
    if not event.contains(engine, "before_cursor_execute", _record_changes):
        event.listen(engine, "before_cursor_execute", _record_changes)
        event.listen(engine, "rollback_savepoint", _clear_results)


@contextmanager
def caching(session: Session) -> Iterator[None]:
    """Within this block, which lies within one transaction, functions marked `cached` query
    `session` once for the same arguments.
    """
    info = session.connection().info
    answers = session.info[RESULTS_KEY] = info[RESULTS_KEY] = {}
    try:
        yield
    finally:
        del session.info[RESULTS_KEY]
        if info.get(RESULTS_KEY) is answers:  # after a disconnect the pool may have reused it
            del info[RESULTS_KEY]


class CachedQuery(Generic[*Arguments, QueryResult]):
    """A function of a session and of hashable positional arguments. Its result depends on `sources`
    alone, and callers do not mutate it.
    """

    def __init__(self, ask: Callable[[Session, *Arguments], QueryResult], sources: Sources) -> None:
        self._query, self._sources = ask, sources
        update_wrapper(self, ask)

    def __call__(self, session: Session, *about: *Arguments) -> QueryResult:
        answers = session.info.get(RESULTS_KEY)
        if answers is None:
            return self._query(session, *about)
        session.flush()
        mine: dict[Any, QueryResult] = answers.setdefault(self, {})
        if about not in mine:
            mine[about] = self._query(session, *about)
        return mine[about]

    def prime(self, session: Session, answers: Mapping[tuple[Any, ...], QueryResult]) -> None:
        """Cache results that were read together, each under the arguments of its call."""
        session.info.get(RESULTS_KEY, {}).setdefault(self, {}).update(answers)

    def is_affected_by(self, changed: Changes) -> bool:
        """Whether the result may differ after these changes."""
        return affects(changed, self._sources)


def cached(
    sources: Sources,
) -> Callable[[Callable[[Session, *Arguments], QueryResult]], CachedQuery[*Arguments, QueryResult]]:
    """Mark a function as `Cached`."""
    return lambda ask: CachedQuery(ask, sources)


def take_changes(session: Session) -> Changes:
    """The changes of the current transaction of `session`, to be called just before its commit."""
    session.flush()
    if not session.in_transaction():
        return frozenset()
    changed: Changes = session.connection().info.pop(CHANGES_KEY, frozenset())
    return changed


def affects(changes: Changes, sources: Sources) -> bool:
    """Whether any of `changes` affects a cache that depends on `sources`."""
    return any(
        columns is None or change.column in columns
        for change in changes
        if (columns := sources.get(change.table, ())) != ()
    )


def _record_changes(connection: Connection, _cursor: object, statement: str, *_more: Any) -> None:
    if changes := _parse_changes(statement):
        connection.info.setdefault(CHANGES_KEY, set()).update(changes)
        answers = connection.info.get(RESULTS_KEY, {})
        for stale in [asked for asked in answers if asked.depends_on(changes)]:
            del answers[stale]


def _clear_results(connection: Connection, *_more: Any) -> None:
    connection.info.get(RESULTS_KEY, {}).clear()


@lru_cache(maxsize=2_000)
def _parse_changes(statement: str) -> Changes:
    """The changes of a statement; in doubt, too many rather than too few."""
    if statement.startswith("SELECT"):
        return frozenset()
    columns = SET_COLUMN.findall(statement)
    changes = set()
    for doing, table in WRITE_STATEMENT.findall(statement):
        changes |= {ColumnChange(table, column) for column in columns}
        if doing != "UPDATE":
            changes.add(ColumnChange(table, ADDED if doing == "INSERT INTO" else REMOVED))
    return frozenset(changes)
