"""Distinguishes outages of this node from errors caused by the item being processed."""

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

# SQLSTATE class 54, program limit exceeded: for example, a value too large for an index.
LIMIT_EXCEEDED_SQLSTATE = "54"
# Disk full, broken or read-only, too many open files, or out of memory.
OUTAGE_ERRNOS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)


def is_outage(error: BaseException) -> bool:
    """Whether the same operation may succeed later: the database was busy, full, restarting or
    gone, or this machine ran out of disk or memory.

    A value that the database rejects (`DataError`, `IntegrityError`) is no outage.
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
    """Whether an SQL statement itself is wrong, such as a plugin's query of a missing table.

    SQLite reports these as `OperationalError` with the code SQLITE_ERROR.
    """
    if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.OperationalError):
        return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    return isinstance(error, ProgrammingError)
