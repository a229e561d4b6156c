"""Roles are given to accounts that are there, and taken from them."""

from node.testing.nodes import TestNode
from tests.cli.conftest import Command

WHO = "officer@aldermoor.example"


def test_somebody_is_made_a_coordinator_and_no_longer_is(
    council: TestNode, moothall: Command
) -> None:
    officer = council.visitor("officer")
    with_needs = "Projects with no user needs"
    officer.visit("/projects/new")
    officer.submit(title="Bins", summary="Empty.", phase="beta", brief="", then="publish")
    assert with_needs not in officer.visit("/desk").text
    assert moothall("user", "give", WHO, "coordinator") == (
        0,
        f"{WHO} now has the role coordinator\n",
        "",
    )
    assert moothall("user", "give", WHO, "coordinator").code == 0
    assert with_needs in officer.visit("/desk").text
    assert moothall("user", "take", WHO, "coordinator").code == 0
    assert with_needs not in officer.visit("/desk").text


def test_all_accounts_are_listed(council: TestNode, moothall: Command) -> None:
    moothall("user", "add", "--name", "Uma", "--email", "uma@a.example", "--password", "x" * 12)
    moothall("user", "deactivate", "uma@a.example")
    listed = moothall("user", "list").out.splitlines()
    assert "uma@a.example\tUma\tofficer\tdeactivated" in listed
    assert f"{WHO}\tOla Officer\tofficer" in listed


def test_nobody_is_left_without_a_role(council: TestNode, moothall: Command) -> None:
    refused = moothall("user", "take", WHO, "officer").refusal
    assert refused.startswith("This is the account’s only role.")
    assert "There is no account" in moothall("user", "give", "x@y.example", "officer").refusal
    assert "'king' is not one of" in moothall("user", "give", WHO, "king").refusal
