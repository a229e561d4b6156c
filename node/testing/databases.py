"""Databases with a council set up, copied quickly from a template that is made once per run."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from node.testing.postgres import PostgresServer

# (council name, database URL, data folder): migrates an empty database and sets the council up.
SetUpDatabase = Callable[[str, str, Path], None]


@dataclass
class SqliteDatabases:
    """SQLite databases, which are files."""

    new_folder: Callable[[], Path]
    set_up: SetUpDatabase
    _templates: dict[str, Path] = field(default_factory=dict)

    def create(self, name: str) -> str:
        """Create a database of the council `name`. Returns its SQLAlchemy URL."""
        url = f"sqlite:///{self.new_folder() / name}.db"
        self.reset(name, url)
        return url

    def reset(self, name: str, url: str) -> None:
        """Restore the database at `url`, which must have no connections, to its initial state."""
        if name not in self._templates:
            template = self.new_folder() / f"{name}.db"
            self.set_up(name, f"sqlite:///{template}", template.parent)
            self._templates[name] = template
        path = Path(url.removeprefix("sqlite:///"))
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        shutil.copy(self._templates[name], path)

    def drop(self, url: str) -> None:
        """Do nothing: the file is deleted with its folder."""


@dataclass
class PostgresqlDatabases:
    """Databases of a PostgreSQL server."""

    server: PostgresServer
    new_folder: Callable[[], Path]
    set_up: SetUpDatabase
    _templates: dict[str, tuple[str, str]] = field(default_factory=dict)

    def create(self, name: str) -> str:
        """Like `SqliteDatabases.create`."""
        template, _statements = self._template(name)
        return self.server.url(self.server.create_database(template))

    def reset(self, name: str, url: str) -> None:
        """Like `SqliteDatabases.reset`."""
        _template, restore_statements = self._template(name)
        self.server.restore_snapshot(self.server.database_name(url), restore_statements)

    def drop(self, url: str) -> None:
        self.server.drop_database(self.server.database_name(url))

    def _template(self, name: str) -> tuple[str, str]:
        if name not in self._templates:
            template = self.server.create_database()
            self.set_up(name, self.server.url(template), self.new_folder())
            self._templates[name] = template, self.server.take_snapshot(template)
        return self._templates[name]


Databases = SqliteDatabases | PostgresqlDatabases
