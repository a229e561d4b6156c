"""Settings come from one file and the environment; what does not fit is refused in one line."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from node import settings
from node.data_folder import get_secret_key
from node.errors import SettingsError
from node.settings import Settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "moothall.toml"


def refusal(environment: dict[str, str] | None = None, path: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        settings.load(environment or {}, path)
    return caught.value.safe_text


def test_without_file_and_environment_there_are_the_defaults(file: Path) -> None:
    assert settings.load({}, file) == Settings()


def test_the_file_is_read(file: Path) -> None:
    file.write_text(
        'base_url = "https://moothall.aldermoor.gov.uk"\nthreads = 3\nplugins = []\n'
        'data_dir = "/srv/moothall"\nprivate_hosts = ["localhost:1", " localhost:2 "]\n'
    )
    read = settings.load({}, file)
    assert read.base_url == "https://moothall.aldermoor.gov.uk"
    assert (read.threads, read.plugins, read.data_dir) == (3, (), Path("/srv/moothall"))
    assert read.private_hosts == ("localhost:1", "localhost:2")
    assert (read.authority, read.is_https) == ("moothall.aldermoor.gov.uk", True)


def test_the_environment_is_read() -> None:
    read = settings.load(
        {
            "MOOTHALL_THREADS": "3",
            "MOOTHALL_PLUGINS": "",
            "MOOTHALL_DATA_DIR": "/srv/moothall",
            "MOOTHALL_PRIVATE_HOSTS": "localhost:1, localhost:2,",
            "MOOTHALL_FEDERATION": "open",
            "THREADS": "9",
        }
    )
    assert (read.threads, read.plugins, read.data_dir) == (3, (), Path("/srv/moothall"))
    assert (read.private_hosts, read.federation) == (("localhost:1", "localhost:2"), "open")


def test_the_environment_wins_over_the_file(file: Path) -> None:
    file.write_text('threads = 3\nlog_level = "ERROR"\n')
    read = settings.load({"MOOTHALL_THREADS": "4"}, file)
    assert (read.threads, read.log_level) == (4, "ERROR")


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("threads = 5")
    assert settings.load({"MOOTHALL_CONFIG": str(other)}).threads == 5


def test_the_file_in_the_working_directory_is_found(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("threads = 6")
    monkeypatch.chdir(file.parent)
    assert settings.load({}).threads == 6


def test_a_file_that_is_named_and_missing_is_refused() -> None:
    assert refusal({"MOOTHALL_CONFIG": "/no/such.toml"}) == (
        "The settings file /no/such.toml cannot be read: No such file or directory."
    )


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "cannot be read: Is a directory" in refusal({"MOOTHALL_CONFIG": str(tmp_path)})


@pytest.mark.parametrize(
    "content", [b"threads = ", b"threads = 1\nthreads = 2", b"\xff\xfe", b"\0"]
)
def test_a_file_that_is_not_toml_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert f"The settings file {file} is not valid TOML" in refusal(path=file)


def test_an_unknown_key_in_the_file_is_refused(file: Path) -> None:
    file.write_text('treads = 3\nbase_url = "https://a.example"')
    assert refusal(path=file) == f"The settings file {file} has an unknown key: treads."


def test_an_unknown_key_in_the_environment_is_refused() -> None:
    assert refusal({"MOOTHALL_TREADS": "3"}) == "There is no setting MOOTHALL_TREADS."


def test_the_password_that_commands_take_is_not_mistaken_for_a_setting() -> None:
    assert settings.load({"MOOTHALL_PASSWORD": "a moot hall of oak"}) == Settings()


@pytest.mark.parametrize(
    "line",
    [
        "base_url = 5",
        "threads = true",
        "threads = 1.5",
        'threads = "many"',
        "plugins = [1]",
        "plugins = 1",
        "secret_key = ['a']",
        "data_dir = 1979-05-27",
        'federation = "closed"',
        "[log_format]\njson = true",
    ],
)
def test_a_value_of_another_type_is_refused(file: Path, line: str) -> None:
    file.write_text(line)
    key = line.strip("[").split()[0].rstrip("]")
    assert refusal(path=file).startswith(f"{key} in {file}")


@pytest.mark.parametrize(
    "key, value",
    [
        ("base_url", "moothall.example.gov.uk"),
        ("base_url", "ftp://moothall.example.gov.uk"),
        ("base_url", "https://moothall.example.gov.uk/"),
        ("base_url", "https://moothall.example.gov.uk/moothall"),
        ("base_url", "https://moothall.example.gov.uk?"),
        ("base_url", "https://Moothall.example.gov.uk"),
        ("base_url", "https://olu@moothall.example.gov.uk"),
        ("base_url", "https://moothall.example.gov.uk:"),
        ("base_url", "https://moothall.example.gov.uk:0"),
        ("base_url", "https://moothall.example.gov.uk:99999"),
        ("base_url", "https://moothall example"),
        ("base_url", "https://[::1"),
        ("base_url", "https://"),
        ("base_url", ""),
        ("listen", "5100"),
        ("listen", "localhost"),
        ("listen", "localhost:http"),
        ("listen", "http://localhost:5100"),
        ("private_hosts", "localhost:1,http://localhost:2"),
        ("threads", "0"),
        ("threads", "-1"),
        ("threads", "٣"),
        ("threads", "9" * 5000),
        ("delivery_threads", "100000"),
        ("lease_seconds", "29"),
        ("inbox_days", "13"),
        ("lease_seconds", "99999999999999999999"),
        ("federation", "closed"),
        ("log_format", "xml"),
        ("log_level", "LOUD"),
        ("jobs", "later"),
        ("jobs", "amqp://localhost"),
        ("database_url", "mysql://localhost/moothall"),
        ("database_url", "sqlite:///"),
        ("database_url", "sqlite:///:memory:"),
        ("database_url", "sqlite://"),
        ("database_url", "postgresql+psycopg://[::1:x"),
        ("database_url", "postgresql+psycopg://localhost:port/moothall"),
        ("secret_key", "short"),
        ("secret_key", "a" * 64),
        ("secret_key", "thirty-one letters and no more!"),
        ("trusted_proxy", "x"),
        ("trusted_proxy", "*"),
        ("trusted_proxy", "localhost"),
        ("trusted_proxy", "10.0.0.0/8"),
        ("trusted_proxy", "0.0.0.0/0"),
        ("trusted_proxy", "0.0.0.0"),
        ("trusted_proxy", "127.0.0.1, 10.0.0.5"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(key: str, value: str) -> None:
    said = refusal({f"MOOTHALL_{key.upper()}": value})
    assert key in said.lower()
    assert "\n" not in said


@pytest.mark.parametrize(
    "base_url", ["http://localhost:5100", "https://[::1]:5100", "https://moothall.example.gov.uk"]
)
def test_addresses_with_and_without_a_port_fit(base_url: str) -> None:
    assert settings.load({"MOOTHALL_BASE_URL": base_url}).base_url == base_url


def test_the_port_to_listen_on_is_that_of_the_public_address() -> None:
    assert Settings(base_url="http://localhost:5999").listen_address == "localhost:5999"
    assert Settings(base_url="https://a.example").listen_address == "localhost:5100"
    assert Settings(listen="0.0.0.0:80").listen_address == "0.0.0.0:80"


def test_the_secret_key_is_made_once_for_this_account_alone(tmp_path: Path) -> None:
    given = Settings(data_dir=tmp_path / "data")
    secret = get_secret_key(given)
    assert len(secret) == 64
    assert get_secret_key(given) == secret
    kept = list(given.data_dir.iterdir())
    assert [path.name for path in kept] == ["secret-key"]
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(given.data_dir.stat().st_mode) == 0o700
    assert get_secret_key(Settings(data_dir=tmp_path / "other")) != secret


def test_a_secret_key_that_is_set_is_taken_and_nothing_is_made(tmp_path: Path) -> None:
    given = Settings(data_dir=tmp_path / "data", secret_key="sixteen letters, and sixteen more")
    assert get_secret_key(given) == "sixteen letters, and sixteen more"
    assert not given.data_dir.exists()


def test_processes_that_start_at_once_find_one_secret_key(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from node.settings import Settings;"
        "from node.data_folder import get_secret_key;"
        "print('ready', flush=True); sys.stdin.read(1);"
        f"print(get_secret_key(Settings(data_dir=Path({str(tmp_path / 'data')!r}))))"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(settings.__file__).parents[1],
        )
        for _ in range(4)
    ]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    said = {process.communicate()[0].strip() for process in running}
    assert len(said) == 1
    assert len(said.pop()) == 64
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret-key"]


@pytest.mark.parametrize("content", [b"", b"cut off", b"\xff" * 64])
def test_a_damaged_secret_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret-key").write_bytes(content)
    with pytest.raises(SettingsError, match="is damaged"):
        get_secret_key(Settings(data_dir=tmp_path))


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be created: "):
        get_secret_key(Settings(data_dir=tmp_path / "file" / "data"))
