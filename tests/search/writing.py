"""Projects to be found, and who looks for them."""

from collections.abc import Sequence
from typing import Any

from node.councils import service as councils
from node.federating.readers import ANYBODY, Reader
from node.projects import service as projects
from node.projects.details import Details
from node.projects.writing import Text
from node.search import service
from node.search.wanted import read
from node.testing.nodes import Nodes, TestNode


def publish(node: TestNode, title: str, summary: str = "For everybody.", **more: Any) -> str:
    """A published project of the node's council; its token. `more` are of its text or details."""
    texts = {"phase": "alpha", "brief": "", "visibility": "public", "language": "en"}
    given = {name: more.pop(name, usual) for name, usual in texts.items()}
    translations = more.pop("translations", {})
    text = Text(title, summary, details=Details(**more), translations=translations, **given)
    with node.work() as work:
        project = projects.create(work, councils.require_own(work.session), text)
        projects.publish(work, project)
        return project.token


def titles(node: TestNode, reader: Reader = ANYBODY, **asked: str | Sequence[str]) -> list[str]:
    """The titles of what is found, in its order."""
    pairs = [
        (name, each)
        for name, value in asked.items()
        for each in ([value] if isinstance(value, str) else value)
    ]
    wanted, error = read(pairs)
    assert error is None, error
    with node.reading() as session:
        page = service.find(session, wanted, reader)
        assert page.total == len(page.projects)
        return [project.title for project in page.projects]


def settled(nodes: Nodes) -> TestNode:
    nodes.settle()
    return nodes.made[0]
