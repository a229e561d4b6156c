"""The database is busy, hangs, or is down: 503 and when to try again, and then all is well."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode, make_settings, set_up_database
from node.testing.postgres import PostgresServer
from node.testing.processes import NodeProcess, free_port, wait_until
from tests.rest.conftest import Program, make_token

ASKED = "Retry-After"
NO_SPACE = """
    CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
    END $$
"""


@contextmanager
def somebody_writes(node: TestNode) -> Iterator[None]:
    """Meanwhile nobody else can write what the requests below want to write."""
    url = node.node.engine.url
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(url.database))) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
    else:
        plain = url.render_as_string(hide_password=False).replace("+psycopg", "")
        with psycopg.connect(plain) as connection:
            connection.execute("LOCK TABLE project, inbox_item IN EXCLUSIVE MODE")
            yield


@contextmanager
def disk_is_full(node: TestNode, *, at_commit: bool) -> Iterator[None]:
    """Meanwhile PostgreSQL answers what the requests below write as it does on a full disk."""
    url = node.node.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    kind = "CONSTRAINT TRIGGER" if at_commit else "TRIGGER"
    when = ("AFTER INSERT", "DEFERRABLE INITIALLY DEFERRED") if at_commit else ("BEFORE INSERT", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(NO_SPACE)
        for table in ("project", "inbox_item"):
            connection.execute(
                f"CREATE {kind} no_space {when[0]} ON {table} {when[1]}"
                " FOR EACH ROW EXECUTE FUNCTION no_space()"
            )
        try:
            yield
        finally:
            connection.execute("DROP FUNCTION no_space CASCADE")


def is_said_to_be_busy(
    nodes: Nodes, node: TestNode, meanwhile: AbstractContextManager[None]
) -> None:
    """To people, to programs and to other servers; and nothing of it was done."""
    sender = FakePeer.join(nodes, "brackwell.test", node).actor("council")
    assert sender.send(sender.build_activity("Like", "x"), node).status_code == 202
    officer = node.visitor("officer")
    program = Program(node, make_token(officer, "write:projects"))
    written = {"title": "Bins", "summary": "S", "phase": "beta", "brief": "B"}
    officer.visit("/projects/new")
    form = officer.form("/projects/new").values | written
    with meanwhile:
        page, welsh = (
            officer.client.post("/projects/new", data=form, headers={"Accept-Language": language})
            for language in ("en", "cy")
        )
        document = program("POST", "/projects", written)
        told = sender.send(sender.build_activity("Like", "y"), node)
    assert [one.status_code for one in (page, welsh, document, told)] == [503] * 4
    assert all(int(one.headers[ASKED]) > 0 for one in (page, welsh, document, told))
    assert '<h1 class="govuk-heading-l">Sorry, this site is busy</h1>' in page.text
    assert '<html lang="cy"' in welsh.text
    assert "Mae’n ddrwg gennym" in welsh.text
    for one in (document, told):
        assert one.content_type == "application/problem+json"
        assert (one.json or {})["status"] == 503
    assert officer.client.post("/projects/new", data=form).status_code == 303
    assert program("POST", "/projects", written).status_code == 201
    assert sender.send(sender.build_activity("Like", "y"), node).status_code == 202


def test_must_37_a_busy_database_is_said_to_be_busy(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = nodes.start("aldermoor")
    monkeypatch.setattr("node.database.engine.LOCK_TIMEOUT_SECONDS", 0.1)
    node.node.engine.dispose()  # new connections wait as short
    is_said_to_be_busy(nodes, node, somebody_writes(node))


@pytest.mark.parametrize("nodes", ["postgresql"], indirect=True)
@pytest.mark.parametrize("at_commit", [False, True])
def test_must_37_a_full_disk_of_postgresql_is_said_to_be_busy(
    nodes: Nodes, at_commit: bool
) -> None:
    node = nodes.start("aldermoor")
    is_said_to_be_busy(nodes, node, disk_is_full(node, at_commit=at_commit))


@pytest.mark.parametrize("nodes", ["postgresql"], indirect=True)
def test_connections_that_broke_meanwhile_fail_no_request(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL was started anew; or it hangs, and is not waited for without end."""
    node = nodes.start("aldermoor")
    visitor = node.visitor()
    assert visitor.visit("/projects").status_code == 200
    url = node.node.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert visitor.visit("/projects").status_code == 200

    monkeypatch.setattr("node.database.engine.RESPONSE_TIMEOUT_SECONDS", 0.5)
    with node.reading() as session:
        backend = session.scalar(text("SELECT pg_backend_pid()"))
    assert backend
    os.kill(backend, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(visitor.visit, "/projects")
            assert answer.result(60).status_code == 200
    finally:
        with suppress(ProcessLookupError):
            os.kill(backend, signal.SIGCONT)


def test_a_process_that_starts_while_the_database_is_down_waits_for_it(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    database = postgres.create_database()
    set_up_database("aldermoor", postgres.url(database), tmp_path)
    port, folder = free_port(), Path(f"{postgres.folder}-{free_port()}")
    settings = make_settings(
        "aldermoor",
        postgres.url(database).replace(str(postgres.folder), str(folder)),
        tmp_path,
        base_url=f"http://localhost:{port}",
        listen=f"127.0.0.1:{port}",
    )
    process = NodeProcess(settings, runs_program=True)
    process.launch()
    try:
        wait_until(lambda: "Waiting for the database" in process.log.read_text(), "it waits")
        folder.symlink_to(postgres.folder)
        process.wait()
        assert process.log.read_text().count("Waiting for") == 1
        assert "Traceback" not in process.log.read_text()
    finally:
        process.ensure_killed()
        folder.unlink(missing_ok=True)
        postgres.drop_database(database)
