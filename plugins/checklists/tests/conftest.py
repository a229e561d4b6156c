"""Fixtures for the tests of checklists: councils, and officers who answer."""

from dataclasses import dataclass

import pytest

from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor

DECLARATION = "local-digital-declaration"


def publish(officer: Visitor, title: str = "Bins in one step") -> str:
    """Publish a project; returns its token."""
    officer.visit("/projects/new")
    page = officer.submit(
        title=title, summary="Know when.", phase="alpha", brief="Why.", then="publish"
    )
    assert page.status_code == 200, page.text
    return page.request.path.rpartition("/")[2]


@dataclass
class AssessmentPage:
    """A run, and the visitor who answers it on the pages."""

    visitor: Visitor
    token: str

    @property
    def path(self) -> str:
        return f"/checklists/runs/{self.token}"

    def question_path(self, question: str, suffix: str = "") -> str:
        return f"{self.path}/questions/{question}{suffix}"

    def answer(self, question: str, answer: str, **fields: str) -> str:
        """Answer a question. Returns the text of the page that follows."""
        self.visitor.visit(self.question_path(question))
        return self.visitor.submit("/questions/", answer=answer, **fields).text

    def answer_all(self, answer: str, *questions: str) -> None:
        for question in questions:
            self.answer(question, answer)

    def finish(self) -> str:
        self.visitor.visit(self.path)
        return self.visitor.submit("/finish").text

    def begin_again(self) -> "AssessmentPage":
        self.visitor.visit(self.path)
        page = self.visitor.submit("/again")
        return AssessmentPage(self.visitor, page.request.path.rpartition("/")[2])


def begin(visitor: Visitor, checklist: str = DECLARATION, **fields: str) -> AssessmentPage:
    """Begin a run; `fields` name its subject, by default the council."""
    visitor.visit(f"/checklists/{checklist}/begin")
    page = visitor.submit("/begin", **({"scope": "council"} | fields))
    assert "/checklists/runs/" in page.request.path, page.text
    return AssessmentPage(visitor, page.request.path.rpartition("/")[2])


def begin_for_project(visitor: Visitor, token: str, checklist: str = DECLARATION) -> AssessmentPage:
    return begin(visitor, checklist, scope="project", project=token)


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(scope="module")
def officer(council: TestNode) -> Visitor:
    return council.visitor("officer")


@pytest.fixture(scope="module")
def coordinator(council: TestNode) -> Visitor:
    """An operator, who has all permissions of a coordinator."""
    return council.visitor("operator")
