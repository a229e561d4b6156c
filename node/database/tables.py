"""Tables: their base class, column types, and insertion of rows that may exist."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, MetaData, String, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.types import TypeDecorator

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
            raise ValueError("a naive datetime")
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


# Flask-SQLAlchemy owns the engine and the session of a web request; jobs open sessions of their own
# on the engine.
db = SQLAlchemy(model_class=Base, disable_autonaming=True)


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


@cache
def _insert_missing(model: type[Base], dialect: str) -> sqlite.Insert | postgresql.Insert:
    if dialect == "postgresql":
        return postgresql.insert(model).on_conflict_do_nothing()
    return sqlite.insert(model).on_conflict_do_nothing()


@cache
def _insert_once(model: type[Base], dialect: str) -> ReturningInsert[int]:
    statement = _insert_missing(model, dialect).returning(literal(1))
    return statement.execution_options(render_nulls=True)


def insert_into(
    session: Session | Connection, model: type[Base]
) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of this database's dialect, which supports ON CONFLICT."""
    bind = session.get_bind() if isinstance(session, Session) else session
    is_postgresql = bind.dialect.name == "postgresql"
    return postgresql.insert(model) if is_postgresql else sqlite.insert(model)


def insert_once(session: Session, model: type[Base], **values: object) -> bool:
    """Insert a row unless one with its unique key exists. Returns whether it was inserted."""
    statement = _insert_once(model, session.get_bind().dialect.name)
    return session.scalar(statement, values) is not None


def expire_rows(session: Session, model: type[Base]) -> None:
    """Expire the session's rows of `model`, which were written without the session."""
    for row in list(session.identity_map.values()):
        if isinstance(row, model):
            session.expire(row)


def insert_missing(
    connection: Connection, model: type[Base], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert those of `rows`, all with the same columns, whose unique keys do not exist yet."""
    connection.execute(_insert_missing(model, connection.dialect.name), rows)


Uri = String(2000)
