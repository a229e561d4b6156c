"""The databases of tests are real, empty at first, and removed afterwards."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from node.testing.postgres import PostgresServer


def test_database_of_each_engine_is_empty(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE seen (n INTEGER)"))
        connection.execute(text("INSERT INTO seen VALUES (1)"))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT n FROM seen")).scalar_one() == 1
    engine.dispose()
    assert engine.dialect.name in database_url


def test_copy_has_tables_of_template(postgres: PostgresServer) -> None:
    template = postgres.create_database()
    engine = create_engine(postgres.url(template))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE seen (n INTEGER)"))
    engine.dispose()
    copy = postgres.create_database(template)
    postgres.drop_database(template)
    engine = create_engine(postgres.url(copy))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM seen")).scalar_one() == 0
    engine.dispose()
    postgres.drop_database(copy)
    with pytest.raises(OperationalError):
        engine.connect()


def test_server_stops_when_tests_are_killed() -> None:
    program = """
import os, signal
from node.testing.postgres import run_server
with run_server() as server:
    print(server.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    folder = Path(killed.stdout.strip()).parent
    assert folder.name.startswith("moothall-pg-")
    deadline = time.monotonic() + 20
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()
