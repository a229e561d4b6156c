"""Councils that answer checklists, and how their officers do it."""

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
class Running:
    """A run of a checklist that somebody answers."""

    who: Visitor
    token: str

    @property
    def path(self) -> str:
        return f"/checklists/runs/{self.token}"

    def at(self, question: str, more: str = "") -> str:
        return f"{self.path}/questions/{question}{more}"

    def answer(self, question: str, answer: str, **typed: str) -> str:
        """Answer a question; the text of the page that follows."""
        self.who.visit(self.at(question))
        return self.who.submit("/questions/", answer=answer, **typed).text

    def answer_all(self, answer: str, *questions: str) -> None:
        for question in questions:
            self.answer(question, answer)

    def finish(self) -> str:
        self.who.visit(self.path)
        return self.who.submit("/finish").text

    def again(self) -> "Running":
        self.who.visit(self.path)
        page = self.who.submit("/again")
        return Running(self.who, page.request.path.rpartition("/")[2])


def begin(who: Visitor, checklist: str = DECLARATION, **typed: str) -> Running:
    """Begin a run; `typed` is what it is about: the council where nothing is said."""
    who.visit(f"/checklists/{checklist}/begin")
    page = who.submit("/begin", **({"scope": "council"} | typed))
    assert "/checklists/runs/" in page.request.path, page.text
    return Running(who, page.request.path.rpartition("/")[2])


def of_project(who: Visitor, token: str, checklist: str = DECLARATION) -> Running:
    return begin(who, checklist, scope="project", project=token)


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(scope="module")
def officer(council: TestNode) -> Visitor:
    return council.visitor("officer")


@pytest.fixture(scope="module")
def coordinator(council: TestNode) -> Visitor:
    """The operator, who may do what a coordinator may."""
    return council.visitor("operator")
