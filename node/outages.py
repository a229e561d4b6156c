"""Tells a bad moment of this node's from a fault in what it works on."""

import errno
import sqlite3

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    PendingRollbackError,
    ProgrammingError,
    ResourceClosedError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# PostgreSQL's class "program limit exceeded": a value too large for an index, for instance.
LIMIT_EXCEEDED_SQLSTATE = "54"
# The disk is full or broken, or there are too many open files.
OUTAGE_ERRNOS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)


def is_outage(error: BaseException) -> bool:
    """Whether an error says nothing about the item that was worked on, since the database was busy,
    full, restarting or gone, or the disk or the memory ran out: the same will work later.

    A database that refuses a value for what it is (`DataError`, `IntegrityError`) has no outage.
    """
    if isinstance(error, DataError | IntegrityError):
        return False
    if isinstance(error, DBAPIError):
        return not str(getattr(error.orig, "sqlstate", "")).startswith(LIMIT_EXCEEDED_SQLSTATE)
    if isinstance(error, OSError):
        return error.errno in OUTAGE_ERRNOS
    return isinstance(
        error, PendingRollbackError | ResourceClosedError | PoolTimeoutError | MemoryError
    )


def is_programming_error(error: BaseException) -> bool:
    """Whether a statement is wrong in itself, such as one of a plugin that names no table of its.

    SQLite has no class of errors for that, but a code.
    """
    if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.OperationalError):
        return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    return isinstance(error, ProgrammingError)
