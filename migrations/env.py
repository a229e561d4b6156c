"""Runs migrations with Alembic, for the core and for plugins, as `node.schema_migrations` asks."""

from typing import Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from node.database.tables import UtcDateTime
from node.schema_migrations import load_metadata


def render_item(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """A migration is history: it must not change with our own types, so it names plain ones."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


connection: sa.Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=load_metadata(),
    render_as_batch=True,
    render_item=render_item,
    compare_server_default=True,
    **context.config.attributes["options"],
)
with context.begin_transaction():
    context.run_migrations()
