"""Opens the node for one command."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from time import sleep

from flask import Flask

from node import logs, running_processes, schema_migrations, settings
from node.app import create_app, get_node
from node.data_folder import ensure_data_folder
from node.database.engine import UNAVAILABLE_ERRORS
from node.errors import DependencyUnreachableError
from node.logs import DATABASE_LOGGER
from node.principal import Principal
from node.runtime import Node, UnitOfWork
from node.settings import Settings

COMMAND_LINE = Principal.command()
# Between two attempts to start while the database is down.
RETRY_INTERVAL_SECONDS = 2.0


@contextmanager
def running_app(
    *,
    upgrade: bool = True,
    excluded_plugins: Mapping[str, str] | None = None,
    runs_node: bool = False,
) -> Iterator[Flask]:
    """Load the settings, create the application and, with `upgrade`, migrate its database; close it
    at the end. `excluded_plugins` maps plugins to skip to the reason. `runs_node` marks this
    process as running the node, and waits until the database and the job engine respond.

    Raises `SettingsError` for invalid settings, `DBAPIError` if the database does not respond.
    """
    loaded = settings.load()
    logs.configure(loaded)
    ensure_data_folder(loaded)
    with running_processes.mark_running(loaded) if runs_node else nullcontext(loaded) as loaded:
        while True:
            try:
                app = (
                    create_upgraded_app(loaded, excluded_plugins or {})
                    if upgrade
                    else create_app(loaded)
                )
                break
            except (*UNAVAILABLE_ERRORS, DependencyUnreachableError) as error:
                if not runs_node:
                    raise
                DATABASE_LOGGER.error("Waiting for the database or the job engine: %s", error)
                sleep(RETRY_INTERVAL_SECONDS)
        try:
            yield app
        finally:
            _close_node(get_node(app))


def create_upgraded_app(node_settings: Settings, excluded_plugins: Mapping[str, str]) -> Flask:
    """Create the application and migrate its database. Plugins are excluded if their migrations
    fail or do not create what their models need.

    Raises `MigrationError` if the core's migrations fail.
    """
    excluded = dict(excluded_plugins)
    while True:
        app = create_app(node_settings, excluded_plugins=excluded)
        node = get_node(app)
        try:
            schema_migrations.upgrade(node.engine, node.hooks)
            missing = schema_migrations.find_missing_tables_and_columns(node.engine, node.hooks)
        except schema_migrations.MigrationError as error:
            _close_node(node)
            if error.owner == schema_migrations.CORE:
                raise
            excluded[error.owner] = error.safe_text
            continue
        except BaseException:
            _close_node(node)
            raise
        if not missing:
            return app
        _close_node(node)
        for owner, names in missing.items():
            excluded[owner] = f"Its migrations do not create all of its models: {', '.join(names)}."


def _close_node(node: Node) -> None:
    node.engine.dispose()
    node.outbound.close()
    node.jobs.close()


@contextmanager
def open_node(
    *, upgrade: bool = True, excluded_plugins: Mapping[str, str] | None = None
) -> Iterator[Node]:
    """The node, inside its application context."""
    with running_app(upgrade=upgrade, excluded_plugins=excluded_plugins) as app, app.app_context():
        yield get_node(app)


@contextmanager
def open_work() -> Iterator[UnitOfWork]:
    """A unit of work of the command line, committed at the end of the block."""
    with open_node() as node, node.work(by=COMMAND_LINE) as work:
        yield work
