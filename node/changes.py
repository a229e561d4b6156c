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

WRITING = re.compile(r'(INSERT INTO|UPDATE|DELETE FROM) "?(\w+)"?')
SETTING = re.compile(r'(?:\bSET |, )"?(\w+)"? ?=')
CHANGES, ANSWERS = "changes", "answers"
# Stand for a column if whole rows were inserted or deleted.
ADDED, REMOVED = "+", "-"


class Change(NamedTuple):
    """A `column` that was set; or `ADDED` or `REMOVED`, if rows were inserted or deleted."""

    table: str
    column: str


Changes = Set[Change]
# The columns on which a cache depends, by table; None if it depends on all of them.
Sources = Mapping[str, Collection[str] | None]
Asked = TypeVarTuple("Asked")
Answer = TypeVar("Answer")


def watch(engine: Engine) -> None:
    """Record the changes made through the connections of `engine`."""
    if not event.contains(engine, "before_cursor_execute", _note):
        event.listen(engine, "before_cursor_execute", _note)
        event.listen(engine, "rollback_savepoint", _forget_all)


@contextmanager
def caching(session: Session) -> Iterator[None]:
    """Within this block, which lies within one transaction, functions marked `cached` query
    `session` once for the same arguments.
    """
    info = session.connection().info
    answers = session.info[ANSWERS] = info[ANSWERS] = {}
    try:
        yield
    finally:
        del session.info[ANSWERS]
        if info.get(ANSWERS) is answers:  # after a disconnect the pool may have reused it
            del info[ANSWERS]


class Cached(Generic[*Asked, Answer]):
    """A function of a session and of hashable positional arguments. Its result depends on `sources`
    alone, and callers do not mutate it.
    """

    def __init__(self, ask: Callable[[Session, *Asked], Answer], sources: Sources) -> None:
        self._ask, self._sources = ask, sources
        update_wrapper(self, ask)

    def __call__(self, session: Session, *about: *Asked) -> Answer:
        answers = session.info.get(ANSWERS)
        if answers is None:
            return self._ask(session, *about)
        session.flush()
        mine: dict[Any, Answer] = answers.setdefault(self, {})
        if about not in mine:
            mine[about] = self._ask(session, *about)
        return mine[about]

    def prime(self, session: Session, answers: Mapping[tuple[Any, ...], Answer]) -> None:
        """Cache results that were read together, each under the arguments of its call."""
        session.info.get(ANSWERS, {}).setdefault(self, {}).update(answers)

    def depends_on(self, changed: Changes) -> bool:
        """Whether the result may differ after these changes."""
        return concern(changed, self._sources)


def cached(
    sources: Sources,
) -> Callable[[Callable[[Session, *Asked], Answer]], Cached[*Asked, Answer]]:
    """Mark a function as `Cached`."""
    return lambda ask: Cached(ask, sources)


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
        answers = connection.info.get(ANSWERS, {})
        for stale in [asked for asked in answers if asked.depends_on(changes)]:
            del answers[stale]


def _forget_all(connection: Connection, *_more: Any) -> None:
    connection.info.get(ANSWERS, {}).clear()


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
