"""The core's migrations, which run once in this process on each kind of database: the next empty
one is given the statements that the first was given. To find them takes longer than most tests.

Processes that tests start do all of it; so do `tests/migrations`, which are about it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, inspect

from node import schema_migrations
from node.schema_migrations import CORE, MigrationHistory

Statement = tuple[str, Any, bool]
# What only looks.
READ_STATEMENTS = ("SELECT", "PRAGMA", "WITH")

_run_uncached = schema_migrations._run_migrations
_recorded: dict[str, list[Statement]] = {}


def install() -> None:
    """For every database that this process migrates from now on."""
    schema_migrations._run_migrations = _run


@contextmanager
def uncached() -> Iterator[None]:
    """In here, migrations run as they do for whoever is no test."""
    schema_migrations._run_migrations = _run_uncached
    yield
    schema_migrations._run_migrations = _run


def _run(connection: Connection, history: MigrationHistory) -> None:
    kind = connection.dialect.name
    if history.owner != CORE or inspect(connection).get_table_names():
        _run_uncached(connection, history)
    elif kind in _recorded:
        _replay(connection, _recorded[kind])
    else:
        with _recording(connection) as heard:
            _run_uncached(connection, history)
        _recorded[kind] = heard


@contextmanager
def _recording(connection: Connection) -> Iterator[list[Statement]]:
    heard: list[Statement] = []

    def hear(
        _connection: Connection,
        _cursor: object,
        statement: str,
        parameters: object,
        _context: object,
        many: bool,
    ) -> None:
        if not statement.lstrip().upper().startswith(READ_STATEMENTS):
            heard.append((statement, parameters, many))

    event.listen(connection, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(connection, "before_cursor_execute", hear)


def _replay(connection: Connection, statements: list[Statement]) -> None:
    cursor = connection.connection.cursor()
    for statement, parameters, many in statements:
        (cursor.executemany if many else cursor.execute)(statement, parameters)
    cursor.close()
