"""Projects of the demonstration did not begin today."""

from typing import Any

from node.councils import service as councils
from node.demo.councils import COUNCILS
from node.demo.demo_projects import create_project
from node.people import service as people
from node.testing.nodes import Nodes


def test_the_demonstration_has_a_past(nodes: Nodes) -> None:
    """Its projects were written in phases, each of its day, in every council."""
    changed = {
        one.slug: sum(len(each.earlier_versions) for each in one.projects()) for one in COUNCILS
    }
    assert min(changed.values()) > 0, changed
    node = nodes.start("aldermoor")
    story = next(each for each in COUNCILS[0].projects() if len(each.earlier_versions) > 1)
    with node.work() as work:
        officer = people.require_by_email(work.session, "officer@aldermoor.example")
        create_project(work, councils.require_own(work.session), officer, story)
    reader = node.visitor()
    listed: Any = reader.client.get("/projects.json").json
    (token,) = (one["token"] for one in listed["projects"])
    page = reader.visit(f"/projects/{token}/history").text
    days = [part.partition('"')[0][:10] for part in page.split('datetime="')[1:]]
    assert len({*days}) == len(story.earlier_versions) + 1, days
    assert days == sorted(days, reverse=True)
    assert "Changed: Summary, Phase" in " ".join(page.split())
