"""Commands about API tokens: what only a page could do."""

from node.people import service as people
from node.testing.nodes import TestNode
from tests.cli.conftest import Command
from tests.rest.conftest import Program

OFFICER = "officer@aldermoor.example"


def test_a_token_is_made_listed_and_revoked(council: TestNode, moothall: Command) -> None:
    made = moothall("token", "create", OFFICER, "--name=Website", "--scope=read", "--days=30")
    assert (made.code, made.err) == (0, "")
    program = Program(council, made.out.strip())
    number, beginning, *rest = moothall("token", "list", OFFICER).out.strip().split("\t")
    assert made.out.startswith(f"moothall_{beginning}")
    assert rest[:3] == ["Website", "read", "never used"]
    assert rest[3].startswith("expires ")
    assert program("GET", "/projects").status_code == 200
    refused = moothall("token", "revoke", "operator@aldermoor.example", number)
    assert "Token not found" in refused.refusal
    assert moothall("token", "revoke", OFFICER, number).code == 0
    assert program("GET", "/projects").status_code == 401
    assert "revoked" in moothall("token", "list", OFFICER).out


def test_a_token_is_not_made_for_nobody(council: TestNode, moothall: Command) -> None:
    ask = ("token", "create", OFFICER, "--name=x", "--scope=read")
    assert "is not one of" in moothall(*ask[:-1], "--scope=all").refusal
    with council.work() as work:
        people.deactivate(work, people.require_by_email(work.session, OFFICER))
    assert "This account has been closed" in moothall(*ask).refusal
