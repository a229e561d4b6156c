"""Two councils: what one shares the other sees, compares, and asks about; and no longer, later."""

from dataclasses import dataclass

import pytest

from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from plugins.checklists.tests.conftest import DECLARATION, Running, begin, of_project, publish

ALL = ("q1", "q2", "q3", "q4", "q5")
COMPARE = f"/checklists/{DECLARATION}/councils"


@dataclass
class Town:
    nodes: Nodes
    here: TestNode
    there: TestNode
    ours: Visitor
    theirs: Visitor

    def share(self, run: Running) -> str:
        run.who.visit(f"{run.path}/share")
        page = run.who.submit("/share").text
        self.nodes.run_until_idle()
        return page


@pytest.fixture(scope="module")
def town(lasting_nodes: Nodes) -> Town:
    here, there = lasting_nodes.pair()
    for one, other in ((here, there), (there, here)):
        officer = one.visitor("officer")
        officer.visit("/councils/follow")
        officer.submit("follow", address=other.address)
    lasting_nodes.run_until_idle()
    return Town(lasting_nodes, here, there, here.visitor("operator"), there.visitor("operator"))


def test_a_shared_run_is_compared_at_both_councils_and_withdrawn_from_both(town: Town) -> None:
    run = begin(town.theirs)
    link = {"evidence-0-url": "https://users.example/report", "evidence-0-title": "What we heard"}
    secret = {"evidence-1-url": "https://secret.example/", "evidence-1-is_private": "y"}
    run.answer("q1", "yes", note="Nobody may know", **link)
    run.who.visit(run.at("q1"))
    run.who.submit("/questions/", add="evidence")
    run.who.submit("/questions/", **secret)
    run.answer_all("no", *ALL[1:])
    run.finish()
    town.nodes.run_until_idle()
    assert "No councils share answers yet" in town.ours.visit(COMPARE).text
    assert "are shared with the councils" in town.share(run)

    mine = begin(town.ours)
    mine.answer("q1", "no")
    page = town.ours.text
    assert "Brackwell Council" in page
    assert "What we heard" in page
    for hidden in ("Nobody may know", "secret.example", "operator@brackwell"):
        assert hidden not in page
    page = town.ours.visit(COMPARE).text
    assert "Brackwell Council" in page
    assert "Aldermoor Council</th>" not in page

    ask_them(town, mine)
    town.theirs.visit(f"{run.path}/share")
    assert "no longer shared" in town.theirs.submit("/withdraw").text
    town.nodes.run_until_idle()
    assert "No councils share answers yet" in town.ours.visit(COMPARE).text
    town.ours.visit(mine.at("q1", "/action"))
    assert "What we heard" not in town.ours.text


def ask_them(town: Town, mine: Running) -> None:
    page = town.ours.visit(mine.at("q1", "/action")).text
    document = page.partition("/ask?document=")[2].partition('"')[0]
    town.ours.visit(f"{mine.at('q1', '/ask')}?document={document}")
    assert "operator@aldermoor.example" in town.ours.text
    assert "Enter your question" in town.ours.submit("/ask").text
    assert "is on its way" in town.ours.submit("/ask", words="How did you find people?").text
    town.nodes.run_until_idle()
    page = town.theirs.visit("/checklists/asked").text
    assert "How did you find people?" in page
    assert "operator@aldermoor.example" in page
    assert ">Aldermoor Council asks how you did something" in town.theirs.visit("/notices").text


def test_only_a_coordinator_shares_and_sees_beforehand_all_that_is(town: Town) -> None:
    officer = town.here.visitor("officer")
    run = begin(officer, "service-standard")
    assert officer.visit(f"{run.path}/share").status_code == 403
    page = town.ours.visit(f"{run.path}/share").text
    assert "only finished assessments are shared" in page
    assert officer.client.post(f"{run.path}/share").status_code in {400, 403}


def test_what_is_about_a_private_project_is_not_shared_and_is_withdrawn_when_it_becomes_so(
    town: Town,
) -> None:
    token = publish(town.theirs, "Trees")
    run = of_project(town.theirs, token)
    run.answer_all("yes", *ALL)
    run.finish()
    town.share(run)
    page = town.ours.visit(f"{COMPARE}?about=project").text
    assert "Trees" in page
    assert "Trees" in town.ours.visit("/projects?facet=checklists.checklist:shared").text
    assert ">\n  Shared\n<" in town.theirs.visit(run.path).text
    town.theirs.visit(f"/projects/{token}/edit")
    town.theirs.submit("/projects/", visibility="private")
    assert ">\n  Shared\n<" not in town.theirs.visit(run.path).text
    town.nodes.run_until_idle()
    assert "Trees" not in town.ours.visit(f"{COMPARE}?about=project").text
    town.theirs.visit(f"{run.path}/share")
    assert "/withdraw" not in town.theirs.text


def test_a_deleted_project_takes_what_is_shared_of_it_along(town: Town) -> None:
    token = publish(town.theirs, "Ponds")
    run = of_project(town.theirs, token)
    run.answer_all("yes", *ALL)
    run.finish()
    town.share(run)
    assert "Ponds" in town.ours.visit(f"{COMPARE}?about=project").text
    town.theirs.visit(f"/projects/{token}/delete")
    town.theirs.submit("delete")
    town.nodes.run_until_idle()
    assert "Ponds" not in town.ours.visit(f"{COMPARE}?about=project").text


def test_another_councils_project_is_answered_about_and_not_shared(town: Town) -> None:
    publish(town.theirs, "Buses")
    town.nodes.run_until_idle()
    page = town.ours.visit("/projects").text
    token = page.partition(">Buses</a>")[0].rpartition("/projects/")[2].partition('"')[0]
    run = of_project(town.ours, token)
    run.answer_all("no", *ALL)
    run.finish()
    assert "Answered by Aldermoor Council." in town.ours.visit(f"/projects/{token}").text
    assert "another council’s project" in town.ours.visit(f"{run.path}/share").text
