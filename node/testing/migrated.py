"""The core's migrations, which run once in this process on each kind of database: the next empty
one is given the statements that the first was given. To find them takes longer than most tests.

Processes that tests start do all of it; so do `tests/migrations`, which are about it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, inspect

from node import migrating
from node.migrating import CORE, History

Statement = tuple[str, Any, bool]
# What only looks.
READING = ("SELECT", "PRAGMA", "WITH")

_really = migrating._run
_given: dict[str, list[Statement]] = {}


def run_once() -> None:
    """For every database that this process migrates from now on."""
    migrating._run = _run


@contextmanager
def really() -> Iterator[None]:
    """In here, migrations run as they do for whoever is no test."""
    migrating._run = _really
    yield
    migrating._run = _run


def _run(connection: Connection, history: History) -> None:
    kind = connection.dialect.name
    if history.owner != CORE or inspect(connection).get_table_names():
        _really(connection, history)
    elif kind in _given:
        _give(connection, _given[kind])
    else:
        with _listening(connection) as heard:
            _really(connection, history)
        _given[kind] = heard


@contextmanager
def _listening(connection: Connection) -> Iterator[list[Statement]]:
    heard: list[Statement] = []

    def hear(
        _connection: Connection,
        _cursor: object,
        statement: str,
        parameters: object,
        _context: object,
        many: bool,
    ) -> None:
        if not statement.lstrip().upper().startswith(READING):
            heard.append((statement, parameters, many))

    event.listen(connection, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(connection, "before_cursor_execute", hear)


def _give(connection: Connection, statements: list[Statement]) -> None:
    cursor = connection.connection.cursor()
    for statement, parameters, many in statements:
        (cursor.executemany if many else cursor.execute)(statement, parameters)
    cursor.close()
