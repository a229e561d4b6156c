"""`moothall doctor` reports what is wrong; every command prints errors in one line."""

from pathlib import Path

import pytest

from node.testing.nodes import Nodes, TestNode
from tests.cli.conftest import Command
from tests.federation.test_handles import MAIN, MainSite

COMMANDS = (["project", "list"], ["peer", "list"], ["peer", "allow", "a.example"], ["serve"])


def test_a_healthy_node(council: TestNode, moothall: Command) -> None:
    result = moothall("doctor")
    assert (result.code, result.err) == (0, "")
    assert [line for line in result.out.splitlines() if not line.startswith("warn")] == [
        "ok    the settings are valid",
        "ok    the database responds",
        "ok    the database is migrated",
        "ok    the council is set up",
        "ok    the clock is correct",
        "ok    no deliveries have failed",
        "ok    no emails have failed",
        "ok    no GSS code is claimed by two councils",
        "ok    the plugin checklists can be used",
        "ok    checklists: Can every checklist be read?",
        "ok    checklists: Is the text of every checklist complete?",
    ]


def test_likely_mistakes_are_warnings(council: TestNode, moothall: Command) -> None:
    """Tests answer by https without a proxy and print emails."""
    result = moothall("doctor")
    warnings = [line for line in result.out.splitlines() if line.startswith("warn")]
    assert [line.partition(" is ")[0] for line in warnings] == ["warn  trusted_proxy", "warn  mail"]
    assert result.code == 0


def test_whether_the_main_domain_redirects(
    nodes: Nodes, moothall: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = nodes.start("aldermoor", handle_domain=MAIN)
    monkeypatch.setattr("node.app._create_outbound", lambda _settings: node.node.outbound)
    settings = node.node.settings
    own = {name: getattr(settings, name) for name in ("base_url", "database_url", "secret_key")}
    question = f"@aldermoor@{MAIN} can be found"
    result = moothall("doctor", **own, handle_domain=MAIN)
    assert result.code == 1
    assert f"FAIL  {question}: https://{MAIN}/.well-known/webfinger" in result.out
    nodes.apps[MAIN] = MainSite(node, redirects=True)
    result = moothall("doctor", **own, handle_domain=MAIN)
    assert (result.code, f"ok    {question}\n" in result.out) == (0, True)


def test_a_node_that_has_never_started(moothall: Command, database_url: str) -> None:
    result = moothall("doctor", database_url=database_url)
    assert result.code == 1
    failing = [line for line in result.out.splitlines() if line.startswith("FAIL")]
    assert len(failing) == 1
    assert failing[0].startswith("FAIL  the database is migrated: ")
    assert failing[0].endswith(" migrations missing")
    assert result.err == ""


def test_a_node_that_is_not_set_up(moothall: Command, database_url: str) -> None:
    assert moothall("project", "list", database_url=database_url).code == 0
    result = moothall("doctor", database_url=database_url)
    assert result.code == 1
    assert "FAIL  the council is set up: run `moothall init`" in result.out


def test_a_database_of_a_newer_version(council: TestNode, moothall: Command) -> None:
    change(council, "UPDATE alembic_version SET version_num = 'later ' || version_num")
    result = moothall("doctor")
    assert (result.code, result.err) == (1, "")
    assert "was created by a newer version of core" in result.out
    assert "was created by a newer version of core" in moothall("project", "list").refusal
    change(council, "UPDATE alembic_version SET version_num = substr(version_num, 7)")
    assert moothall("doctor").code == 0


def change(council: TestNode, statement: str) -> None:
    with council.node.engine.begin() as connection:
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    "database_url",
    [
        "postgresql+psycopg://nobody@127.0.0.1:1/moothall",
        "sqlite:////nowhere/moothall.db",
        "sqlite:///{folder}/junk.db",
        "sqlite:///{folder}",
    ],
)
def test_a_database_that_does_not_answer(
    moothall: Command, tmp_path: Path, database_url: str
) -> None:
    (tmp_path / "junk.db").write_text("no database at all" * 100)
    database_url = database_url.format(folder=tmp_path)
    result = moothall("doctor", database_url=database_url)
    assert (result.code, result.err) == (1, "")
    assert result.out.startswith("ok    the settings are valid\nFAIL  the database responds: ")
    assert result.out.count("\n") == 2
    for command in COMMANDS[:-1]:  # the last, which runs the node, waits for its database
        assert "database" in moothall(*command, database_url=database_url).refusal.lower()


def test_an_unusable_data_folder(moothall: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for command in (["doctor"], *COMMANDS):
        refused = moothall(*command, data_dir=tmp_path / "file" / "data")
        assert refused.refusal == (
            f"The data folder {tmp_path}/file/data cannot be created: Not a directory."
        )


@pytest.mark.parametrize(
    "jobs",
    [
        "postgresql://nobody@127.0.0.1:1/moothall",
        "postgresql://[::1",
        "redis://[::1",
    ],
)
def test_a_job_engine_that_does_not_answer(moothall: Command, jobs: str) -> None:
    assert "The job engine cannot be used: " in moothall("project", "list", jobs=jobs).refusal


@pytest.mark.parametrize("setting", ["threads=none", "listen=here", "base_url=x", "nonsense=1"])
def test_invalid_settings(moothall: Command, setting: str, tmp_path: Path) -> None:
    name, _, value = setting.partition("=")
    for command in (["doctor"], *COMMANDS):
        assert name in moothall(*command, **{name: value}).refusal.lower()
    assert not (tmp_path / "data").exists()


def test_a_plugin_that_is_not_installed(council: TestNode, moothall: Command) -> None:
    result = moothall("doctor", plugins="orchard")
    assert (result.code, result.err) == (1, "")
    wrong = (
        "FAIL  the plugin orchard can be used: The plugin orchard is switched on but not installed."
    )
    assert wrong in result.out.splitlines()
