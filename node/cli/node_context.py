"""Opening the node for one command."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from time import sleep

from flask import Flask

from node import logs, running_processes, schema_migrations, settings
from node.app import create_app, get_node
from node.data_folder import ensure_data_folder
from node.db import UNAVAILABLE_ERRORS
from node.errors import DependencyUnreachableError
from node.logs import DATABASE_LOGGER
from node.runtime import Node, UnitOfWork
from node.settings import Settings

COMMAND_LINE = "command line"
# Between two attempts to start while the database is down.
RETRY_INTERVAL_SECONDS = 2.0


@contextmanager
def start_app(
    *,
    upgrade: bool = True,
    excluded_plugins: Mapping[str, str] | None = None,
    runs_node: bool = False,
) -> Iterator[Flask]:
    """The application of the settings at hand, its database brought up to date; closed at the end.
    Plugins in `without` are left out; it says why. `runs_node`: this process runs the node from now
    on, which other commands can see, and waits for a database or a job engine that does not answer.

    Raises `SettingsError` where the settings do not fit, `DBAPIError` where the database does not
    answer.
    """
    given = settings.load()
    logs.configure(given)
    ensure_data_folder(given)
    with running_processes.mark_running(given) if runs_node else nullcontext(given) as given:
        while True:
            try:
                app = (
                    create_upgraded_app(given, excluded_plugins or {})
                    if upgrade
                    else create_app(given)
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
            _close(get_node(app))


def create_upgraded_app(given: Settings, without: Mapping[str, str]) -> Flask:
    """The application once its database is up to date, without the plugins whose migrations fail or
    do not make what their models need.

    Raises `MigrationError` where it is the core's that do.
    """
    left_out = dict(without)
    while True:
        app = create_app(given, excluded_plugins=left_out)
        node = get_node(app)
        try:
            schema_migrations.upgrade(node.engine, node.hooks)
            lacking = schema_migrations.missing_tables_and_columns(node.engine, node.hooks)
        except schema_migrations.MigrationError as error:
            _close(node)
            if error.owner == schema_migrations.CORE:
                raise
            left_out[error.owner] = error.safe_text
            continue
        except BaseException:
            _close(node)
            raise
        if not lacking:
            return app
        _close(node)
        for owner, names in lacking.items():
            left_out[owner] = (
                f"Its models need what its migrations do not make: {', '.join(names)}."
            )


def _close(node: Node) -> None:
    node.engine.dispose()
    node.outbound.close()
    node.jobs.close()


@contextmanager
def open_node(
    *, upgrade: bool = True, excluded_plugins: Mapping[str, str] | None = None
) -> Iterator[Node]:
    """The node, inside its application context."""
    with start_app(upgrade=upgrade, excluded_plugins=excluded_plugins) as app, app.app_context():
        yield get_node(app)


@contextmanager
def open_work() -> Iterator[UnitOfWork]:
    """A unit of work of whoever types commands."""
    with open_node() as node, node.work(by=COMMAND_LINE) as work:
        yield work
