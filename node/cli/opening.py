"""Opening the node for one command."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from node import logs, migrating, settings
from node.app import create_app, node_of
from node.runtime import Node, UnitOfWork

BY = "command line"


def application(*, upgrade: bool = True) -> Flask:
    """The application of the settings at hand, its database brought up to date.

    Raises `SettingsError` where the settings do not fit, `DBAPIError` where the database does not
    answer.
    """
    given = settings.load()
    logs.configure(given)
    settings.data_folder(given)
    app = create_app(given)
    if upgrade:
        node = node_of(app)
        migrating.upgrade(node.engine, node.hooks)
    return app


@contextmanager
def opened() -> Iterator[Node]:
    """The node, inside its application context."""
    app = application()
    with app.app_context():
        yield node_of(app)


@contextmanager
def working() -> Iterator[UnitOfWork]:
    """A unit of work of whoever types commands."""
    with opened() as node, node.work(by=BY) as work:
        yield work
