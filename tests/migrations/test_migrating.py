"""Migrations create the tables of the models, on both databases, for core and plugins."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

import node
from node import schema_migrations
from node.database.engine import prepare_engine
from node.plugin_api.hooks import Hooks
from node.settings import Settings
from node.testing import cached_migrations

WITH_PLUGINS = Settings(plugins=("checklists",))
CORE_ONLY = Settings(plugins=())
TABLE_NAME = re.compile(r"^    __tablename__ = \"(\w+)\"", re.MULTILINE)


@pytest.fixture(autouse=True)
def _uncached() -> Iterator[None]:
    with cached_migrations.without_cache():
        yield


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    prepare_engine(engine)
    yield engine
    engine.dispose()


def test_migrations_and_models_agree(engine: Engine) -> None:
    hooks = Hooks(WITH_PLUGINS)
    schema_migrations.upgrade(engine, hooks)
    assert schema_migrations.find_schema_differences(engine, hooks) == []


def test_difference_is_reported(engine: Engine) -> None:
    hooks = Hooks(WITH_PLUGINS)
    schema_migrations.upgrade(engine, hooks)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE peer ADD COLUMN surprise INTEGER"))
        connection.execute(text("DROP TABLE checklists__draft"))
    differences = schema_migrations.find_schema_differences(engine, hooks)
    assert [line.partition(":")[0] for line in differences] == ["core", "checklists"]
    assert "surprise" in differences[0]


def test_each_owner_has_one_head() -> None:
    assert list(schema_migrations.find_heads(Hooks(WITH_PLUGINS))) == ["core", "checklists"]


def test_upgrade_runs_pending_migrations_once(engine: Engine) -> None:
    hooks = Hooks(WITH_PLUGINS)
    pending = schema_migrations.list_pending(engine, hooks)
    assert pending[0].startswith(f"core: {schema_migrations.FIRST_REVISION}")
    assert any(line.startswith("checklists: ") for line in pending)
    assert schema_migrations.upgrade(engine, hooks) == pending
    assert schema_migrations.list_pending(engine, hooks) == []
    assert schema_migrations.upgrade(engine, hooks) == []


def test_plugin_is_added_later_and_disabled_and_enabled(engine: Engine) -> None:
    schema_migrations.upgrade(engine, Hooks(CORE_ONLY))
    assert "checklists__answer" not in inspect(engine).get_table_names()
    schema_migrations.upgrade(engine, Hooks(WITH_PLUGINS))
    without = Hooks(CORE_ONLY)
    assert schema_migrations.list_pending(engine, without) == []
    assert schema_migrations.find_schema_differences(engine, without) == []
    assert "checklists__answer" in inspect(engine).get_table_names()
    assert schema_migrations.list_pending(engine, Hooks(WITH_PLUGINS)) == []


def test_concurrent_upgrades_wait_for_each_other(engine: Engine, database_url: str) -> None:
    hooks = Hooks(WITH_PLUGINS)
    schema_migrations.list_pending(engine, hooks)
    done: list[list[str]] = []
    start = threading.Barrier(4)

    def upgrade() -> None:
        own_engine = create_engine(database_url)
        prepare_engine(own_engine)
        start.wait()
        done.append(schema_migrations.upgrade(own_engine, hooks))
        own_engine.dispose()

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = [line for each in done for line in each]
    assert len(done) == 4
    assert lines
    assert len(set(lines)) == len(lines)


def test_database_of_newer_version_is_refused(engine: Engine) -> None:
    hooks = Hooks(CORE_ONLY)
    schema_migrations.upgrade(engine, hooks)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(
        schema_migrations.MigrationError, match="created by a newer version of core"
    ):
        schema_migrations.list_pending(engine, hooks)
    with pytest.raises(
        schema_migrations.MigrationError, match="created by a newer version of core"
    ):
        schema_migrations.upgrade(engine, hooks)


def test_database_of_the_first_version_is_taken_as_it_is(engine: Engine) -> None:
    hooks = Hooks(CORE_ONLY)
    history = schema_migrations.list_histories(hooks)[0]
    with engine.begin() as connection:
        command.stamp(history.config(connection), schema_migrations.FIRST_REVISION)
    later = list(history.script.walk_revisions())[-2::-1]
    assert schema_migrations.list_pending(engine, hooks) == [
        f"core: {item.revision} {item.doc}" for item in later
    ]


def test_database_from_before_the_first_version_is_refused(engine: Engine) -> None:
    hooks = Hooks(CORE_ONLY)
    schema_migrations.upgrade(engine, hooks)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0034'"))
    for act in (schema_migrations.list_pending, schema_migrations.upgrade):
        with pytest.raises(schema_migrations.MigrationError) as refused:
            act(engine, hooks)
        assert "at migration 0034, from before version 0.1.0" in refused.value.safe_text


def test_models_are_found_whoever_imports_them() -> None:
    """In a process of its own, since other tests import every module."""
    code = "from node import schema_migrations as m; print(*m.load_metadata().tables)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    names = {
        name
        for file in Path(node.__path__[0]).rglob("*.py")
        for name in TABLE_NAME.findall(file.read_text())
    }
    assert len(names) > 40
    assert names - set(done.stdout.split()) == set()


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET action = 'b'", "DELETE FROM audit_entry"]
)
def test_audit_entries_are_never_changed_or_removed(engine: Engine, statement: str) -> None:
    schema_migrations.upgrade(engine, Hooks(CORE_ONLY))
    with engine.begin() as connection:
        connection.execute(text(_ENTRY.format("INSERT INTO", 1)))
    with pytest.raises(DBAPIError, match="never changed or removed"), engine.begin() as connection:
        connection.execute(text(statement))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT action FROM audit_entry")).all() == [("a",)]


def test_audit_entries_are_not_replaced_on_sqlite(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return  # the statement is SQLite's own
    schema_migrations.upgrade(engine, Hooks(CORE_ONLY))
    with engine.begin() as connection:
        connection.execute(text(_ENTRY.format("INSERT INTO", 1)))
        connection.execute(text(_ENTRY.format("INSERT INTO", "NULL")))
    with pytest.raises(DBAPIError, match="never changed or removed"), engine.begin() as connection:
        connection.execute(text(_ENTRY.format("INSERT OR REPLACE INTO", 1)))


_ENTRY = (
    "{} audit_entry (id, at, by_kind, by_id, by, action, subject, details, request_id)"
    " VALUES ({}, '2026-01-01', 'job', 'x', 'x', 'a', 's', '{{}}', '')"
)


def test_who_did_it_is_converted_as_far_as_an_address_is_still_a_users(engine: Engine) -> None:
    hooks = Hooks(WITH_PLUGINS)
    core, checklists = schema_migrations.list_histories(hooks)
    with engine.begin() as connection:
        command.upgrade(core.config(connection), "0035")
        command.upgrade(checklists.config(connection), "0002")
        for statement in ROWS_OF_0035.split("\n\n"):
            connection.execute(text(statement))
    schema_migrations.upgrade(engine, hooks)
    with engine.begin() as connection:
        query = text('SELECT by_kind, by_id, "by", via FROM audit_entry ORDER BY id')
        assert connection.execute(query).all() == [
            ("person", "7", "ola@a.test", None),
            ("person", "", "former@a.test", None),
            ("actor", "https://b.test/users/ann@b.test", "https://b.test/users/ann@b.test", None),
            ("command", "command line", "command line", None),
            ("command", "command line: checklists", "command line: checklists", None),
            ("anonymous", "", "anonymous", None),
            ("job", "freshness", "freshness", None),
        ]
        query = text("SELECT by_user_id, by_kind, by_name FROM project_version ORDER BY number")
        assert connection.execute(query).all() == [(7, "person", "ola@a.test"), (None, None, None)]
        query = text("SELECT by_user_id FROM happening ORDER BY id")
        assert connection.execute(query).all() == [(7,), (None,)]
        assert connection.execute(text("SELECT happening_id FROM notice")).all() == [(1,)]
        query = text("SELECT began_by_id, began_by FROM checklists__run")
        assert connection.execute(query).all() == [(7, "ola@a.test")]
    with pytest.raises(DBAPIError, match="never changed or removed"), engine.begin() as connection:
        connection.execute(text("UPDATE audit_entry SET by_id = '8'"))
    assert schema_migrations.find_schema_differences(engine, hooks) == []


# Statements for revision 0035 and the plugin's 0002.
ROWS_OF_0035 = """
INSERT INTO actor
(id, uri, kind, host, username, name, about, url, inbox, is_local, fetched_at, also_known_as,
is_blocked, is_for_peers)
VALUES (1, 'https://a.test/councils/a', 'Organization', 'a.test', 'a', 'A', '', '',
'https://a.test/inbox', TRUE, '2026-01-01', '[]', FALSE, FALSE)

INSERT INTO council (id, actor_id, name, slug) VALUES (1, 1, 'A', 'a')

INSERT INTO project
(id, token, uri, url, council_id, title, summary, phase, brief, content, state, version,
created_at, changed_at, visibility, language, translations, is_hidden, revision, bucket, details,
freshness, has_outputs)
VALUES (1, '1', 'https://a.test/projects/1', '', 1, 'Bins', '', 'alpha', '', '', 'published', 1,
'2026-01-01', '2026-01-01', 'public', 'en', '{}', FALSE, 'r', 0, '{}', 'unsaid', FALSE)

INSERT INTO users (id, email, name, active, fs_uniquifier, created_at)
VALUES (7, 'ola@a.test', 'Ola', TRUE, 'x', '2026-01-01')

INSERT INTO audit_entry (id, at, "by", action, subject, details, request_id)
VALUES (1, '2026-01-01', 'ola@a.test', 'a', 's', '{}', ''),
(2, '2026-01-01', 'former@a.test', 'a', 's', '{}', ''),
(3, '2026-01-01', 'https://b.test/users/ann@b.test', 'a', 's', '{}', ''),
(4, '2026-01-01', 'command line', 'a', 's', '{}', ''),
(5, '2026-01-01', 'command line: checklists', 'a', 's', '{}', ''),
(6, '2026-01-01', 'anonymous', 'a', 's', '{}', ''),
(7, '2026-01-01', 'freshness', 'a', 's', '{}', '')

INSERT INTO project_version (project_id, number, at, by_user_id, deed, audience, text)
VALUES (1, 1, '2026-01-01', 7, 'created', 'private', '{}'),
(1, 2, '2026-01-01', NULL, 'changed', 'public', '{}')

INSERT INTO happening (id, kind, "to", roles, details, path, "by", at, state)
VALUES (1, 'project.published', '[]', '[]', '{}', '', 'ola@a.test', '2026-01-01', 'told'),
(2, 'project.published', '[]', '[]', '{}', '', 'https://b.test/c', '2026-01-01', 'told')

INSERT INTO notice (id, user_id, happening_id, topic, at)
VALUES (1, 7, 1, 'projects', '2026-01-01')

INSERT INTO checklists__run
(id, token, checklist, version, scope, about, title, number, is_latest, state, began_by, began_at,
changed_at, document_id)
VALUES (1, 't', 'c', 1, 'council', '', '', 1, TRUE, 'open', 'ola@a.test', '2026-01-01',
'2026-01-01', '')
"""
