"""Publish projects, and search for them."""

from collections.abc import Sequence
from typing import Any

from node.access.viewer import ANONYMOUS, Viewer
from node.councils import service as councils
from node.projects import service as projects
from node.projects.details import Details
from node.projects.validation import ProjectInput
from node.search import service
from node.search.search_params import parse
from node.testing.nodes import TestNode


def publish(node: TestNode, title: str, summary: str = "For everyone.", **more: Any) -> str:
    """Publish a project of the node's council; returns its token. `more` are fields or details."""
    defaults = {"phase": "alpha", "brief": "", "visibility": "public", "language": "en"}
    fields = {name: more.pop(name, default) for name, default in defaults.items()}
    translations = more.pop("translations", {})
    text = ProjectInput(
        title, summary, details=Details(**more), translations=translations, **fields
    )
    with node.work() as work:
        project = projects.create(work, councils.require_own(work.session), text)
        projects.publish(work, project)
        return project.token


def titles(node: TestNode, reader: Viewer = ANONYMOUS, **query: str | Sequence[str]) -> list[str]:
    """Search for `query`. Returns the titles of the projects, in order."""
    pairs = [
        (name, item)
        for name, value in query.items()
        for item in ([value] if isinstance(value, str) else value)
    ]
    params, error = parse(pairs)
    assert error is None, error
    with node.reading() as session:
        page = service.find_projects(session, params, reader)
        assert page.total == len(page.rows)
        return [project.title for project in page.rows]
