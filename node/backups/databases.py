"""Copies a database while others write to it, and restores a database from a copy.

SQLite is copied with its online backup, PostgreSQL with `pg_dump` in its custom format. Both read a
consistent snapshot and block no one.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import URL, Engine, MetaData, String, column, inspect, literal, select, table

from node.backups.archive import BackupError
from node.schema_migrations import VERSION_TABLE

# The member of the archive that holds the database, by engine.
DATABASE_MEMBERS = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
# Not the models: the database may be at an older revision.
COUNCIL_TABLE = table("council")
VERSION_COLUMN = column("version_num", String)


def copy_database(engine: Engine, target: Path) -> None:
    """Copy the database of `engine` to the new file `target`. Raises `BackupError`."""
    if engine.dialect.name == "sqlite":
        _copy_sqlite(Path(engine.url.database or ""), target)
    else:
        options = ["--format=custom", "--no-owner", "--no-privileges"]
        _run_postgresql("pg_dump", engine.url, [*options, f"--file={target}"])


def check_copy(engine: str, path: Path) -> None:
    """Check that `path` is a complete copy of a database of this engine. Raises `BackupError`."""
    if engine == "postgresql":
        _run_program("pg_restore", ["--list", str(path)], {})
        return
    try:
        with closing(sqlite3.connect(path)) as database:
            result = database.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"The copy of the database is damaged: {error}.") from error
    if result != ("ok",):
        raise BackupError(f"The copy of the database is damaged: {result[0]}.")


def restore_database(engine: Engine, source: Path) -> None:
    """Replace the database of `engine` with the copy `source`, completely or not at all.

    All tables in the database are dropped, so check `is_empty` first. Raises `BackupError`.
    """
    if engine.dialect.name == "sqlite":
        _restore_sqlite(Path(engine.url.database or ""), source)
        return
    with engine.begin() as connection:
        metadata = MetaData()
        metadata.reflect(connection, resolve_fks=False)
        metadata.drop_all(connection)
    options = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    _run_postgresql("pg_restore", engine.url, [*options, str(source)])


def is_empty(engine: Engine) -> bool:
    """Whether the database has no tables, or belongs to a node that has no council yet."""
    with engine.connect() as connection:
        if COUNCIL_TABLE.name not in inspect(connection).get_table_names():
            return True
        return connection.execute(select(literal(1)).select_from(COUNCIL_TABLE)).first() is None


def list_revisions(engine: Engine) -> dict[str, str]:
    """The newest migration of the core and of each plugin, by the name of its version table."""
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        return {
            name: connection.execute(select(VERSION_COLUMN).select_from(table(name))).scalar_one()
            for name in sorted(names)
            if name.startswith(VERSION_TABLE)
        }


def _copy_sqlite(source: Path, target: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as database,
            closing(sqlite3.connect(target)) as copy,
        ):
            database.backup(copy)
            # The copy must be a single file, without a WAL file beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"The database could not be copied: {error}.") from error


def _restore_sqlite(target: Path, source: Path) -> None:
    restored = target.with_name(f"{target.name}.restored")
    try:
        shutil.copyfile(source, restored)
        restored.chmod(0o600)
        for suffix in ("-wal", "-shm"):
            target.with_name(f"{target.name}{suffix}").unlink(missing_ok=True)
        restored.replace(target)
    except OSError as error:
        raise BackupError(
            f"The restored database cannot be moved into the data folder: {error.strerror}."
        ) from error
    finally:
        with suppress(OSError):
            restored.unlink(missing_ok=True)


def _run_postgresql(program: str, url: URL, arguments: list[str]) -> None:
    """Run a PostgreSQL program on the database `url`. The password is passed in the environment, so
    that no list of processes shows it.
    """
    url_without_password = url.set(drivername="postgresql", password=None)
    environment = {"PGPASSWORD": str(url.password)} if url.password else {}
    address = url_without_password.render_as_string(hide_password=False)
    _run_program(program, [f"--dbname={address}", *arguments], environment)


def _run_program(program: str, arguments: list[str], environment: Mapping[str, str]) -> None:
    try:
        result = subprocess.run(
            [program, *arguments],
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise BackupError(
            f"The program {program} is missing. Install the PostgreSQL client programs, in the"
            " version of the PostgreSQL server or newer."
        ) from error
    if result.returncode:
        output = " ".join(result.stderr.split()) or f"exit code {result.returncode}"
        raise BackupError(f"{program} failed: {output}")
