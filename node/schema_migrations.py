"""Bringing the database up to date: the core's migrations, then each plugin's.

Alembic is driven from here; there is no alembic.ini. The core and every plugin have a folder of
revisions and a version table of their own, so that a plugin which is switched off or removed is in
nobody's way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import structlog
from alembic import autogenerate, command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, MetaData, inspect, text
from sqlalchemy.sql.schema import SchemaItem

import migrations
import node
from node.db import Base, disable_timeouts
from node.errors import MoothallError
from node.hooks import Hooks
from node.plugin_loading import summarise_error

CORE = "core"
VERSION_TABLE = "alembic_version"
# Tables of a full-text engine, with all that it keeps beside them, are no models'.
FULL_TEXT_PREFIX = "fulltext_"
# A number of our own for PostgreSQL's advisory lock: whoever holds it is migrating.
ADVISORY_LOCK_ID = 6_642_013
# How long SQLite waits for another process that is migrating, in milliseconds.
LOCK_TIMEOUT_MILLISECONDS = 60_000

log = structlog.get_logger(__name__)


class MigrationError(MoothallError):
    """The database cannot be brought up to date, because of the migrations of `owner`."""

    code = "migration"

    def __init__(self, safe_text: str, owner: str = CORE) -> None:
        super().__init__(safe_text)
        self.owner = owner


@dataclass(frozen=True)
class MigrationHistory:
    """The migrations of one owner: the core, or the plugin `owner`."""

    owner: str
    folder: Path

    @property
    def version_table(self) -> str:
        return VERSION_TABLE if self.owner == CORE else f"{VERSION_TABLE}_{self.owner}"

    def owns(self, table: str) -> bool:
        """Whether this history makes `table`. Plugins' tables are named `<plugin>__<table>`."""
        if table.startswith(VERSION_TABLE):
            return False
        prefix, mark, _ = table.partition("__")
        return prefix == self.owner if mark else self.owner == CORE

    @property
    def options(self) -> dict[str, Any]:
        """What Alembic must know to keep to the tables of this history."""
        return {"version_table": self.version_table, "include_object": self._include_object}

    def config(self, connection: Connection | None = None) -> Config:
        config = Config(attributes={"connection": connection, "options": self.options})
        for key, value in {
            "script_location": str(Path(migrations.__path__[0])),
            "version_locations": str(self.folder),
            "path_separator": "newline",
        }.items():
            config.set_main_option(key, value.replace("%", "%%"))
        return config

    @property
    def script(self) -> ScriptDirectory:
        return ScriptDirectory.from_config(self.config())

    def _include_object(
        self, _item: SchemaItem, name: str | None, kind: str, _reflected: bool, _other: object
    ) -> bool:
        known = name or ""
        return kind != "table" or (self.owns(known) and not known.startswith(FULL_TEXT_PREFIX))


def histories(hooks: Hooks) -> list[MigrationHistory]:
    """The core's, then those of the plugins that have tables."""
    plugins = [
        MigrationHistory(item.name, item.migrations) for item in hooks.details if item.migrations
    ]
    return [_core_history(), *plugins]


def _core_history() -> MigrationHistory:
    return MigrationHistory(CORE, Path(migrations.__path__[0]) / "versions")


def heads(hooks: Hooks) -> dict[str, str]:
    """The newest revision of each owner. Raises `MigrationError` where there is not exactly one."""
    found: dict[str, str] = {}
    for history in histories(hooks):
        revisions = history.script.get_heads()
        if len(revisions) != 1:
            raise MigrationError(
                f"The migrations of {history.owner} have {len(revisions)} ends.", history.owner
            )
        found[history.owner] = revisions[0]
    return found


def is_known_revision(revision: str) -> bool:
    """Whether a migration is among the core's; one of a newer version is not."""
    return revision in {item.revision for item in _core_history().script.walk_revisions()}


def pending(engine: Engine, hooks: Hooks) -> list[str]:
    """What `upgrade` would do, oldest first: `owner: revision message`.

    Raises `MigrationError` for a database made by a newer version of the node or of a plugin.
    """
    with engine.connect() as connection:
        return [
            f"{history.owner}: {revision}"
            for history in histories(hooks)
            for revision in _pending(connection, history)
        ]


def upgrade(engine: Engine, hooks: Hooks) -> list[str]:
    """Bring `engine` up to date; returns what was done, as `pending` words it.

    Each owner's migrations are one transaction, the core's first, so that no plugin holds up the
    core. Processes that upgrade at once wait for each other. `engine` is one that
    `node.db.prepare_engine` has seen. Raises `MigrationError` naming the owner.
    """
    done: list[str] = []
    for history in histories(hooks):
        with _exclusive_transaction(engine) as connection:
            revisions = _pending(connection, history)
            if not revisions:
                continue
            log.info("migrating", owner=history.owner, revisions=revisions)
            _run_migrations(connection, history)
            done += [f"{history.owner}: {revision}" for revision in revisions]
    return done


def schema_differences(engine: Engine, hooks: Hooks) -> list[str]:
    """Where the tables in the database are not as the models say; empty when all is well."""
    found: list[str] = []
    with engine.connect() as connection:
        for history in histories(hooks):
            options = history.options | {"compare_server_default": True}
            context = MigrationContext.configure(connection, opts=options)
            changes = autogenerate.compare_metadata(context, load_metadata())
            found += [f"{history.owner}: {change}" for change in changes]
    return found


def missing_tables_and_columns(engine: Engine, hooks: Hooks) -> dict[str, list[str]]:
    """What the models of each plugin have and the database has not: tables, and `table.column`.

    To be asked after `upgrade`. Empty where every plugin's migrations make what its models need.
    """
    inspector = inspect(engine)
    found: dict[str, list[str]] = {}
    present = set(inspector.get_table_names())
    for name in (item.name for item in hooks.details):
        history = MigrationHistory(name, Path())
        for table in filter(lambda one: history.owns(one.name), load_metadata().sorted_tables):
            columns = inspector.get_columns(table.name) if table.name in present else []
            known = {column["name"] for column in columns}
            missing = [f"{table.name}.{one.name}" for one in table.columns if one.name not in known]
            if missing:
                found.setdefault(name, []).extend(missing if columns else [table.name])
    return found


def plugin_tables(engine: Engine, plugin: str) -> list[str]:
    """The tables in the database that are a plugin's, whether it is installed or not."""
    history = MigrationHistory(plugin, Path())
    found = inspect(engine).get_table_names()
    return [name for name in found if history.owns(name) or name == history.version_table]


def drop_plugin_tables(engine: Engine, plugin: str) -> list[str]:
    """Drop the tables of a plugin and what tells its version, for good. Returns their names."""
    names = plugin_tables(engine, plugin)
    with _exclusive_transaction(engine) as connection:
        known = MetaData()
        if names:
            known.reflect(connection, only=names, resolve_fks=False)
        known.drop_all(connection)
    return names


def load_metadata() -> MetaData:
    """The tables of every model. Those of plugins are known since `Hooks` loaded them."""
    import_module("node.audit")
    for room in Path(node.__path__[0]).iterdir():
        if (room / "models.py").exists() or (room / "models").is_dir():
            import_module(f"node.{room.name}.models")
    return Base.metadata


@contextmanager
def _exclusive_transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other migrating process is in.

    SQLite begins it with the write lock. Its foreign keys are off meanwhile, since Alembic changes
    a table there by replacing it, which would delete the rows that point to it; all of them are
    checked before the commit.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            _set_pragmas(connection, foreign_keys="OFF", busy_timeout=LOCK_TIMEOUT_MILLISECONDS)
        try:
            with connection.begin():
                disable_timeouts(connection)
                if engine.dialect.name == "postgresql":
                    connection.execute(
                        text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK_ID}
                    )
                yield connection
                if (
                    engine.dialect.name == "sqlite"
                    and connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                ):
                    raise MigrationError("The migrations would leave rows that point to nothing.")
        finally:
            connection.detach()  # its settings are not those of the pool


def _set_pragmas(connection: Connection, **values: object) -> None:
    """Set what SQLite does not let be set inside a transaction."""
    cursor = connection.connection.cursor()
    for name, value in values.items():
        cursor.execute(f"PRAGMA {name}={value}")
    cursor.close()


def _pending(connection: Connection, history: MigrationHistory) -> list[str]:
    context = MigrationContext.configure(connection, opts=history.options)
    script = history.script
    try:
        revisions = list(script.iterate_revisions("heads", context.get_current_heads()))
    except (CommandError, RevisionError) as error:
        raise MigrationError(
            f"The database was made by a newer {history.owner}: install that version again.",
            history.owner,
        ) from error
    return [f"{item.revision} {item.doc}" for item in reversed(revisions)]


def _run_migrations(connection: Connection, history: MigrationHistory) -> None:
    before = set(inspect(connection).get_table_names())
    try:
        command.upgrade(history.config(connection), "head")
    except Exception as error:  # a plugin's migration may raise anything
        raise MigrationError(
            f"The migrations of {history.owner} failed: {summarise_error(error)}.", history.owner
        ) from error
    after = set(inspect(connection).get_table_names())
    strangers = {table for table in before ^ after if not history.owns(table)}
    strangers.discard(history.version_table)
    if strangers:
        raise MigrationError(
            f"The migrations of {history.owner} touch other tables:"
            f" {', '.join(sorted(strangers))}.",
            history.owner,
        )
