"""Databases of councils that are set up already, made in no time: copies of one that was migrated
and founded once in this run.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from node.testing.postgres import PostgresServer

# Migrates an empty database, and founds the council of that name in it.
DatabaseSetUp = Callable[[str, str, Path], None]


@dataclass
class SqliteDatabases:
    """A database is a file."""

    new_folder: Callable[[], Path]
    set_up: DatabaseSetUp
    _templates: dict[str, Path] = field(default_factory=dict)

    def create(self, name: str) -> str:
        """A database of the council `name`; its SQLAlchemy address."""
        url = f"sqlite:///{self.new_folder() / name}.db"
        self.reset(name, url)
        return url

    def reset(self, name: str, url: str) -> None:
        """Put a database as `make` makes it at the address of one that nobody is connected to."""
        if name not in self._templates:
            template = self.new_folder() / f"{name}.db"
            self.set_up(name, f"sqlite:///{template}", template.parent)
            self._templates[name] = template
        path = Path(url.removeprefix("sqlite:///"))
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)
        shutil.copy(self._templates[name], path)

    def drop(self, url: str) -> None:
        """It goes with its folder."""


@dataclass
class PostgresqlDatabases:
    """A database is one of a server's."""

    server: PostgresServer
    new_folder: Callable[[], Path]
    set_up: DatabaseSetUp
    _templates: dict[str, tuple[str, str]] = field(default_factory=dict)

    def create(self, name: str) -> str:
        """As `OnSqlite.make`."""
        template, _restoring = self._template(name)
        return self.server.url(self.server.create_database(template))

    def reset(self, name: str, url: str) -> None:
        """As `OnSqlite.make_again`."""
        _template, restoring = self._template(name)
        self.server.restore_snapshot(self.server.database_name(url), restoring)

    def drop(self, url: str) -> None:
        self.server.drop_database(self.server.database_name(url))

    def _template(self, name: str) -> tuple[str, str]:
        if name not in self._templates:
            template = self.server.create_database()
            self.set_up(name, self.server.url(template), self.new_folder())
            self._templates[name] = template, self.server.take_snapshot(template)
        return self._templates[name]


Databases = SqliteDatabases | PostgresqlDatabases
