"""Copies of a database while others write to it, and databases made from a copy.

SQLite is copied by its online backup, PostgreSQL by `pg_dump` in its custom format. Both read one
moment of the database and hold up nobody.
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

# The member that holds the database, by the engine it is of.
DATABASE_MEMBERS = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
# Read by name, whatever revision the database is at.
COUNCILS = table("council")
VERSION = column("version_num", String)


def copy_database(engine: Engine, target: Path) -> None:
    """Copy the database of `engine` to the new file `target`. Raises `BackupError`."""
    if engine.dialect.name == "sqlite":
        _copy_sqlite(Path(engine.url.database or ""), target)
    else:
        options = ["--format=custom", "--no-owner", "--no-privileges"]
        _run_postgresql("pg_dump", engine.url, [*options, f"--file={target}"])


def check_copy(kind: str, path: Path) -> None:
    """Raises `BackupError` unless `path` is a whole copy of a database of this kind."""
    if kind == "postgresql":
        _run("pg_restore", ["--list", str(path)], {})
        return
    try:
        with closing(sqlite3.connect(path)) as database:
            answer = database.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"The copy of the database is damaged: {error}.") from error
    if answer != ("ok",):
        raise BackupError(f"The copy of the database is damaged: {answer[0]}.")


def restore_database(engine: Engine, source: Path) -> None:
    """Put the copy `source` in the place of the database of `engine`, whole or not at all.

    Whatever tables are there go: see `is_empty`. Raises `BackupError`.
    """
    if engine.dialect.name == "sqlite":
        _restore_sqlite(Path(engine.url.database or ""), source)
        return
    with engine.begin() as connection:
        known = MetaData()
        known.reflect(connection, resolve_fks=False)
        known.drop_all(connection)
    options = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    _run_postgresql("pg_restore", engine.url, [*options, str(source)])


def is_empty(engine: Engine) -> bool:
    """Whether the database has no tables, or those of a node whose council is not set up."""
    with engine.connect() as connection:
        if COUNCILS.name not in inspect(connection).get_table_names():
            return True
        return connection.execute(select(literal(1)).select_from(COUNCILS)).first() is None


def revisions(engine: Engine) -> dict[str, str]:
    """The newest migration of the core and of each plugin, by the name of its version table."""
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        return {
            name: connection.execute(select(VERSION).select_from(table(name))).scalar_one()
            for name in sorted(names)
            if name.startswith(VERSION_TABLE)
        }


def _copy_sqlite(source: Path, target: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as database,
            closing(sqlite3.connect(target)) as made,
        ):
            database.backup(made)
            # One file, which needs none beside it.
            made.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"The database could not be copied: {error}.") from error


def _restore_sqlite(target: Path, source: Path) -> None:
    fresh = target.with_name(f"{target.name}.restored")
    try:
        shutil.copyfile(source, fresh)
        fresh.chmod(0o600)
        for suffix in ("-wal", "-shm"):
            target.with_name(f"{target.name}{suffix}").unlink(missing_ok=True)
        fresh.replace(target)
    except OSError as error:
        raise BackupError(f"The database cannot be put in its place: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def _run_postgresql(program: str, url: URL, arguments: list[str]) -> None:
    """Run a program of PostgreSQL on the database `url`, its password in no list of processes."""
    plain = url.set(drivername="postgresql", password=None)
    password = {"PGPASSWORD": str(url.password)} if url.password else {}
    address = plain.render_as_string(hide_password=False)
    _run(program, [f"--dbname={address}", *arguments], password)


def _run(program: str, arguments: list[str], variables: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(
            [program, *arguments],
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise BackupError(
            f"The program {program} is missing: install PostgreSQL's client programs, of the"
            " server's version or newer."
        ) from error
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"it ended with {done.returncode}"
        raise BackupError(f"{program} failed: {said}")
