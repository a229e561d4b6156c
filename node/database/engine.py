"""The database: the declarative base, UTC times, time limits, and SQLite made safe for threads."""

import sqlite3
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from node.database.fair_lock import FairLock
from node.database.tables import db

# The database is busy, full or down: the same statement may succeed later.
UNAVAILABLE_ERRORS = (OperationalError, InterfaceError, PoolTimeoutError)
# How long a transaction waits for SQLite's write lock, or on PostgreSQL for a locked row.
LOCK_TIMEOUT_SECONDS = 5
# How long one statement may take on PostgreSQL, and how long the client waits for a response. The
# latter is longer: it is for a server that cannot even report its own timeout.
STATEMENT_TIMEOUT_SECONDS, RESPONSE_TIMEOUT_SECONDS = 15, 20
# For PostgreSQL to accept a connection, and for a thread to get one from the pool.
CONNECT_TIMEOUT_SECONDS, POOL_TIMEOUT_SECONDS = 5, 10
# Connections kept open, and those beyond one for each web request, for jobs that run at the same
# time. With these, two processes stay below PostgreSQL's default of 100.
POOL_SIZE, MAX_OVERFLOW = 5, 24
# WAL auto-checkpoint every 8,000 pages (32 MB): index pages are rewritten often, so fewer
# checkpoints save writes.
CHECKPOINT_PAGES = 8_000
LARGE_CACHE_KILOBYTES = 8_000
# Keys of `Connection.info`.
HOLDS_WRITE_LOCK_KEY = "holds write lock"
HAS_LARGE_CACHE_KEY = "has large cache"


_is_read_only: ContextVar[bool] = ContextVar("is_read_only", default=False)


@contextmanager
def read_only() -> Iterator[None]:
    """Transactions that begin inside this block take no write lock on SQLite, so that readers do
    not wait.
    """
    token = _is_read_only.set(True)
    try:
        yield
    finally:
        _is_read_only.reset(token)


@contextmanager
def read_write() -> Iterator[None]:
    """Transactions that begin inside this block may write, even in a read-only request."""
    token = _is_read_only.set(False)
    try:
        yield
    finally:
        _is_read_only.reset(token)


def begin_read_only() -> object:
    """`read_only` for the rest of this context (a web request). Returns the token that
    `end_read_only` takes.
    """
    return _is_read_only.set(True)


def end_read_only(token: Any) -> None:
    _is_read_only.reset(token)


def is_writing() -> bool:
    """Whether this web request has begun a transaction that may write."""
    if _is_read_only.get() or not db.session.registry.has():
        return False
    return bool(db.session().in_transaction())


def engine_options(url: str, threads: int) -> dict[str, Any]:
    """The SQLAlchemy engine options for `url`, in a process with `threads` web threads."""
    options: dict[str, Any] = {
        # Errors are logged: they must not contain what people typed.
        "hide_parameters": True,
        # The connection used last has the warmest cache.
        "pool_use_lifo": True,
        "pool_size": POOL_SIZE,
        "max_overflow": threads + MAX_OVERFLOW,
        "pool_timeout": POOL_TIMEOUT_SECONDS,
    }
    if url.startswith("postgresql"):
        # Replaces connections that broke while idle, before a request uses them.
        options |= {"pool_pre_ping": True, "connect_args": connection_timeouts(url)}
    return options


def connection_timeouts(url: str) -> dict[str, int]:
    """libpq's parameters for a PostgreSQL that does not respond, without those that `url` sets
    itself. In seconds, but `tcp_user_timeout` in milliseconds.
    """
    limits = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 1000 * RESPONSE_TIMEOUT_SECONDS,
    }
    parameters = parse_qs(urlsplit(url).query)
    return {name: value for name, value in limits.items() if name not in parameters}


def prepare_engine(engine: Engine) -> None:
    """Set time limits on PostgreSQL, and make SQLite safe for several threads.

    SQLite gets WAL, foreign keys, a busy timeout, and transactions that take the write lock when
    they begin; within one process, in the order of arrival. Deferred transactions that read and
    then write fail or lose updates when two of them meet, so every transaction is immediate unless
    it begins inside `read_only`.
    """
    if engine.dialect.name == "postgresql" and not event.contains(
        engine, "connect", _configure_postgresql
    ):
        event.listen(engine, "do_connect", _connect_to_postgresql)
        event.listen(engine, "connect", _configure_postgresql)
    if engine.dialect.name != "sqlite":
        return
    if event.contains(engine, "connect", _configure_sqlite):
        return
    write_lock = FairLock()
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", partial(_on_begin, write_lock))
    # SQLAlchemy emits `commit` and `rollback` before the database does either. Only a connection
    # that is returned or detached is known to have ended its transaction.
    for name in ("checkin", "detach"):
        event.listen(
            engine, name, lambda _connection, record: _release_write_lock(write_lock, record.info)
        )


def _connect_to_postgresql(dialect: Any, _record: object, args: Any, named: Any) -> Any:
    return _bounded_connection(dialect.dbapi).connect(*args, **named)


@cache
def _bounded_connection(psycopg: Any) -> Any:
    """A connection class that waits `RESPONSE_TIMEOUT_SECONDS` for a response. psycopg's waits for
    ever if the server hangs or its machine was halted, since neither closes the connection.
    """

    class BoundedConnection(psycopg.Connection):  # type: ignore[misc]  # psycopg is Any
        has_no_timeout = False

        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            if timeout is not None or self.has_no_timeout:
                return super().wait(gen, interval, timeout)
            try:
                return super().wait(gen, interval, RESPONSE_TIMEOUT_SECONDS)
            except psycopg.errors._WaitTimeout:
                self.pgconn.finish()  # a late response could be taken for that of the next query
                raise psycopg.OperationalError("the database does not answer") from None

    return BoundedConnection


def disable_timeouts(connection: Connection) -> None:
    """Lift the time limits of PostgreSQL for the current transaction of a migration. The caller
    discards the connection afterwards.
    """
    if connection.dialect.name == "postgresql":
        connection.connection.dbapi_connection.has_no_timeout = True  # type: ignore[union-attr]
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


def _configure_postgresql(connection: Any, _record: object) -> None:
    """Plan for SSDs, without JIT, which costs more than it saves on short queries; limit how long
    a statement and its wait for locked rows may take.
    """
    for setting in (
        "random_page_cost = 1.1",
        "jit = off",
        f"lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'",
        f"statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s'",
    ):
        connection.execute(f"SET {setting}")
    connection.commit()


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={LOCK_TIMEOUT_SECONDS * 1000}",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    _enable_wal(connection)


def enlarge_cache(session: Session) -> None:
    """Enlarge SQLite's page cache for this session's connection, before many rows are written: the
    index pages that every new row changes then stay in memory.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite" and not connection.info.get(HAS_LARGE_CACHE_KEY):
        connection.info[HAS_LARGE_CACHE_KEY] = True
        connection.exec_driver_sql(f"PRAGMA cache_size=-{LARGE_CACHE_KILOBYTES}")


def _enable_wal(connection: Any) -> None:
    """Switch to WAL, with retries: the busy timeout does not cover several processes that open a
    new file at once.
    """
    for delay in (0.01, 0.05, 0.1, 0.5, 1.0, 2.0):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            time.sleep(delay)
        else:
            return
    connection.execute("PRAGMA journal_mode=WAL")


def _on_begin(write_lock: FairLock, connection: Connection) -> None:
    # Executed by the driver: SQLAlchemy's overhead is several times the cost of BEGIN itself.
    begin = "BEGIN" if _is_read_only.get() else "BEGIN IMMEDIATE"
    try:
        if not _is_read_only.get() and not connection.info.get(HOLDS_WRITE_LOCK_KEY):
            if not write_lock.acquire(LOCK_TIMEOUT_SECONDS):
                raise sqlite3.OperationalError("database is locked")
            connection.info[HOLDS_WRITE_LOCK_KEY] = True
        connection.connection.cursor().execute(begin).close()
    except sqlite3.Error as error:
        _release_write_lock(write_lock, connection.info)
        raise OperationalError(begin, None, error) from error


def _release_write_lock(write_lock: FairLock, info: MutableMapping[Any, Any]) -> None:
    if info.pop(HOLDS_WRITE_LOCK_KEY, False):
        write_lock.release()
