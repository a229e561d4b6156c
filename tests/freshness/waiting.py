"""Projects that nobody looks at: as if weeks had passed."""

from datetime import timedelta

from sqlalchemy import select

from node.freshness import service as freshness
from node.freshness.models import Reminder
from node.projects.models import Project
from node.testing.nodes import TestNode
from node.testing.visitor import Visitor

TEXT = {
    "title": "Bins in one step",
    "summary": "Know when they are emptied.",
    "phase": "alpha",
    "brief": "It is needed.",
}


def write(writer: Visitor, then: str = "publish", **typed: str) -> str:
    """Write a project; returns its address."""
    writer.visit("/projects/new")
    page = writer.submit(**TEXT | typed, then=then)
    assert page.status_code == 200, page.text
    return page.request.path


def pass_weeks(node: TestNode, address: str, weeks: int) -> None:
    """All that happened to a project was so much longer ago; the job looks each week."""
    for _week in range(weeks):
        _pass(node, address, timedelta(weeks=1))
        freshness.process_due_projects(node.node)


def _pass(node: TestNode, address: str, time: timedelta) -> None:
    with node.work() as work:
        token = address.rpartition("/")[2]
        project = work.session.scalars(select(Project).where(Project.token == token)).one()
        for name in ("review_on", "review_chosen_on", "confirmed_on", "archived_on"):
            if (day := getattr(project, name)) is not None:
                setattr(project, name, day - time)
        project.published_at = (project.published_at or project.created_at) - time
        for row in work.session.scalars(select(Reminder).where(Reminder.project_id == project.id)):
            row.review_on, row.at = row.review_on - time, row.at - time
