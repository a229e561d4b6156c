"""A plugin's migrations never hold up the core's, and keep to the plugin's own tables."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect

from node import schema_migrations
from node.database.engine import prepare_engine
from node.plugin_api.hooks import Hooks
from node.settings import Settings

from .conftest import Install

HEAD = """
from pathlib import Path
from node.api import PluginDetails, hookimpl

@hookimpl
def plugin_details():
    return PluginDetails("{name}", "A label", "1.0", {api_version}, "About it", FOLDER)

FOLDER = Path(__file__).parent / "revisions"
"""
REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table("orchard__apple", sa.Column("id", sa.Integer(), primary_key=True))
    {more}
"""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    prepare_engine(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def orchard(install: Install, tmp_path: Path) -> Callable[[str], Hooks]:
    """The hooks of a node with a plugin whose one migration also does `more`."""

    def make(more: str) -> Hooks:
        name = install("orchard", head=HEAD)
        folder = tmp_path / "installed" / "revisions"
        folder.mkdir()
        (folder / "0001_apples.py").write_text(REVISION.format(more=more))
        return Hooks(Settings(plugins=(name,)))

    return make


def test_a_plugin_makes_its_tables(engine: Engine, orchard: Callable[[str], Hooks]) -> None:
    schema_migrations.upgrade(engine, orchard("pass"))
    assert {"orchard__apple", "alembic_version_orchard"} <= set(inspect(engine).get_table_names())


@pytest.mark.parametrize(
    "more, says",
    [
        ("1 / 0", "failed: ZeroDivisionError: division by zero."),
        ("op.execute('SELECT * FROM nowhere')", "The migrations of orchard failed: "),
        (
            "op.create_table('apple', sa.Column('id', sa.Integer()))",
            "change tables that are not its own: apple",
        ),
        ("op.create_table('pear__tree', sa.Column('id', sa.Integer()))", "pear__tree"),
        ("op.drop_table('deleted')", "change tables that are not its own: deleted"),
    ],
)
def test_one_that_fails_or_strays_leaves_nothing_and_the_core_is_up_to_date(
    engine: Engine, orchard: Callable[[str], Hooks], more: str, says: str
) -> None:
    hooks = orchard(more)
    with pytest.raises(schema_migrations.MigrationError) as caught:
        schema_migrations.upgrade(engine, hooks)
    assert says in caught.value.safe_text
    assert "\n" not in caught.value.safe_text
    tables = set(inspect(engine).get_table_names())
    assert "deleted" in tables
    assert not tables & {"orchard__apple", "apple", "pear__tree"}
    assert [line.partition(":")[0] for line in schema_migrations.list_pending(engine, hooks)] == [
        "orchard"
    ]
    assert schema_migrations.list_pending(engine, Hooks(Settings(plugins=()))) == []
