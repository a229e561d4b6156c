"""`moothall why`: why a server has a copy of an item, or lacks one."""

from node.testing.nodes import TestNode
from tests.cli.conftest import Command
from tests.federation.test_main_job import publish


def test_the_command_prints_the_explanation_on_the_page(
    council: TestNode, moothall: Command
) -> None:
    uri = f"{council.node.settings.base_url}{publish(council, 'Bins')}"
    here = moothall("why", uri, council.host)
    words = "The server you entered is this server.\tYou do not need to do anything."
    assert here.out == f"{council.host}\town\t{words}\n"
    there = moothall("why", uri, "Brackwell.test", federation="open")
    host, reason, words, step = there.out.rstrip("\n").split("\t")
    assert (host, reason) == ("brackwell.test", "nobody_follows")
    operator = council.visitor("operator")
    page = operator.visit(f"/operator/inspect?id={uri}&host=brackwell.test").text
    assert words == (
        "No one on that server follows the council or the project, so we did not send the item."
    )
    assert words not in page
    assert step.startswith("Ask the council that runs that server to follow")
    assert moothall("inspect", uri, "brackwell.test", federation="open").out.count(step) == 1
    nowhere = moothall("why", "https://elsewhere.test/1")
    assert nowhere.out.split("\t")[:2] == ["elsewhere.test", "here_not_allowed"]
    assert ("The server is not an allowed server, so we do not send anything to it.") in page
    assert moothall("why", uri, "brackwell.test").out.split("\t")[2].rstrip() in page
