"""A council with a project whose details fill the exports."""

from datetime import date

import pytest

from node.councils.service import require_own
from node.projects import service
from node.projects.details import Adopter, Details, LinkKind, Output, ProjectLink
from node.projects.validation import ProjectInput
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor

LONG = "Wythnos casglu’r biniau; a, b\\c a dŵr, te a choffi"
TEXT = ProjectInput(
    LONG,
    "Says <when> bins are emptied & why.",
    "beta",
    "For **every** household.",
    details=Details(
        tags=("waste", "Content management"),
        technologies=("Python", "web"),
        starts_on=date(2030, 1, 1),
        ends_on=date(2030, 2, 28),
        links=(ProjectLink(LinkKind.repository, "https://code.example/bins"),),
        outputs=(Output(title="Reminders", licence="MIT", adopters=(Adopter("Brackwell"),)),),
    ),
    translations={"cy": {"title": "Biniau", "summary": "Yn dweud pryd."}},
)


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(scope="module")
def token(council: TestNode) -> str:
    with council.app.app_context(), council.work() as work:
        project = service.create(work, require_own(work.session), TEXT)
        service.publish(work, project)
        token = project.token
    officer = council.visitor("officer")
    officer.visit(f"/projects/{token}/updates/new")
    officer.submit("updates/new", changed="We **tried** it.\n\nMore.")
    return token


@pytest.fixture
def stranger(council: TestNode, token: str) -> Visitor:
    return council.visitor()
