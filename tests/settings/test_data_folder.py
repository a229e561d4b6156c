"""The data folder is closed to other accounts, and is where relative paths begin."""

import stat
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from node import settings
from node.app import create_app, get_node
from node.data_folder import ensure_data_folder
from node.settings import Settings

SECRET = "of no use outside tests, and long enough"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("before", [0o755, 0o750, 0o777, 0o711])
def test_a_folder_that_others_may_look_into_is_closed(tmp_path: Path, before: int) -> None:
    tmp_path.chmod(before)
    assert ensure_data_folder(Settings(data_dir=tmp_path)) == tmp_path
    assert mode(tmp_path) == 0o700


def test_a_folder_that_all_share_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    ensure_data_folder(Settings(data_dir=tmp_path))
    assert mode(tmp_path) == 0o1777


def test_a_folder_that_its_owner_made_stricter_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    ensure_data_folder(Settings(data_dir=tmp_path))
    assert mode(tmp_path) == 0o500
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("address", ["", "sqlite:///a/other.db", "sqlite:///other.db"])
def test_relative_addresses_are_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data?" / "a").mkdir(parents=True)
    app = create_app(
        Settings(data_dir=Path("data?"), database_url=address, jobs="memory", secret_key=SECRET)
    )
    monkeypatch.chdir("/")
    with get_node(app).engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    get_node(app).engine.dispose()
    assert [path.name for path in tmp_path.iterdir()] == ["data?"]
    name = address.removeprefix("sqlite:///") or "moothall.db"
    assert (tmp_path / "data?" / name).is_file()


def test_the_settings_take_a_relative_address() -> None:
    read = settings.load({"MOOTHALL_DATABASE_URL": "sqlite:///other.db"})
    assert read.sqlalchemy_url == "sqlite:///other.db"


def test_the_data_folder_is_closed_whatever_is_made_in_it_first(tmp_path: Path) -> None:
    data = tmp_path / "data"
    app = create_app(Settings(data_dir=data, jobs="memory", secret_key=SECRET))
    get_node(app).engine.dispose()
    assert mode(data) == 0o700


def test_a_statement_that_fails_does_not_say_what_was_typed(
    tmp_path: Path, database_url: str
) -> None:
    given = Settings(data_dir=tmp_path, database_url=database_url, jobs="memory", secret_key=SECRET)
    node = get_node(create_app(given))
    with pytest.raises(DBAPIError) as caught, node.engine.connect() as connection:
        connection.execute(text("SELECT 1 FROM no_table WHERE a = :typed"), {"typed": "a secret"})
    node.engine.dispose()
    assert "a secret" not in str(caught.value)
    assert "no_table" in str(caught.value)
