"""The life of a plugin with data: installed, upgraded, disabled, removed, purged; on both
databases, while the core is upgraded as well.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from flask import Flask
from sqlalchemy import Engine, inspect, text

from node import schema_migrations
from node.app import create_app, get_node
from node.cli.node_context import create_upgraded_app
from node.errors import ConflictError
from node.plugin_admin import enablement, service
from node.principal import Principal
from node.settings import Settings

from .conftest import Install
from .test_plugin_migrations import HEAD, REVISION

OPERATOR = Principal.command()
SECOND = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("orchard__apple") as table:
        table.add_column(sa.Column("kind", sa.String(40), server_default="Cox"))
    {more}
"""
Begin = Callable[..., Flask]


@pytest.fixture
def begin(database_url: str, tmp_path: Path) -> Iterator[Begin]:
    """Start a process of the node anew, as its command does."""
    begun: list[Flask] = []

    def start(*plugins: str) -> Flask:
        folder = tmp_path / "data"
        folder.mkdir(exist_ok=True)
        settings = Settings(
            data_dir=folder, database_url=database_url, jobs="memory", plugins=plugins
        )
        begun.append(create_upgraded_app(settings, {}))
        return begun[-1]

    yield start
    for app in begun:
        get_node(app).engine.dispose()


@pytest.fixture
def revisions(install: Install, tmp_path: Path) -> Path:
    install("orchard", head=HEAD)
    folder = tmp_path / "installed" / "revisions"
    folder.mkdir()
    (folder / "0001_apples.py").write_text(REVISION.format(more="pass"))
    return folder


def apples(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT * FROM orchard__apple"))]


def test_a_life_with_data(begin: Begin, revisions: Path, database_url: str, tmp_path: Path) -> None:
    # Installed, on a node whose core has its first tables.
    settings = Settings(
        data_dir=tmp_path, database_url=database_url, jobs="memory", plugins=("orchard",)
    )
    old = get_node(create_app(settings))
    core, plugin = schema_migrations.list_histories(old.hooks)
    for history, revision in ((core, schema_migrations.FIRST_REVISION), (plugin, "0001")):
        with old.engine.begin() as connection:
            command.upgrade(history.config(connection), revision)
    with old.engine.begin() as connection:
        connection.execute(text("INSERT INTO orchard__apple (id) VALUES (7)"))
    old.engine.dispose()
    # Both upgraded.
    (revisions / "0002_kinds.py").write_text(SECOND.format(more="pass"))
    node = get_node(begin("orchard"))
    assert node.hooks.plugin_names == ("orchard",)
    assert apples(node.engine) == [(7, "Cox")]
    # Disabled: it takes effect with the next start, and what it keeps is kept.
    with node.work(OPERATOR) as work:
        enablement.disable(work, "orchard")
        with pytest.raises(ConflictError):
            enablement.disable(work, "orchard")
    with node.reading() as session:
        assert service.get_plugin(node, session, "orchard").state == "stopping"
    node = get_node(begin("orchard"))
    assert node.hooks.plugin_names == ()
    assert apples(node.engine) == [(7, "Cox")]
    # Enabled again.
    with node.work(OPERATOR) as work:
        enablement.enable(work, "orchard")
    node = get_node(begin())
    assert node.hooks.plugin_names == ("orchard",)
    with pytest.raises(ConflictError):
        service.purge(node, "orchard", OPERATOR)
    # Removed: the node goes on, and says it in one line.
    (installed,) = (tmp_path / "installed").glob("*.dist-info")
    shutil.rmtree(installed)
    node = get_node(begin())
    assert [item.reason for item in node.hooks.skipped] == [
        "The plugin orchard is switched on but not installed."
    ]
    # Purged, though its package is gone.
    with node.work(OPERATOR) as work:
        enablement.disable(work, "orchard")
    assert service.purge(node, "orchard", OPERATOR) == [
        "alembic_version_orchard",
        "orchard__apple",
    ]
    assert not {"orchard__apple", "alembic_version_orchard"} & set(
        inspect(node.engine).get_table_names()
    )
    assert get_node(begin()).hooks.skipped == ()


def test_a_node_starts_without_a_plugin_whose_migrations_fail(
    begin: Begin, revisions: Path
) -> None:
    assert get_node(begin("orchard")).hooks.plugin_names == ("orchard",)
    (revisions / "0002_kinds.py").write_text(SECOND.format(more="1 / 0"))
    node = get_node(begin("orchard", "checklists"))
    assert node.hooks.plugin_names == ("checklists",)
    (left_out,) = node.hooks.skipped
    assert left_out.reason == (
        "The migrations of orchard failed: ZeroDivisionError: division by zero."
    )
    assert apples(node.engine) == []


def test_a_class_named_as_one_of_the_cores_takes_nothing_from_it(
    begin: Begin, install: Install, database_url: str
) -> None:
    """Nor does a table: the plugin is left out in one line, and the core goes on."""
    model = """
        from sqlalchemy.orm import Mapped, mapped_column

        class Project(Base):
            __tablename__ = "{table}"
            id: Mapped[int] = mapped_column(primary_key=True)
        """
    install("orchard", model.format(table="project"))
    # A model is there for as long as the process: each database has one of its own.
    meadow = f"meadow_{database_url.partition(':')[0].partition('+')[0]}"
    install(meadow, model.format(table=f"{meadow}__project"))
    node = get_node(begin("orchard", meadow))
    why = {item.name: item.reason for item in node.hooks.skipped}
    assert set(why) == {"orchard", meadow}
    assert "orchard cannot be loaded" in why["orchard"]
    # Its class was taken, and nothing else is wrong with it than that no migration makes its table.
    assert why[meadow].endswith(f"all of its models: {meadow}__project.")
    with node.reading() as session:
        assert session.execute(text("SELECT count(*) FROM project")).scalar_one() == 0
        assert service.list_plugins(node, session)
