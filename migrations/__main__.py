"""`python -m migrations OWNER MESSAGE` writes the next revision of the core or of a plugin.

It compares the models with a database in which every migration so far has been run.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from sqlalchemy import create_engine

from node.database.engine import prepare_engine
from node.plugin_api.hooks import Hooks
from node.schema_migrations import MigrationHistory, list_histories, upgrade
from node.settings import load


def main(arguments: list[str]) -> None:
    if len(arguments) != 2:
        sys.exit("Usage: python -m migrations OWNER MESSAGE")
    owner, message = arguments
    hooks = Hooks(load())
    found = [history for history in list_histories(hooks) if history.owner == owner]
    if not found:
        sys.exit(f"There is no {owner} with migrations among the plugins that are switched on.")
    with TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'empty.db'}")
        prepare_engine(engine)
        upgrade(engine, hooks)
        with engine.connect() as connection:
            command.revision(
                found[0].config(connection), message, autogenerate=True, rev_id=_next(found[0])
            )
        engine.dispose()


def _next(history: MigrationHistory) -> str:
    names = (item.revision for item in history.script.walk_revisions())
    return f"{max((int(name) for name in names if name.isdecimal()), default=0) + 1:04}"


main(sys.argv[1:])
