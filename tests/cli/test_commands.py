"""What the commands do, and the errors they print."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from node.database.tables import Base
from node.federating.models import Delivery, Peer
from node.people.models import User
from node.projects.models import Project
from node.testing.nodes import TestNode
from tests.cli.conftest import Command

SETTING_UP = {
    "--name": "Brackwell Council",
    "--slug": "brackwell",
    "--operator-name": "Olu Operator",
    "--operator-email": "olu@brackwell.example",
    "--operator-password": "three random words",
}
PROJECT = """---
title: Bins in one step
summary: Know when they are emptied.
phase: alpha
---

## Why

It is needed.
"""


def words(options: dict[str, str]) -> list[str]:
    return [word for option in options.items() for word in option]


def count(one: TestNode, model: type[Base]) -> int:
    with one.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "project.md"
    file.write_text(PROJECT)
    return file


def test_init_sets_up_a_node_once(moothall: Command, database_url: str) -> None:
    at = {"database_url": database_url, "base_url": "https://moothall.brackwell.example"}
    done = moothall("init", *words(SETTING_UP), **at)
    assert done == (
        0,
        "Set up Brackwell Council, @brackwell@moothall.brackwell.example\n",
        "",
    )
    again = moothall("init", *words(SETTING_UP), **at)
    assert again.refusal == "This server already has a council."
    assert moothall("project", "list", **at) == (0, "", "")


def test_init_reports_every_error_and_stores_nothing(moothall: Command, database_url: str) -> None:
    wrong = {"--name": " ", "--slug": "Brack well", "--operator-email": "olu"}
    refused = moothall(
        "init",
        *words(SETTING_UP | wrong | {"--operator-password": "short"}),
        "--colour=green",
        "--gss-code=1",
        database_url=database_url,
    )
    for field in ("name", "slug", "colour", "gss_code", "email"):
        assert f" {field}: Enter" in refused.refusal
    assert " password: Password must be 12 characters or more" in refused.refusal
    assert "short" not in refused.refusal.replace("short name", "")
    assert moothall("init", *words(SETTING_UP), database_url=database_url).code == 0


def test_init_takes_the_password_from_the_environment(moothall: Command) -> None:
    given = {name: value for name, value in SETTING_UP.items() if "password" not in name}
    done = moothall("init", *words(given), password="three random words")
    assert done.code == 0, done


def test_init_requires_its_options(moothall: Command) -> None:
    assert "Missing option '--slug'" in moothall("init", "--name=Brackwell").refusal


def test_an_officer_is_added_and_can_sign_in(council: TestNode, moothall: Command) -> None:
    done = moothall(
        "user", "add", "--name=Siân", "--email=Sian@A.example", password="three random words"
    )
    assert done == (0, "sian@a.example can sign in as officer\n", "")
    visitor = council.visitor()
    visitor.visit("/sign-in")
    page = visitor.submit("sign-in", email="sian@a.example", password="three random words")
    assert "Siân" in page.text


def test_a_deactivated_account_cannot_sign_in_and_is_not_shown(
    council: TestNode, moothall: Command
) -> None:
    officer = council.visitor("officer")
    officer.visit("/account/profile")
    officer.submit("profile")
    assert council.visitor().visit("/officers/ola.officer").status_code == 200
    done = moothall("user", "deactivate", "Officer@aldermoor.example")
    assert done == (0, "officer@aldermoor.example can no longer sign in\n", "")
    assert council.visitor().visit("/officers/ola.officer").status_code == 410
    assert "Sign out" not in officer.visit("/").text
    assert "Sign out" not in council.visitor("officer").visit("/").text
    refused = moothall("user", "deactivate", "nobody@aldermoor.example")
    assert "There is no account with this email address" in refused.refusal


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"--email": "officer@aldermoor.example"}, "There is already an account"),
        ({"--email": "nobody"}, "Enter an email address"),
        ({"--name": ""}, "Enter your name"),
        ({"--name": "\udcff"}, "Remove the characters that cannot be shown"),
        ({"--role": "king"}, "'king' is not one of 'officer', 'coordinator'"),
        ({"--password": "short"}, "Password must be 12 characters or more"),
        ({"--password": "x" * 201}, "Password must be 200 characters or fewer"),
        (
            {"--password": "twelve letters\x1b[2J"},
            "Password must only include characters you can type",
        ),
    ],
)
def test_an_invalid_account_is_not_created(
    council: TestNode, moothall: Command, changed: dict[str, str], expected: str
) -> None:
    fitting = {"--name": "Una", "--email": "una@a.example", "--password": "three random words"}
    before = count(council, User)
    refused = moothall("user", "add", *words(fitting | changed))
    assert expected in refused.refusal
    assert count(council, User) == before


def test_a_project_is_published_and_listed(
    council: TestNode, moothall: Command, file: Path
) -> None:
    done = moothall("project", "publish", file)
    assert (done.code, done.err) == (0, "")
    uri = done.out.strip()
    assert uri.startswith("https://aldermoor.test/projects/")
    page = council.visitor().visit(uri.removeprefix("https://aldermoor.test"))
    assert "<h2>Why</h2>" in page.text
    listed = moothall("project", "list")
    assert listed.out.startswith(f"{uri}\talpha\tAldermoor Council\tBins in one step\n")


def test_a_file_gives_the_visibility_and_language(
    council: TestNode, moothall: Command, file: Path
) -> None:
    front = "---\nvisibility: private\nlanguage: cy"
    file.write_text(PROJECT.replace("---", front, 1), encoding="utf-8")
    uri = moothall("project", "publish", file).out.strip()
    path = uri.removeprefix("https://aldermoor.test")
    assert council.visitor().visit(path).status_code == 404
    page = council.visitor("operator").visit(path)
    assert page.status_code == 200
    assert 'lang="cy"' in page.text
    assert uri in moothall("project", "list").out


FRONT = b"---\ntitle: T\nsummary: S\nphase: beta\n---\n"
WRONG_FILES = {
    "empty": (b"", "must begin with front matter between lines of ---"),
    "only a brief": (b"# No front matter\n", "must begin with front matter between lines of ---"),
    "no end": (b"---\ntitle: T\n", "must begin with front matter between lines of ---"),
    "a list": (b"---\n- a\n- b\n---\nB", "must begin with front matter between lines of ---"),
    "nothing in front": (b"---\n---\nB", "must begin with front matter between lines of ---"),
    "open list": (b"---\ntitle: [\n---\nB", "is not valid YAML"),
    "two colons": (b"---\ntitle: a: b\n---\nB", "is not valid YAML"),
    "a key that is a list": (b"---\n? [a]\n: b\n---\nB", "is not valid YAML"),
    "a list in itself": (b"---\ntitle: &a [*a]\n---\n", "uses YAML aliases"),
    "deep": (b"---\n" + b"[" * 5000 + b"\n---\n", "is nested too deeply"),
    "code": (b"---\ntitle: !!python/object:os.system x\n---\nB", "summary: Enter"),
    "unknown keys": (FRONT.replace(b"phase", b"owner: me\n1"), "has unknown keys: 1, owner"),
    "a bomb": (b"---\na: &a [x,x]\nb: &b [*a,*a]\n---\n", "uses YAML aliases"),
    "a list as title": (
        FRONT.replace(b" T", b" [a, b]"),
        "In the front matter, title must be plain text.",
    ),
    "no phase": (FRONT.replace(b"beta", b"omega"), "phase: Select a phase"),
    "no title": (FRONT.replace(b"title: T\n", b""), "title: Enter the name"),
    "null as title": (FRONT.replace(b" T", b""), "title: Enter the name"),
    "no summary": (
        FRONT.replace(b"summary: S\n", b""),
        "summary: Enter a summary of what the project is for",
    ),
    "long summary": (
        FRONT.replace(b" S", b" " + b"x" * 201),
        "summary: You have used 201 characters. Use 200 or fewer.",
    ),
    "half a character": (FRONT.replace(b" T", b' "\\ud800"'), "characters that cannot be shown"),
    "NUL in the title": (FRONT.replace(b" T", b' "\\0"'), "characters that cannot be shown"),
    "NUL in the brief": (FRONT + b"\0", "contains a NUL character"),
    "long brief": (
        FRONT + b"x" * 50_001,
        "brief: You have used 50,001 characters. Use 50,000 or fewer.",
    ),
    "not UTF-8": (FRONT + b"\xff", "is not UTF-8 text"),
    "seen by some": (b"---\nvisibility: some" + FRONT[3:], "visibility: Select who can see"),
    "in French": (b"---\nlanguage: fr" + FRONT[3:], "language: Select the language"),
}


@pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True)  # none gets that far
@pytest.mark.parametrize("name", WRONG_FILES)
def test_an_invalid_file_is_not_published(
    council: TestNode, moothall: Command, file: Path, name: str
) -> None:
    content, expected = WRONG_FILES[name]
    file.write_bytes(content)
    before = count(council, Project)
    assert expected in moothall("project", "publish", file).refusal
    assert count(council, Project) == before


def test_an_unreadable_file_is_not_published(
    council: TestNode, moothall: Command, tmp_path: Path
) -> None:
    assert "No such file or directory" in moothall("project", "publish", "nothing.md").refusal
    assert "Is a directory" in moothall("project", "publish", tmp_path).refusal


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_a_file_with_any_line_endings_is_published(
    council: TestNode, moothall: Command, file: Path, ends: str
) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + PROJECT.replace("\n", ends).encode())
    assert moothall("project", "publish", file).code == 0


def test_a_project_needs_a_council(moothall: Command, file: Path) -> None:
    refused = moothall("project", "publish", file)
    assert refused.refusal == "This server has not been set up yet."


def test_servers_are_allowed_blocked_and_listed(council: TestNode, moothall: Command) -> None:
    assert moothall("peer", "allow", "Moothall.Brackwell.example") == (
        0,
        "moothall.brackwell.example is allowed\n",
        "",
    )
    assert moothall("peer", "block", "evil.example:8443").out == "evil.example:8443 is blocked\n"
    assert moothall("peer", "list").out == (
        "evil.example:8443\tblocked\tnew\t\nmoothall.brackwell.example\tallowed\tnew\t\n"
    )


@pytest.mark.parametrize("host", ["", "https://a.example", "a b", "a.example/x", "@a@b", "\udcff"])
@pytest.mark.parametrize("verb", ["allow", "block"])
def test_an_invalid_server_name_is_not_allowed_or_blocked(
    council: TestNode, moothall: Command, verb: str, host: str
) -> None:
    before = count(council, Peer)
    assert "The server name is not valid." in moothall("peer", verb, host).refusal
    assert count(council, Peer) == before


@pytest.mark.parametrize(
    "address, expected",
    [
        ("nobody", "Your council cannot follow this address."),
        ("", "Your council cannot follow this address."),
        ("@a@b c", "Your council cannot follow this address."),
        ("@brackwell@localhost:1", "localhost:1 could not be reached"),
        ("http://127.0.0.1:1/x", "127.0.0.1:1 could not be reached"),
        ("ftp://a.example/x", ""),
    ],
)
def test_an_actor_that_is_not_found_is_not_followed(
    council: TestNode, moothall: Command, address: str, expected: str
) -> None:
    assert expected in moothall("peer", "follow", address).refusal
    assert count(council, Delivery) == 0


def test_an_unknown_command_is_refused(moothall: Command) -> None:
    assert moothall("projekt").refusal.startswith("No such command 'projekt'.")
    assert "No such option" in moothall("init", "--nmae=x").refusal
    assert "Missing argument" in moothall("project", "publish").refusal
    assert moothall("--version").out.startswith("moothall, version ")
    assert "Usage: moothall" in moothall("--help").out


def test_a_worker_is_refused_when_jobs_run_inside_the_server(moothall: Command) -> None:
    assert (
        moothall("worker").refusal == "With jobs = inside, `moothall serve` runs the jobs itself."
    )
