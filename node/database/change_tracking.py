"""Records the tables and columns that a transaction changes, parsed from its SQL statements, and
caches query results until one of the columns on which they depend is changed.
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
# Keys of `Connection.info`; the results are in `Session.info` too.
CHANGES_KEY, RESULTS_KEY = "changes", "results"
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
    results = session.info[RESULTS_KEY] = info[RESULTS_KEY] = {}
    try:
        yield
    finally:
        del session.info[RESULTS_KEY]
        if info.get(RESULTS_KEY) is results:  # after a disconnect the pool may have reused it
            del info[RESULTS_KEY]


class CachedQuery(Generic[*Arguments, QueryResult]):
    """A function of a session and of hashable positional arguments. Its result depends on `sources`
    alone, and callers do not mutate it.
    """

    def __init__(
        self, query: Callable[[Session, *Arguments], QueryResult], sources: Sources
    ) -> None:
        self._query, self._sources = query, sources
        update_wrapper(self, query)

    def __call__(self, session: Session, *arguments: *Arguments) -> QueryResult:
        results_by_query = session.info.get(RESULTS_KEY)
        if results_by_query is None:
            return self._query(session, *arguments)
        session.flush()
        results: dict[Any, QueryResult] = results_by_query.setdefault(self, {})
        if arguments not in results:
            results[arguments] = self._query(session, *arguments)
        return results[arguments]

    def prime(self, session: Session, results: Mapping[tuple[Any, ...], QueryResult]) -> None:
        """Cache results that were read together, each under the arguments of its call."""
        session.info.get(RESULTS_KEY, {}).setdefault(self, {}).update(results)

    def is_affected_by(self, changes: Changes) -> bool:
        """Whether the result may differ after these changes."""
        return affects(changes, self._sources)


def cached(
    sources: Sources,
) -> Callable[[Callable[[Session, *Arguments], QueryResult]], CachedQuery[*Arguments, QueryResult]]:
    """Decorator that turns a function into a `CachedQuery`."""
    return lambda query: CachedQuery(query, sources)


def pop_changes(session: Session) -> Changes:
    """Remove and return the changes of the current transaction of `session`. Call it just before
    the commit.
    """
    session.flush()
    if not session.in_transaction():
        return frozenset()
    changes: Changes = session.connection().info.pop(CHANGES_KEY, frozenset())
    return changes


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
        results: dict[CachedQuery[Any, Any], Any] = connection.info.get(RESULTS_KEY, {})
        for stale in [query for query in results if query.is_affected_by(changes)]:
            del results[stale]


def _clear_results(connection: Connection, *_more: Any) -> None:
    connection.info.get(RESULTS_KEY, {}).clear()


@lru_cache(maxsize=2_000)
def _parse_changes(statement: str) -> Changes:
    """The changes of a statement; in doubt, too many rather than too few."""
    if statement.startswith("SELECT"):
        return frozenset()
    columns = SET_COLUMN.findall(statement)
    changes = set()
    for verb, table in WRITE_STATEMENT.findall(statement):
        changes |= {ColumnChange(table, column) for column in columns}
        if verb != "UPDATE":
            changes.add(ColumnChange(table, ADDED if verb == "INSERT INTO" else REMOVED))
    return frozenset(changes)
