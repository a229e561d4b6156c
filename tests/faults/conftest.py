"""Two councils whose processes are killed by one test after the other."""

from collections.abc import Iterator

import pytest

from node.testing.postgres import PostgresServer
from tests.faults.councils import NAMES, Running, pair


@pytest.fixture(scope="module")
def councils(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running]]:
    """On SQLite: who publishes, and who follows."""
    folder = tmp_path_factory.mktemp("councils")
    databases = {name: f"sqlite:///{folder / name / 'moothall.db'}" for name in NAMES}
    with pair(folder, databases, as_program=False) as found:
        yield found


@pytest.fixture(autouse=True)
def _all_run(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test leaves killed or held does not concern the next one."""
    yield
    if "councils" in request.fixturenames:
        for one in request.getfixturevalue("councils"):
            one.proxy.release()
            if not one.process.is_alive:
                one.process.start()


@pytest.fixture
def here(councils: tuple[Running, Running]) -> Running:
    """The council that publishes."""
    return councils[0]


@pytest.fixture
def there(councils: tuple[Running, Running]) -> Running:
    """The council that follows it."""
    return councils[1]


@pytest.fixture
def councils_on_postgresql(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Running, Running]]:
    """As `councils`, on PostgreSQL, and started as the program that councils run."""
    folder = tmp_path_factory.mktemp("councils")
    names = {name: postgres.create_database() for name in NAMES}
    databases = {name: postgres.url(database) for name, database in names.items()}
    with pair(folder, databases, as_program=True) as found:
        yield found
    for database in names.values():
        postgres.drop_database(database)
