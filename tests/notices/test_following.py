"""What people follow, and their notifications about it: at their own council and at others."""

from markupsafe import Markup
from sqlalchemy import select

from node.councils import service as councils
from node.projects import service as projects
from node.projects.details import Details
from node.projects.models import Project
from node.projects.validation import ProjectInput
from node.testing.nodes import Nodes
from node.testing.visitor import Visitor
from tests.federation.talking import copy_of
from tests.federation.test_main_job import follow, publish
from tests.federation.test_moving import move, three
from tests.federation.test_relating import relate
from tests.federation.test_updates import written

TITLE = "Bins in one step"


def list_notifications(visitor: Visitor) -> list[str]:
    """The texts on the notifications page, the newest first."""
    page = visitor.visit("/notices").text
    items = page.partition("moothall-list")[2].split(
        '<p class="govuk-body moothall-list__summary">'
    )
    return [plain(item.partition("</p>")[0]) for item in items[1:]]


def plain(html: str) -> str:
    return Markup(html).striptags()


def test_events_in_another_councils_project_are_notified(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    project = publish(here, TITLE)
    nodes.run_until_idle()
    reader, writer = there.visitor("officer"), here.visitor("officer")
    reader.visit(copy_of(there, TITLE))
    reader.submit("/following/projects")
    assert "You are now following this project." in reader.text
    assert list_notifications(reader) == []

    written(writer, project, changed="We tried it.")
    writer.visit(f"{project}/edit")
    writer.submit(phase="beta")
    nodes.run_until_idle()
    assert list_notifications(reader) == [
        f"{TITLE} has moved to a new phase: Beta",
        f"Aldermoor Council wrote an update about {TITLE}",
    ]
    assert list_notifications(there.visitor("operator")) == []

    writer.visit(f"{project}/delete")
    writer.submit("delete")
    nodes.run_until_idle()
    assert list_notifications(reader) == ["Aldermoor Council deleted a project you followed"]
    assert TITLE not in reader.text


def test_events_before_a_council_was_followed_are_not_notified(nodes: Nodes) -> None:
    here, there = nodes.pair()
    publish(here, TITLE)
    follow(nodes, there, here)
    reader = there.visitor("officer")
    reader.visit(copy_of(there, TITLE))
    council = reader.text.partition('href="/councils/')[2].partition('"')[0]
    reader.visit(f"/councils/{council}")
    reader.submit("/following/councils")
    nodes.run_until_idle()
    publish(here, "Trees in two steps")
    nodes.run_until_idle()
    assert list_notifications(reader) == ["Aldermoor Council published Trees in two steps"]


def test_a_tag_is_followed(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    operator, officer = here.visitor("operator"), here.visitor("officer")
    operator.visit("/following")
    operator.submit("/following/tags", tag=" #Housing ")
    assert "You are now following the housing tag." in operator.text
    operator.submit("/following/tags", tag="")
    assert "Enter a tag of 100 characters or fewer" in operator.text
    with here.work() as work:
        details = Details(tags=("Housing",))
        text = ProjectInput(TITLE, "Short.", "alpha", "", details=details)
        project = projects.create(work, councils.require_own(work.session), text)
        projects.publish(work, project)
    nodes.run_until_idle()
    assert list_notifications(operator) == [f"Aldermoor Council published {TITLE}"]
    assert list_notifications(officer) == []


def test_the_owner_is_not_notified_when_a_colleague_publishes_their_project(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    officer = here.visitor("officer")
    officer.visit("/projects/new")
    officer.submit(title=TITLE, summary="Short.", phase="alpha", brief="Why.", then="save")
    with here.work() as work:
        projects.publish(work, work.session.scalars(select(Project)).one())
    nodes.run_until_idle()
    assert TITLE in here.visitor().visit("/projects").text
    assert list_notifications(officer) == []


def test_a_person_stops_following(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    operator = here.visitor("operator")
    project = publish(here, TITLE)
    operator.visit(project)
    operator.submit("/following/projects")
    assert TITLE in operator.visit("/following").text
    operator.visit(project)
    operator.submit("/end")
    assert "You are no longer following it." in operator.text
    written(here.visitor("officer"), project, changed="We tried it.")
    nodes.run_until_idle()
    assert list_notifications(operator) == []


def test_only_the_follower_can_stop_following(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    operator, officer = here.visitor("operator"), here.visitor("officer")
    operator.visit(publish(here, TITLE))
    operator.submit("/following/projects")
    end = operator.visit("/following").text.partition('action="/following/')[2].partition('"')[0]
    officer.visit("/following")
    token = officer.form("/following/tags").values["csrf_token"]
    assert officer.client.post(f"/following/{end}", data={"csrf_token": token}).status_code == 404
    assert TITLE in operator.visit("/following").text


def test_a_visitor_who_is_not_signed_in_sees_no_follow_button(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    visitor = here.visitor()
    visitor.visit(publish(here, TITLE))
    assert "/following/projects" not in visitor.text


def test_a_hidden_project_has_no_notifications(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    project = publish(here, TITLE)
    nodes.run_until_idle()
    reader = there.visitor("officer")
    address = copy_of(there, TITLE)
    reader.visit(address)
    reader.submit("/following/projects")
    written(here.visitor("officer"), project, changed="We tried it.")
    nodes.run_until_idle()
    assert len(list_notifications(reader)) == 1
    operator = there.visitor("operator")
    operator.visit(address)
    operator.submit("/hide")
    assert list_notifications(reader) == []
    assert TITLE not in reader.text
    assert TITLE not in reader.visit("/following").text
    assert "(1<span" not in reader.text


def test_followers_of_a_council_that_moved_follow_its_successor(nodes: Nodes) -> None:
    reader, old, new = three(nodes)
    publish(old, TITLE)
    nodes.run_until_idle()
    officer = reader.visitor("officer")
    officer.visit(copy_of(reader, TITLE))
    council = officer.text.partition('href="/councils/')[2].partition('"')[0]
    officer.visit(f"/councils/{council}")
    officer.submit("/following/councils")
    move(old, new)
    nodes.run_until_idle()
    assert "Cragford Council" in officer.visit("/following").text
    publish(new, "Potholes")
    nodes.run_until_idle()
    assert list_notifications(officer) == ["Cragford Council published Potholes"]


def test_followers_of_a_merged_project_follow_its_successor(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    officer, operator = here.visitor("officer"), here.visitor("operator")
    first, second = publish(here, "Bins"), publish(here, "Bins again")
    operator.visit(first)
    operator.submit("/following/projects")
    relate(officer, second, first, "merged-into")
    officer.visit(second)
    officer.submit("agree")
    nodes.run_until_idle()
    assert "Bins again" in operator.visit("/following").text
    written(officer, second, changed="We tried it.")
    nodes.run_until_idle()
    assert list_notifications(operator) == ["Aldermoor Council wrote an update about Bins again"]
