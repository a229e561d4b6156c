"""The database: one declarative base, times that are always UTC, and SQLite made safe for several
threads.
"""

import sqlite3
import time
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, MetaData, event, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.types import TypeDecorator

from node.fair_lock import FairLock

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime.

    SQLite has no time zones, so there it is stored naive and given its zone back.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The base of every model, of the core and of plugins."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING_CONVENTION),
        type_annotation_map={datetime: UtcDateTime},
    )


# The database is busy, full or down: it may do the same thing in a moment.
UNAVAILABLE_ERRORS = (OperationalError, InterfaceError, PoolTimeoutError)
# So long a transaction waits for another that writes, and on PostgreSQL for rows that another has.
LOCK_TIMEOUT_SECONDS = 5
# So long PostgreSQL works on one statement; and so long its answer is waited for, in case that it
# cannot even say that it gave up.
STATEMENT_TIMEOUT_SECONDS, RESPONSE_TIMEOUT_SECONDS = 15, 20
# So long PostgreSQL has to accept a connection, and a thread waits for one of the pool.
CONNECT_TIMEOUT_SECONDS, POOL_TIMEOUT_SECONDS = 5, 10
# Connections that stay open, and how many more there may be beside one for each web request: jobs
# run beside each other. With these, two processes stay below the 100 that PostgreSQL allows.
POOL_SIZE, EXTRA_CONNECTIONS = 5, 24
HOLDS_WRITE_LOCK = "turn to write"
# So many changed pages, 32 MB of them, are gathered before they go from the log of SQLite into its
# file: pages of an index are changed again and again, and go there once.
CHECKPOINT_PAGES = 8_000
HAS_LARGE_CACHE = "room for much"
LARGE_CACHE_KILOBYTES = 8_000

# Flask-SQLAlchemy owns the engine and the session of a web request; jobs open sessions of their own
# on the engine.
db = SQLAlchemy(model_class=Base, disable_autonaming=True)

_is_read_only: ContextVar[bool] = ContextVar("only_reading", default=False)


@contextmanager
def read_only() -> Iterator[None]:
    """Transactions begun inside take no write lock on SQLite, so readers do not wait for each
    other.
    """
    token = _is_read_only.set(True)
    try:
        yield
    finally:
        _is_read_only.reset(token)


@contextmanager
def read_write() -> Iterator[None]:
    """Transactions begun inside may write, inside a request that only reads too."""
    token = _is_read_only.set(False)
    try:
        yield
    finally:
        _is_read_only.reset(token)


def begin_read_only() -> object:
    """`only_reading` for the rest of this context (a web request); returns what `end_reading`
    takes.
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
    """What SQLAlchemy is to know of the engine for `url`, in a process of so many web threads."""
    options: dict[str, Any] = {
        # What people typed does not stand in a log because a statement failed.
        "hide_parameters": True,
        # What one connection has just read or written, the next transaction finds there.
        "pool_use_lifo": True,
        "pool_size": POOL_SIZE,
        "max_overflow": threads + EXTRA_CONNECTIONS,
        "pool_timeout": POOL_TIMEOUT_SECONDS,
    }
    if url.startswith("postgresql"):
        # A connection that broke while nobody used it is made anew, and not found out by a request.
        options |= {"pool_pre_ping": True, "connect_args": connection_timeouts(url)}
    return options


def connection_timeouts(url: str) -> dict[str, int]:
    """How long libpq waits for a PostgreSQL that does not answer, but for what `url` says itself:
    seconds, and milliseconds for `tcp_user_timeout`.
    """
    limits = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 1000 * RESPONSE_TIMEOUT_SECONDS,
    }
    given = parse_qs(urlsplit(url).query)
    return {name: value for name, value in limits.items() if name not in given}


def prepare_engine(engine: Engine) -> None:
    """Make SQLite safe for several threads.

    It gets WAL, foreign keys, a busy timeout, and transactions that take the write lock when they
    begin, in one process by turns. A deferred transaction that reads and then writes fails or
    loses updates when two of them meet, so a transaction is immediate unless it said that it only
    reads.
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
    turns = FairLock()
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", partial(_on_begin, turns))
    # SQLAlchemy's events `commit` and `rollback` come before the database does either. Only a
    # connection that leaves its user is known to have ended its transaction.
    for end in ("checkin", "detach"):
        event.listen(
            engine, end, lambda _connection, record: _release_write_lock(turns, record.info)
        )


def _connect_to_postgresql(dialect: Any, _record: object, args: Any, named: Any) -> Any:
    return _bounded_connection(dialect.dbapi).connect(*args, **named)


@cache
def _bounded_connection(psycopg: Any) -> Any:
    """A connection that waits `ANSWER_SECONDS` for an answer, where psycopg's waits for ever: a
    server that hangs, or whose machine was halted, closes no connection.
    """

    class BoundedConnection(psycopg.Connection):  # type: ignore[misc]  # as it is imported
        takes_its_time = False

        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            if timeout is not None or self.takes_its_time:
                return super().wait(gen, interval, timeout)
            try:
                return super().wait(gen, interval, RESPONSE_TIMEOUT_SECONDS)
            except psycopg.errors._WaitTimeout:
                self.pgconn.finish()  # nobody knows what it would answer later, and to what
                raise psycopg.OperationalError("the database does not answer") from None

    return BoundedConnection


def disable_timeouts(connection: Connection) -> None:
    """For the transaction that has begun, and a connection that is thrown away afterwards: a
    migration takes as long as it takes.
    """
    if connection.dialect.name == "postgresql":
        connection.connection.dbapi_connection.takes_its_time = True  # type: ignore[union-attr]
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


def _configure_postgresql(connection: Any, _record: object) -> None:
    """Nobody has disks that turn any more, and no question here is worth a compiler. What hangs
    ends: a statement, and the wait for a row that another transaction has.
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
    """For whoever writes much in a row: on SQLite, its connection keeps more pages in memory from
    now on, so that those which every new row changes are not written out and read again for each.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite" and not connection.info.get(HAS_LARGE_CACHE):
        connection.info[HAS_LARGE_CACHE] = True
        connection.exec_driver_sql(f"PRAGMA cache_size=-{LARGE_CACHE_KILOBYTES}")


def _enable_wal(connection: Any) -> None:
    """Switch to WAL. The busy timeout does not cover this: several may open a new file at once."""
    for wait in (0.01, 0.05, 0.1, 0.5, 1.0, 2.0):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            time.sleep(wait)
        else:
            return
    connection.execute("PRAGMA journal_mode=WAL")


def _on_begin(turns: FairLock, connection: Connection) -> None:
    # Not through SQLAlchemy: that costs several times what the database does for it.
    begin = "BEGIN" if _is_read_only.get() else "BEGIN IMMEDIATE"
    try:
        if not _is_read_only.get() and not connection.info.get(HOLDS_WRITE_LOCK):
            if not turns.acquire(LOCK_TIMEOUT_SECONDS):
                raise sqlite3.OperationalError("database is locked")
            connection.info[HOLDS_WRITE_LOCK] = True
        connection.connection.cursor().execute(begin).close()
    except sqlite3.Error as error:
        _release_write_lock(turns, connection.info)
        raise OperationalError(begin, None, error) from error


def _release_write_lock(turns: FairLock, info: MutableMapping[Any, Any]) -> None:
    if info.pop(HOLDS_WRITE_LOCK, False):
        turns.release()


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


@cache
def _insert_missing(model: type[Base], dialect: str) -> sqlite.Insert | postgresql.Insert:
    if dialect == "postgresql":
        return postgresql.insert(model).on_conflict_do_nothing()
    return sqlite.insert(model).on_conflict_do_nothing()


@cache
def _insert_once(model: type[Base], dialect: str) -> ReturningInsert[int]:
    once = _insert_missing(model, dialect).returning(literal(1))
    return once.execution_options(render_nulls=True)


def insert_into(
    session: Session | Connection, model: type[Base]
) -> sqlite.Insert | postgresql.Insert:
    """The INSERT of this database, which can say what to do where a row is there already."""
    bind = session.get_bind() if isinstance(session, Session) else session
    is_postgresql = bind.dialect.name == "postgresql"
    return postgresql.insert(model) if is_postgresql else sqlite.insert(model)


def insert_once(session: Session, model: type[Base], **values: object) -> bool:
    """Insert a row unless one with its unique key is there already; True if it was inserted."""
    new = _insert_once(model, session.get_bind().dialect.name)
    return session.scalar(new, values) is not None


def expire_rows(session: Session, model: type[Base]) -> None:
    """Read the rows of a model anew that the session holds: others than itself wrote them."""
    for row in list(session.identity_map.values()):
        if isinstance(row, model):
            session.expire(row)


def insert_missing(
    connection: Connection, model: type[Base], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert those of the rows, all with the same columns, whose unique keys are not there yet."""
    connection.execute(_insert_missing(model, connection.dialect.name), rows)
