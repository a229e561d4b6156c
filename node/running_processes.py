"""Whether processes of this node (`moothall serve`, `moothall worker`) are running.

Some commands must not work beneath a running node: restoring a backup, dropping tables. On SQLite
all processes are on one machine, and each shares a lock on a file in the data folder. On PostgreSQL
they may be on many, and the server lists its connections by application name. Either ends with the
process, however it ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Engine, make_url, text

from node.data_folder import ensure_data_folder
from node.errors import MoothallError
from node.settings import Settings

LOCK_FILE = "running.lock"
# By which PostgreSQL lists the connections of processes that run the node.
APPLICATION_NAME = "moothall-running"


class NodeRunningError(MoothallError):
    """Processes of the node are running, and what was asked for needs them stopped."""

    code = "running"


@contextmanager
def mark_running(settings: Settings) -> Iterator[Settings]:
    """For the length of the block this process runs the node, and others can see it. Yields the
    settings to start the node with.
    """
    file = _open_lock_file(settings)
    try:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield replace(settings, database_url=_with_application_name(settings.sqlalchemy_url))
    finally:
        os.close(file)


def _with_application_name(database: str) -> str:
    """The same database, to which one connects as a process that runs the node."""
    url = make_url(database)
    if url.get_backend_name() != "postgresql":
        return database
    named = url.update_query_dict({"application_name": APPLICATION_NAME})
    return named.render_as_string(hide_password=False)


def require_stopped(settings: Settings, engine: Engine) -> None:
    """Raises `RunningError` while any process runs the node."""
    if _is_locked(settings) or (engine.dialect.name == "postgresql" and _has_connections(engine)):
        raise NodeRunningError("The node is running. Stop each of its processes first.")


def _open_lock_file(settings: Settings) -> int:
    return os.open(ensure_data_folder(settings) / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)


def _is_locked(settings: Settings) -> bool:
    file = _open_lock_file(settings)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _has_connections(engine: Engine) -> bool:
    query = text(
        "SELECT 1 FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = :name LIMIT 1"
    )
    with engine.connect() as connection:
        return connection.execute(query, {"name": APPLICATION_NAME}).first() is not None
