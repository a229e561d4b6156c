"""Opening the node for one command."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from node import logs, migrating, settings
from node.app import create_app, node_of
from node.data_folder import data_folder
from node.runtime import Node, UnitOfWork

BY = "command line"


@contextmanager
def started(*, upgrade: bool = True) -> Iterator[Flask]:
    """The application of the settings at hand, its database brought up to date; closed at the end.

    Raises `SettingsError` where the settings do not fit, `DBAPIError` where the database does not
    answer.
    """
    given = settings.load()
    logs.configure(given)
    data_folder(given)
    app = create_app(given)
    node = node_of(app)
    try:
        if upgrade:
            migrating.upgrade(node.engine, node.hooks)
        yield app
    finally:
        node.engine.dispose()
        node.outbound.close()
        node.jobs.close()


@contextmanager
def opened(*, upgrade: bool = True) -> Iterator[Node]:
    """The node, inside its application context."""
    with started(upgrade=upgrade) as app, app.app_context():
        yield node_of(app)


@contextmanager
def working() -> Iterator[UnitOfWork]:
    """A unit of work of whoever types commands."""
    with opened() as node, node.work(by=BY) as work:
        yield work
