"""Runs the core's migrations once per process and dialect, and replays their statements on further
empty databases, because running Alembic takes longer than most tests.

Not used in processes that tests start, nor in `tests/migrations`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, inspect

from node import schema_migrations
from node.schema_migrations import CORE, MigrationHistory

Statement = tuple[str, Any, bool]
# Statements that are not recorded.
READ_STATEMENTS = ("SELECT", "PRAGMA", "WITH")

_run_uncached = schema_migrations._run_migrations
_recorded_statements: dict[str, list[Statement]] = {}


def install() -> None:
    """Use the recorded migrations for every database that this process migrates from now on."""
    schema_migrations._run_migrations = _run_cached


@contextmanager
def without_cache() -> Iterator[None]:
    """Inside the block, migrations run as in production."""
    schema_migrations._run_migrations = _run_uncached
    yield
    schema_migrations._run_migrations = _run_cached


def _run_cached(connection: Connection, history: MigrationHistory) -> None:
    dialect = connection.dialect.name
    if history.owner != CORE or inspect(connection).get_table_names():
        _run_uncached(connection, history)
    elif dialect in _recorded_statements:
        _replay_statements(connection, _recorded_statements[dialect])
    else:
        with _record_statements(connection) as statements:
            _run_uncached(connection, history)
        _recorded_statements[dialect] = statements


@contextmanager
def _record_statements(connection: Connection) -> Iterator[list[Statement]]:
    statements: list[Statement] = []

    def record(
        _connection: Connection,
        _cursor: object,
        statement: str,
        parameters: object,
        _context: object,
        is_many: bool,
    ) -> None:
        if not statement.lstrip().upper().startswith(READ_STATEMENTS):
            statements.append((statement, parameters, is_many))

    event.listen(connection, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(connection, "before_cursor_execute", record)


def _replay_statements(connection: Connection, statements: list[Statement]) -> None:
    cursor = connection.connection.cursor()
    for statement, parameters, is_many in statements:
        (cursor.executemany if is_many else cursor.execute)(statement, parameters)
    cursor.close()
