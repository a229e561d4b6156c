"""Sharing between two councils: comparison, questions, and withdrawal."""

from dataclasses import dataclass

import pytest

from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from plugins.checklists.tests.conftest import (
    DECLARATION,
    AssessmentPage,
    begin,
    begin_for_project,
    publish,
)

QUESTIONS = ("q1", "q2", "q3", "q4", "q5")
COMPARISON = f"/checklists/{DECLARATION}/councils"


@dataclass
class TwoCouncils:
    nodes: Nodes
    here: TestNode
    there: TestNode
    ours: Visitor
    theirs: Visitor

    def share(self, run: AssessmentPage) -> str:
        run.visitor.visit(f"{run.path}/share")
        page = run.visitor.submit("/share").text
        self.nodes.run_until_idle()
        return page


@pytest.fixture(scope="module")
def councils(lasting_nodes: Nodes) -> TwoCouncils:
    here, there = lasting_nodes.pair()
    for node, other_node in ((here, there), (there, here)):
        officer = node.visitor("officer")
        officer.visit("/councils/follow")
        officer.submit("follow", address=other_node.address)
    lasting_nodes.run_until_idle()
    return TwoCouncils(
        lasting_nodes, here, there, here.visitor("operator"), there.visitor("operator")
    )


def test_shared_run_is_compared_and_withdrawn(councils: TwoCouncils) -> None:
    run = begin(councils.theirs)
    link = {"evidence-0-url": "https://users.example/report", "evidence-0-title": "What we heard"}
    private_link = {"evidence-1-url": "https://secret.example/", "evidence-1-is_private": "y"}
    run.answer("q1", "yes", note="Nobody may know", **link)
    run.visitor.visit(run.question_path("q1"))
    run.visitor.submit("/questions/", add="evidence")
    run.visitor.submit("/questions/", **private_link)
    run.answer_all("no", *QUESTIONS[1:])
    run.finish()
    councils.nodes.run_until_idle()
    assert "No councils share answers yet" in councils.ours.visit(COMPARISON).text
    assert "are now shared with the councils" in councils.share(run)

    own_run = begin(councils.ours)
    own_run.answer("q1", "no")
    page = councils.ours.text
    assert "Brackwell Council" in page
    assert "What we heard" in page
    for hidden in ("Nobody may know", "secret.example", "operator@brackwell"):
        assert hidden not in page
    page = councils.ours.visit(COMPARISON).text
    assert "Brackwell Council" in page
    assert "Aldermoor Council</th>" not in page

    ask_other_council(councils, own_run)
    councils.theirs.visit(f"{run.path}/share")
    assert "no longer shared" in councils.theirs.submit("/withdraw").text
    councils.nodes.run_until_idle()
    assert "No councils share answers yet" in councils.ours.visit(COMPARISON).text
    councils.ours.visit(own_run.question_path("q1", "/action"))
    assert "What we heard" not in councils.ours.text


def ask_other_council(councils: TwoCouncils, own_run: AssessmentPage) -> None:
    page = councils.ours.visit(own_run.question_path("q1", "/action")).text
    document = page.partition("/ask?document=")[2].partition('"')[0]
    councils.ours.visit(f"{own_run.question_path('q1', '/ask')}?document={document}")
    assert "operator@aldermoor.example" in councils.ours.text
    assert "Enter your question" in councils.ours.submit("/ask").text
    assert (
        "We’re sending your question"
        in councils.ours.submit("/ask", words="How did you find people?").text
    )
    councils.nodes.run_until_idle()
    page = councils.theirs.visit("/checklists/asked").text
    assert "How did you find people?" in page
    assert "operator@aldermoor.example" in page
    page = councils.theirs.visit("/notices").text
    assert ">Aldermoor Council asked a question about your checklist answers" in page


def test_sharing_requires_coordinator_and_finished_run(councils: TwoCouncils) -> None:
    officer = councils.here.visitor("officer")
    run = begin(officer, "service-standard")
    assert officer.visit(f"{run.path}/share").status_code == 403
    page = councils.ours.visit(f"{run.path}/share").text
    assert "Only finished assessments can be shared" in page
    assert officer.client.post(f"{run.path}/share").status_code in {400, 403}


def test_run_is_withdrawn_when_project_becomes_private(
    councils: TwoCouncils,
) -> None:
    token = publish(councils.theirs, "Trees")
    run = begin_for_project(councils.theirs, token)
    run.answer_all("yes", *QUESTIONS)
    run.finish()
    councils.share(run)
    page = councils.ours.visit(f"{COMPARISON}?about=project").text
    assert "Trees" in page
    assert "Trees" in councils.ours.visit("/projects?facet=checklists.checklist:shared").text
    assert ">\n  Shared\n<" in councils.theirs.visit(run.path).text
    councils.theirs.visit(f"/projects/{token}/edit")
    councils.theirs.submit("/projects/", visibility="private")
    assert ">\n  Shared\n<" not in councils.theirs.visit(run.path).text
    councils.nodes.run_until_idle()
    assert "Trees" not in councils.ours.visit(f"{COMPARISON}?about=project").text
    councils.theirs.visit(f"{run.path}/share")
    assert "/withdraw" not in councils.theirs.text


def test_shared_run_is_withdrawn_with_deleted_project(councils: TwoCouncils) -> None:
    token = publish(councils.theirs, "Ponds")
    run = begin_for_project(councils.theirs, token)
    run.answer_all("yes", *QUESTIONS)
    run.finish()
    councils.share(run)
    assert "Ponds" in councils.ours.visit(f"{COMPARISON}?about=project").text
    councils.theirs.visit(f"/projects/{token}/delete")
    councils.theirs.submit("delete")
    councils.nodes.run_until_idle()
    assert "Ponds" not in councils.ours.visit(f"{COMPARISON}?about=project").text


def test_run_about_other_councils_project_is_not_shared(councils: TwoCouncils) -> None:
    publish(councils.theirs, "Buses")
    councils.nodes.run_until_idle()
    page = councils.ours.visit("/projects").text
    token = page.partition(">Buses</a>")[0].rpartition("/projects/")[2].partition('"')[0]
    run = begin_for_project(councils.ours, token)
    run.answer_all("no", *QUESTIONS)
    run.finish()
    assert "Answered by Aldermoor Council." in councils.ours.visit(f"/projects/{token}").text
    assert "another council’s project" in councils.ours.visit(f"{run.path}/share").text
