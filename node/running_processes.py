"""Detects running processes of this node (`moothall serve`, `moothall worker`).

Some commands need the node to be stopped, such as restoring a backup. With SQLite all processes
are on one machine, and each holds a shared lock on a file in the data folder. With PostgreSQL they
may be on several, and the server lists their connections by application name. Both end with the
process, even if it crashes.
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
# The application name of PostgreSQL connections of processes that run the node.
APPLICATION_NAME = "moothall-running"


class NodeRunningError(MoothallError):
    """The command needs all processes of the node to be stopped, and some are running."""

    code = "running"


@contextmanager
def mark_running(settings: Settings) -> Iterator[Settings]:
    """Mark this process as running the node for the length of the block. Yields the settings to
    start the node with.
    """
    descriptor = _open_lock_file(settings)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield replace(settings, database_url=_with_application_name(settings.sqlalchemy_url))
    finally:
        os.close(descriptor)


def _with_application_name(database_url: str) -> str:
    """The URL of the database with our application name, if the database is PostgreSQL."""
    url = make_url(database_url)
    if url.get_backend_name() != "postgresql":
        return database_url
    marked = url.update_query_dict({"application_name": APPLICATION_NAME})
    return marked.render_as_string(hide_password=False)


def require_stopped(settings: Settings, engine: Engine) -> None:
    """Raises `NodeRunningError` if any process runs the node."""
    if _is_locked(settings) or (engine.dialect.name == "postgresql" and _has_connections(engine)):
        raise NodeRunningError("The server is running. Stop each of its processes first.")


def _open_lock_file(settings: Settings) -> int:
    return os.open(ensure_data_folder(settings) / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)


def _is_locked(settings: Settings) -> bool:
    descriptor = _open_lock_file(settings)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _has_connections(engine: Engine) -> bool:
    query = text(
        "SELECT 1 FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = :name LIMIT 1"
    )
    with engine.connect() as connection:
        return connection.execute(query, {"name": APPLICATION_NAME}).first() is not None
