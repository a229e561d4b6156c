"""Runs the database migrations: the core's, then each plugin's.

Alembic is configured here; there is no alembic.ini. The core and every plugin have a folder of
revisions and a version table of their own, so that a plugin can be disabled or removed.
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
from node.database.engine import disable_timeouts
from node.database.tables import Base
from node.errors import MoothallError
from node.plugin_api.hooks import Hooks
from node.plugin_api.loader import summarise_error

CORE = "core"
VERSION_TABLE = "alembic_version"
# The core's revision that version 0.1.0 begins with. Those before it had lower numbers.
FIRST_REVISION = "0035"
# The modules with tables that are not in a room's `models`.
OTHER_TABLES = (
    "node.audit",
    "node.projects.adoptions",
    "node.queue.batched_writes",
    "node.queue.error_isolation",
    "node.queue.hourly_jobs",
)
# The prefix of full-text tables and their shadow tables, which have no models.
FULL_TEXT_PREFIX = "fulltext_"
# PostgreSQL's advisory lock for migrations: an arbitrary number.
ADVISORY_LOCK_ID = 6_642_013
# How long SQLite waits for another process that is migrating.
LOCK_TIMEOUT_MILLISECONDS = 60_000

log = structlog.get_logger(__name__)


class MigrationError(MoothallError):
    """The migrations of `owner`, the core or a plugin, failed or do not match the database."""

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
        """Whether this history creates `table`. Plugins' tables are named `<plugin>__<table>`."""
        if table.startswith(VERSION_TABLE):
            return False
        prefix, separator, _ = table.partition("__")
        return prefix == self.owner if separator else self.owner == CORE

    @property
    def options(self) -> dict[str, Any]:
        """Options of Alembic that restrict it to the tables of this history."""
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
        table = name or ""
        return kind != "table" or (self.owns(table) and not table.startswith(FULL_TEXT_PREFIX))


def list_histories(hooks: Hooks) -> list[MigrationHistory]:
    """The core's history, then those of the plugins that have tables."""
    plugins = [
        MigrationHistory(item.name, item.migrations) for item in hooks.details if item.migrations
    ]
    return [_core_history(), *plugins]


def _core_history() -> MigrationHistory:
    return MigrationHistory(CORE, Path(migrations.__path__[0]) / "versions")


def find_heads(hooks: Hooks) -> dict[str, str]:
    """The head revision of each owner. Raises `MigrationError` if there is not exactly one."""
    head_by_owner: dict[str, str] = {}
    for history in list_histories(hooks):
        revisions = history.script.get_heads()
        if len(revisions) != 1:
            raise MigrationError(
                f"The migrations of {history.owner} have {len(revisions)} heads instead of one.",
                history.owner,
            )
        head_by_owner[history.owner] = revisions[0]
    return head_by_owner


def is_known_revision(revision: str) -> bool:
    """Whether a revision is one of the core's; those of newer and much older versions are not."""
    return revision in {item.revision for item in _core_history().script.walk_revisions()}


def is_before_first_version(revision: str) -> bool:
    """Whether a revision of the core is from before version 0.1.0, whose first revision has all of
    those before it in it. Such a database cannot be upgraded.
    """
    return revision.isdecimal() and revision < FIRST_REVISION


def list_pending(engine: Engine, hooks: Hooks) -> list[str]:
    """The migrations that `upgrade` would run, oldest first, as `owner: revision message`.

    Raises `MigrationError` if the database was migrated by a newer version of the node or a plugin,
    or is from before version 0.1.0.
    """
    with engine.connect() as connection:
        return [
            f"{history.owner}: {revision}"
            for history in list_histories(hooks)
            for revision in _list_pending(connection, history)
        ]


def upgrade(engine: Engine, hooks: Hooks) -> list[str]:
    """Run all pending migrations, and return them in the format of `pending`.

    Each owner's migrations are one transaction, the core's first, so that a plugin cannot delay the
    core. Processes that upgrade at the same time wait for each other. `engine` must have been
    passed to `node.database.engine.prepare_engine`. Raises `MigrationError` with the owner.
    """
    done: list[str] = []
    for history in list_histories(hooks):
        with _exclusive_transaction(engine) as connection:
            revisions = _list_pending(connection, history)
            if not revisions:
                continue
            log.info("running migrations", owner=history.owner, revisions=revisions)
            _run_migrations(connection, history)
            done += [f"{history.owner}: {revision}" for revision in revisions]
    return done


def find_schema_differences(engine: Engine, hooks: Hooks) -> list[str]:
    """Differences between the tables in the database and the models, as `owner: difference`."""
    differences: list[str] = []
    with engine.connect() as connection:
        for history in list_histories(hooks):
            options = history.options | {"compare_server_default": True}
            context = MigrationContext.configure(connection, opts=options)
            changes = autogenerate.compare_metadata(context, load_metadata())
            differences += [f"{history.owner}: {change}" for change in changes]
    return differences


def find_missing_tables_and_columns(engine: Engine, hooks: Hooks) -> dict[str, list[str]]:
    """The tables (`table`) and columns (`table.column`) of each plugin's models that the database
    lacks, by plugin. After `upgrade`, these are errors in the plugin's migrations.
    """
    inspector = inspect(engine)
    missing_by_plugin: dict[str, list[str]] = {}
    existing_tables = set(inspector.get_table_names())
    for plugin in (item.name for item in hooks.details):
        history = MigrationHistory(plugin, Path())
        for table in load_metadata().sorted_tables:
            if not history.owns(table.name):
                continue
            exists = table.name in existing_tables
            columns = inspector.get_columns(table.name) if exists else []
            existing = {column["name"] for column in columns}
            missing = [
                f"{table.name}.{column.name}"
                for column in table.columns
                if column.name not in existing
            ]
            if missing:
                names = missing if columns else [table.name]
                missing_by_plugin.setdefault(plugin, []).extend(names)
    return missing_by_plugin


def list_plugin_tables(engine: Engine, plugin: str) -> list[str]:
    """The names of a plugin's tables in the database, whether it is installed or not."""
    history = MigrationHistory(plugin, Path())
    tables = inspect(engine).get_table_names()
    return [name for name in tables if history.owns(name) or name == history.version_table]


def drop_plugin_tables(engine: Engine, plugin: str) -> list[str]:
    """Drop all tables of a plugin, including its version table. Returns their names."""
    names = list_plugin_tables(engine, plugin)
    with _exclusive_transaction(engine) as connection:
        metadata = MetaData()
        if names:
            metadata.reflect(connection, only=names, resolve_fks=False)
        metadata.drop_all(connection)
    return names


def load_metadata() -> MetaData:
    """The tables of all models. Those of plugins are included once `Hooks` has loaded them."""
    for module in OTHER_TABLES:
        import_module(module)
    for room in Path(node.__path__[0]).iterdir():
        if (room / "models.py").exists() or (room / "models").is_dir():
            import_module(f"node.{room.name}.models")
    return Base.metadata


@contextmanager
def _exclusive_transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction that excludes other migrating processes, by SQLite's write lock or PostgreSQL's
    advisory lock.

    On SQLite foreign keys are off, since Alembic changes a table by replacing it, which would
    cascade to the rows that refer to it; they are all checked before the commit.
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
                    raise MigrationError(
                        "The migrations would leave rows whose foreign keys refer to no row."
                    )
        finally:
            connection.detach()  # its settings must not return to the pool


def _set_pragmas(connection: Connection, **values: object) -> None:
    """Set pragmas that SQLite ignores inside a transaction."""
    cursor = connection.connection.cursor()
    for name, value in values.items():
        cursor.execute(f"PRAGMA {name}={value}")
    cursor.close()


def _list_pending(connection: Connection, history: MigrationHistory) -> list[str]:
    context = MigrationContext.configure(connection, opts=history.options)
    heads = context.get_current_heads()
    if history.owner == CORE and any(is_before_first_version(head) for head in heads):
        raise MigrationError(
            f"The database is at migration {heads[0]}, from before version 0.1.0. Start it with the"
            f" last version before 0.1.0, which upgrades it to migration {FIRST_REVISION}, and then"
            " with this version."
        )
    try:
        revisions = list(history.script.iterate_revisions("heads", heads))
    except (CommandError, RevisionError) as error:
        raise MigrationError(
            f"The database was created by a newer version of {history.owner}."
            " Install that version again.",
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
    foreign_tables = {table for table in before ^ after if not history.owns(table)}
    foreign_tables.discard(history.version_table)
    if foreign_tables:
        raise MigrationError(
            f"The migrations of {history.owner} change tables that are not its own:"
            f" {', '.join(sorted(foreign_tables))}.",
            history.owner,
        )
