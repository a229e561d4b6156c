"""Two processes that write to one SQLite file at once: each waits for the other."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import func, select

from node.access.permissions import OFFICER
from node.app import create_app, get_node
from node.projects.models import Project
from node.testing.http_users import HttpUsers
from node.testing.nodes import make_settings, set_up_database
from node.testing.processes import NodeProcess, free_port

EACH = 15


def test_two_processes_that_write_at_once_wait_for_each_other(tmp_path: Path) -> None:
    """A transaction that read before it asked for the write lock would fail instead, at once."""
    database = f"sqlite:///{tmp_path / 'moothall.db'}"
    ports = free_port(), free_port()
    made = [
        make_settings(
            "aldermoor",
            database,
            tmp_path,
            base_url=f"http://localhost:{port}",
            listen=f"127.0.0.1:{port}",
        )
        for port in ports
    ]
    set_up_database("aldermoor", database, tmp_path)
    processes = [NodeProcess(settings) for settings in made]

    def write(settings_number: int) -> None:
        people = HttpUsers("aldermoor", made[settings_number])
        for number in range(EACH):
            people.submit(
                "/projects/new",
                OFFICER,
                title=f"Project {number} of {settings_number}",
                summary="A short sentence.",
                phase="alpha",
                brief="It is needed.",
                then="publish",
            )

    try:
        for process in processes:
            process.start()
        with ThreadPoolExecutor(len(processes)) as pool:
            list(pool.map(write, range(len(processes))))
    finally:
        for process in processes:
            process.ensure_killed()
    node = get_node(create_app(made[0]))
    with node.reading() as session:
        assert session.scalar(select(func.count()).select_from(Project)) == EACH * len(processes)
    node.engine.dispose()
