"""The commands about other servers and about where the council goes."""

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
    """The council lasts for all tests of this file."""
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


def test_a_list_goes_out_and_comes_back(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(LIST)
    assert moothall("peer", "import", file).out == "2 servers decided, 0 were so before\n"
    assert moothall("peer", "export", "-").out == LIST
    again = tmp_path / "again.csv"
    assert moothall("peer", "export", again).code == 0
    assert again.read_text() == LIST
    blocked = moothall("peer", "export", "-", "--state", "blocked", "--format", "mastodon").out
    assert blocked.splitlines()[1:] == ["b.example,suspend,False,False,Spam,False"]
    assert moothall("peer", "import", again).out == "0 servers decided, 2 were so before\n"


def test_a_subscription_begins_and_ends(moothall: Command, council: TestNode) -> None:
    url = "https://brackwell.test/peers.csv"
    assert moothall("peer", "subscribe", url, "--may-allow").out == f"Reads {url}\n"
    (row,) = json.loads(moothall("peer", "lists", "--json").out)
    assert (row["url"], row["may_allow"], row["fetched_at"]) == (url, True, None)
    assert moothall("peer", "unsubscribe", url).code == 0
    assert moothall("peer", "lists").out == ""
    assert moothall("peer", "suggestions", "--json").out == "[]\n"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["peer", "block", "not a host"], "not the name of a server"),
        (["peer", "block", "aldermoor.test"], "this node itself"),
        (["peer", "unblock", "nowhere.example"], "not known here"),
        (["peer", "forget", "nowhere.example"], "not known here"),
        (["peer", "import", "nowhere.csv"], "nowhere.csv"),
        (["peer", "export", "/nowhere/list.csv"], "/nowhere/list.csv"),
        (["peer", "export", "-", "--format", "xml"], "xml"),
        (["peer", "subscribe", "nonsense"], "not the address of a list"),
        (["peer", "unsubscribe", "https://a.example/"], "does not subscribe"),
        (["council", "name", ""], "Enter the name of the council"),
        (["council", "alias", "add", "nonsense"], "not the id of an actor"),
        (["council", "alias", "remove", "https://a.example/b"], "not another name"),
        (["council", "move", "nonsense"], "not an address"),
        (["council", "block", "nonsense"], "not an address"),
        (["council", "unblock", "https://a.example/b"], "is not blocked"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    arguments: list[str], words: str, moothall: Command, council: TestNode
) -> None:
    assert words in moothall(*arguments).refusal


def test_every_bad_line_of_a_list_is_named(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"{LIST}c d,allowed\ne.example,perhaps\n")
    refusal = moothall("peer", "import", file).refusal
    assert "line 4: c d is not a server name" in refusal
    assert "line 5: perhaps has to be allowed or blocked" in refusal
    assert moothall("peer", "list").out == "", "nothing is half imported"


def test_the_council_says_who_it_is_too(moothall: Command, council: TestNode) -> None:
    uri = "https://brackwell.test/councils/brackwell"
    assert moothall("council", "alias", "add", uri).out == f"This council is also {uri}\n"
    assert moothall("council", "alias", "list").out == f"{uri}\n"
    assert moothall("council", "alias", "remove", uri).code == 0
    assert moothall("council", "alias", "list").out == ""
    assert moothall("council", "name", "Aldermoor Council").code == 0
    assert moothall("council", "blocks").out == ""
