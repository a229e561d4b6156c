"""Opening the node for one command."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from time import sleep

from flask import Flask

from node import logs, migrating, presence, settings
from node.app import create_app, node_of
from node.data_folder import data_folder
from node.db import UNAVAILABLE
from node.errors import UnreachableError
from node.logs import DATABASE_TROUBLE
from node.runtime import Node, UnitOfWork
from node.settings import Settings

BY = "command line"
# Between two attempts to start while the database is down.
WAIT_SECONDS = 2.0


@contextmanager
def started(
    *,
    upgrade: bool = True,
    without: Mapping[str, str] | None = None,
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
    data_folder(given)
    with presence.announced(given) if runs_node else nullcontext(given) as given:
        while True:
            try:
                app = up_to_date(given, without or {}) if upgrade else create_app(given)
                break
            except (*UNAVAILABLE, UnreachableError) as error:
                if not runs_node:
                    raise
                DATABASE_TROUBLE.error("Waiting for the database or the job engine: %s", error)
                sleep(WAIT_SECONDS)
        try:
            yield app
        finally:
            _close(node_of(app))


def up_to_date(given: Settings, without: Mapping[str, str]) -> Flask:
    """The application once its database is up to date, without the plugins whose migrations fail or
    do not make what their models need.

    Raises `MigrationError` where it is the core's that do.
    """
    left_out = dict(without)
    while True:
        app = create_app(given, without=left_out)
        node = node_of(app)
        try:
            migrating.upgrade(node.engine, node.hooks)
            lacking = migrating.lacking(node.engine, node.hooks)
        except migrating.MigrationError as error:
            _close(node)
            if error.owner == migrating.CORE:
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
def opened(*, upgrade: bool = True, without: Mapping[str, str] | None = None) -> Iterator[Node]:
    """The node, inside its application context."""
    with started(upgrade=upgrade, without=without) as app, app.app_context():
        yield node_of(app)


@contextmanager
def working() -> Iterator[UnitOfWork]:
    """A unit of work of whoever types commands."""
    with opened() as node, node.work(by=BY) as work:
        yield work
