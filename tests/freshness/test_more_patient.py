"""A council becomes more patient: a project that was out of date already holds up no other."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from node.app import create_app, get_node
from node.freshness import service as freshness
from node.projects import review_dates
from node.projects.models import Project
from node.testing.nodes import Nodes
from tests.freshness.waiting import pass_weeks, write


def test_raising_the_weeks_until_a_project_is_out_of_date_stops_nothing(nodes: Nodes) -> None:
    council = nodes.start("aldermoor")
    officer, reader = council.visitor("officer"), council.visitor()
    stale, other = (write(officer, title=title) for title in ("Out of date", "Overdue"))
    weeks = council.node.settings.stale_weeks
    pass_weeks(council, stale, 9 + weeks)
    assert "Out of date" in reader.visit(stale).text.partition("</h1>")[2]
    with council.work() as work:
        mine = update(Project).where(Project.token == other.rpartition("/")[2])
        work.session.execute(mine.values(review_on=review_dates.today() - timedelta(days=1)))

    settings = replace(council.node.settings, stale_weeks=weeks + 2, escalate_weeks=weeks + 2)
    node = get_node(create_app(settings))
    freshness.process_due_projects(node)
    node.engine.dispose()
    assert "Out of date" in reader.visit(stale).text.partition("</h1>")[2]
    assert "Review due" in reader.visit(other).text
