"""The commands about other servers and about the council's names."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from node.federating.models import Peer
from node.testing.nodes import TestNode
from tests.cli.conftest import Command

LIST = "host,state,comment\na.example,allowed,\nb.example,blocked,Spam\n"


@pytest.fixture(autouse=True)
def _no_peers(council: TestNode) -> None:
    """Delete all servers: all tests of this file share the council."""
    with council.work() as work:
        for row in work.session.scalars(select(Peer)):
            work.session.delete(row)


def test_a_server_is_allowed_blocked_and_forgotten(moothall: Command, council: TestNode) -> None:
    assert moothall("peer", "allow", "a.example").out == "a.example is allowed\n"
    assert moothall("peer", "block", "b.example", "--comment", "Spam").code == 0
    assert moothall("peer", "unblock", "b.example").out == (
        "b.example is neither blocked nor allowed\n"
    )
    assert moothall("peer", "forget", "b.example").code == 0
    (listed,) = json.loads(moothall("peer", "list", "--json").out)
    assert (listed["host"], listed["state"], listed["list"]) == ("a.example", "allowed", None)
    assert moothall("peer", "list").out.startswith("a.example\tallowed\t")


def test_a_list_is_imported_and_exported(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(LIST)
    assert moothall("peer", "import", file).out == "2 servers changed, 0 unchanged\n"
    assert moothall("peer", "export", "-").out == LIST
    again = tmp_path / "again.csv"
    assert moothall("peer", "export", again).code == 0
    assert again.read_text() == LIST
    blocked = moothall("peer", "export", "-", "--state", "blocked", "--format", "mastodon").out
    assert blocked.splitlines()[1:] == ["b.example,suspend,False,False,Spam,False"]
    assert moothall("peer", "import", again).out == "0 servers changed, 2 unchanged\n"


def test_a_list_is_subscribed_to_and_unsubscribed_from(
    moothall: Command, council: TestNode
) -> None:
    url = "https://brackwell.test/peers.csv"
    assert moothall("peer", "subscribe", url, "--may-allow").out == f"Subscribed to {url}\n"
    (row,) = json.loads(moothall("peer", "lists", "--json").out)
    assert (row["url"], row["may_allow"], row["fetched_at"]) == (url, True, None)
    assert moothall("peer", "unsubscribe", url).code == 0
    assert moothall("peer", "lists").out == ""
    assert moothall("peer", "suggestions", "--json").out == "[]\n"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["peer", "block", "not a host"], "The server name is not valid."),
        (["peer", "block", "aldermoor.test"], "You entered an address on your own server."),
        (["peer", "unblock", "nowhere.example"], "is not known to this server"),
        (["peer", "forget", "nowhere.example"], "is not known to this server"),
        (["peer", "import", "nowhere.csv"], "nowhere.csv"),
        (["peer", "export", "/nowhere/list.csv"], "/nowhere/list.csv"),
        (["peer", "export", "-", "--format", "xml"], "xml"),
        (["peer", "subscribe", "nonsense"], "address of the list is not valid"),
        (["peer", "unsubscribe", "https://a.example/"], "is not subscribed"),
        (["council", "name", ""], "Enter the council’s name"),
        (["council", "alias", "add", "nonsense"], "This is not the ID of a council."),
        (
            ["council", "alias", "remove", "https://a.example/b"],
            "This council does not have that alias.",
        ),
        (["council", "move", "nonsense"], "cannot follow this address"),
        (["council", "block", "nonsense"], "cannot follow this address"),
        (["council", "unblock", "https://a.example/b"], "is not blocked"),
    ],
)
def test_an_error_is_printed_in_one_line(
    arguments: list[str], words: str, moothall: Command, council: TestNode
) -> None:
    assert words in moothall(*arguments).refusal


def test_every_invalid_line_of_a_list_is_reported(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"{LIST}c d,allowed\ne.example,perhaps\n")
    refusal = moothall("peer", "import", file).refusal
    assert "line 4: c d is not a server name" in refusal
    assert "line 5: perhaps must be allowed or blocked" in refusal
    assert moothall("peer", "list").out == "", "nothing is half imported"


def test_an_alias_is_added_listed_and_removed(moothall: Command, council: TestNode) -> None:
    uri = "https://brackwell.test/councils/brackwell"
    assert moothall("council", "alias", "add", uri).out == f"Added the alias {uri}\n"
    assert moothall("council", "alias", "list").out == f"{uri}\n"
    assert moothall("council", "alias", "remove", uri).code == 0
    assert moothall("council", "alias", "list").out == ""
    assert moothall("council", "name", "Aldermoor Council").code == 0
    assert moothall("council", "blocks").out == ""
