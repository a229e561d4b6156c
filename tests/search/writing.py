"""Projects to be found, and who looks for them."""

from collections.abc import Sequence
from typing import Any

from node.councils import service as councils
from node.federating.viewer import ANONYMOUS, Viewer
from node.projects import service as projects
from node.projects.details import Details
from node.projects.validation import ProjectInput
from node.search import service
from node.search.search_params import parse
from node.testing.nodes import Nodes, TestNode


def publish(node: TestNode, title: str, summary: str = "For everybody.", **more: Any) -> str:
    """A published project of the node's council; its token. `more` are of its text or details."""
    texts = {"phase": "alpha", "brief": "", "visibility": "public", "language": "en"}
    given = {name: more.pop(name, usual) for name, usual in texts.items()}
    translations = more.pop("translations", {})
    text = ProjectInput(title, summary, details=Details(**more), translations=translations, **given)
    with node.work() as work:
        project = projects.create(work, councils.require_own(work.session), text)
        projects.publish(work, project)
        return project.token


def titles(node: TestNode, reader: Viewer = ANONYMOUS, **asked: str | Sequence[str]) -> list[str]:
    """The titles of what is found, in its order."""
    pairs = [
        (name, each)
        for name, value in asked.items()
        for each in ([value] if isinstance(value, str) else value)
    ]
    wanted, error = parse(pairs)
    assert error is None, error
    with node.reading() as session:
        page = service.find_projects(session, wanted, reader)
        assert page.total == len(page.projects)
        return [project.title for project in page.projects]


def settled(nodes: Nodes) -> TestNode:
    nodes.run_until_idle()
    return nodes.made[0]
