"""Projects that are related, that become one, and whose outputs others use: across two nodes."""

import html
import json
from datetime import date
from typing import Any

from sqlalchemy import select

from node.federating.models import OutboxActivity
from node.projects.details import Freshness
from node.projects.models import Project, ProjectVersion
from node.same_need.models import SameNeedStatement
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from tests.pages.test_parts import PARTS, fill
from tests.pages.test_writing import write
from tests.refusals.test_belief import send

AS2 = {"Accept": "application/activity+json"}


def friends(nodes: Nodes) -> tuple[TestNode, TestNode]:
    """Two councils that follow each other."""
    here, there = nodes.pair()
    for one, other in ((here, there), (there, here)):
        officer = one.visitor("officer")
        officer.visit("/councils/follow")
        officer.submit("follow", address=other.address)
    nodes.run_until_idle()
    return here, there


def copy_of(node: TestNode, title: str) -> str:
    """The address of a project's page on a node, by its title."""
    with node.reading() as session:
        token = session.scalars(select(Project.token).where(Project.title == title)).one()
    return f"/projects/{token}"


def relate(officer: Visitor, other: str, ours: str, kind: str) -> str:
    """Say how one of our projects is related to another; returns our project's page."""
    officer.visit(f"{other}/relate")
    token = ours.removeprefix("/projects/")
    return html.unescape(officer.submit("relate", ours=token, kind=kind).text)


def document(node: TestNode, address: str) -> dict[str, Any]:
    answer = node.app.test_client().get(address, headers=AS2)
    assert answer.status_code == 200
    found = json.loads(answer.data)
    assert isinstance(found, dict)
    return found


def test_who_says_that_projects_are_related_stands_on_both_pages(nodes: Nodes) -> None:
    here, there = friends(nodes)
    theirs = write(there.visitor("officer"), title="Bin days")
    nodes.run_until_idle()
    officer = here.visitor("officer")
    ours = write(officer, title="Bins in one step")
    page = relate(officer, copy_of(here, "Bin days"), ours, "similar")
    assert "Similar to" in page
    assert "Bin days</a> (Brackwell Council)" in page
    assert "according to Aldermoor Council" in page
    nodes.run_until_idle()
    seen = html.unescape(there.visitor().visit(theirs).text)
    assert "Bins in one step</a> (Aldermoor Council)" in seen
    assert "according to Aldermoor Council" in seen
    links = [tag for tag in document(here, ours)["tag"] if tag.get("rel")]
    with there.reading() as session:
        uri = session.scalars(select(Project.uri).where(Project.title == "Bin days")).one()
    assert links == [{"type": "Link", "rel": "https://moothall.org/ns#similar", "href": uri}]


def test_a_relation_is_taken_back(nodes: Nodes) -> None:
    here, there = friends(nodes)
    theirs = write(there.visitor("officer"), title="Bin days")
    nodes.run_until_idle()
    officer = here.visitor("officer")
    ours = write(officer, title="Bins in one step")
    relate(officer, copy_of(here, "Bin days"), ours, "forked-from")
    nodes.run_until_idle()
    assert "The basis for" in there.visitor().visit(theirs).text
    officer.visit(f"{ours}/edit/related")
    officer.submit("/edit/related", **{"related-0-uri": "", "related-0-kind": ""}, then="save")
    nodes.run_until_idle()
    assert "The basis for" not in there.visitor().visit(theirs).text
    assert "Related projects</h2>" not in there.visitor().visit(theirs).text


def test_a_relation_with_itself_or_with_nothing_is_refused(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    officer = here.visitor("officer")
    ours = write(officer)
    officer.visit(f"{ours}/edit/related")
    own = {"related-0-uri": f"https://{here.host}{ours}", "related-0-kind": "similar"}
    page = officer.submit("/edit/related", **own, then="save")
    assert (page.status_code, "Enter the address of another project" in page.text) == (400, True)
    page = officer.submit("/edit/related", **own | {"related-0-uri": "bins"}, then="save")
    assert (page.status_code, "Enter a web address" in page.text) == (400, True)
    page = officer.submit(
        "/edit/related",
        **{"related-0-uri": "https://x.example/1", "related-0-kind": ""},
        then="save",
    )
    assert (page.status_code, "Select how the projects are related" in page.text) == (400, True)


def test_a_project_goes_on_in_one_of_another_node_and_its_followers_follow(nodes: Nodes) -> None:
    here, there = friends(nodes)
    theirs = write(there.visitor("officer"), title="Bin days")
    nodes.run_until_idle()
    officer = here.visitor("officer")
    ours = write(officer, title="Bins in one step")
    nodes.run_until_idle()
    fan = FakePeer.join(nodes, "mastodon.test", here)
    reader = fan.actor(type="Person")
    group = f"https://{here.host}{ours}/group"
    reader.send(reader.build_activity("Follow", group), here)
    keen = there.visitor("operator")
    keen.visit(copy_of(there, "Bins in one step"))
    keen.submit("follow")
    page = relate(officer, copy_of(here, "Bin days"), ours, "merged-into")
    assert (
        "This project will be continued by another project, once that project’s council agrees:"
    ) in page
    nodes.run_until_idle()
    for node in (here, there):
        assert "Bins in one step" in node.visitor().visit("/projects").text, "not yet"
    assert document(here, f"{ours}/group").get("movedTo") is None, "the other has not agreed"
    owner = there.visitor("officer")
    assert "Continues the work of" in owner.visit(theirs).text
    page = html.unescape(owner.submit("agree").text)
    assert "This project now continues the other one." in page
    nodes.run_until_idle()
    for node in (here, there):
        assert "Bins in one step" not in node.visitor().visit("/projects").text
    target = f"https://{there.host}{theirs}/group"
    assert group in document(there, f"{theirs}/group")["alsoKnownAs"]
    assert document(here, f"{ours}/group")["movedTo"] == target
    moves = fan.received_of_type("Move")
    assert [(one["object"], one["target"]) for one in moves] == [(group, target)]
    listed = keen.visit("/following").text
    assert "Bin days" in listed, "who follows it over there follows the other now"
    assert "Bins in one step" not in listed
    assert "This project is continued by:" in here.visitor().visit(ours).text, "its page stays"


def test_two_projects_of_one_council_become_one(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    officer = here.visitor("officer")
    first, second = write(officer, title="Bins"), write(officer, title="Bins again")
    relate(officer, second, first, "merged-into")
    assert "once this is agreed on that project’s page" in officer.visit(first).text
    officer.visit(second)
    officer.submit("agree")
    nodes.run_until_idle()
    moved = document(here, f"{first}/group")["movedTo"]
    assert moved == f"https://{here.host}{second}/group"
    with here.reading() as session:
        sent = session.scalars(select(OutboxActivity.body)).all()
    assert sum(json.loads(body)["type"] == "Move" for body in sent) == 1


def test_a_council_of_another_node_uses_an_output(nodes: Nodes) -> None:
    here, there = friends(nodes)
    owner = there.visitor("officer")
    theirs = write(owner, title="Bin days")
    fill(owner, theirs, "outputs")
    nodes.run_until_idle()
    officer = here.visitor("officer")
    officer.visit(copy_of(here, "Bin days"))
    officer.submit("adopt")
    assert "Your council has said that it reuses this." in officer.text
    nodes.run_until_idle()
    seen = there.visitor().visit(theirs).text
    assert "Reused by:" in seen
    assert "Aldermoor Council" in seen
    page = officer.visit(copy_of(here, "Bin days")).text
    assert "Aldermoor Council" in page
    assert "Reused by:" in page
    officer.submit("drop")
    nodes.run_until_idle()
    assert "Reused by:" not in there.visitor().visit(theirs).text
    assert "Reused by:" not in officer.visit(copy_of(here, "Bin days")).text


def test_those_who_write_a_project_name_councils_without_a_node(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    officer = here.visitor("officer")
    ours = write(officer)
    more = {"outputs-0-adopters": "Cragford Town Council, Dunmere Council"}
    officer.visit(f"{ours}/edit/outputs")
    page = officer.submit("/edit/outputs", **PARTS["outputs"] | more, then="save")
    assert "Cragford Town Council" in page.text
    assert "Dunmere Council" in page.text


def test_only_councils_name_only_themselves_and_not_over_and_over(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    officer = node.visitor("officer")
    ours = write(officer)
    fill(officer, ours, "outputs")
    with node.reading() as session:
        project = session.scalars(select(Project)).one()
        target = f"{project.uri}#output-{project.details.outputs[0].token}"
    person, council = peer.actor(type="Person"), peer.actor()

    def says(who: Any, kind: str, about: str, what: str = target) -> str:
        return send(nodes, who, who.build_activity(kind, about) | {"target": what}, node)

    assert says(person, "Add", person.uri) == "ignored"
    assert says(council, "Add", person.uri) == "ignored"
    assert says(council, "Add", council.uri, f"{project.uri}#output-none") == "ignored"
    assert says(council, "Add", council.uri, "https://elsewhere.test/1#output-1") == "ignored"
    assert "Reused by:" not in node.visitor().visit(ours).text
    assert says(council, "Add", council.uri) == "done"
    assert says(council, "Add", council.uri) == "ignored"
    assert says(council, "Remove", council.uri) == "done"
    assert says(council, "Add", council.uri) == "ignored", "not twice a day"
    assert "Reused by:" not in node.visitor().visit(ours).text


def state_of(node: TestNode) -> tuple[Any, ...]:
    with node.reading() as session:
        one = session.scalars(select(Project)).one()
        versions = session.scalars(select(ProjectVersion)).all()
        said = (one.details, one.version, one.revision, one.changed_at, one.confirmed_on)
        return (*said, one.freshness, one.archived_on, len(versions))


def test_must_43_what_others_say_of_a_project_never_changes_it(nodes: Nodes) -> None:
    node = nodes.start("aldermoor", federation="open")
    known, stranger = (
        FakePeer.join(nodes, "brackwell.test", node),
        FakePeer.join(nodes, "cold.test"),
    )
    officer = node.visitor("officer")
    ours = write(officer)
    fill(officer, ours, "outputs")
    with node.work() as work:
        project = work.session.scalars(select(Project)).one()
        project.freshness, project.confirmed_on = Freshness.stale, date(2024, 1, 1)
        target = f"{project.uri}#output-{project.details.outputs[0].token}"
    nodes.run_until_idle()
    before = state_of(node)

    def says(who: Any, kind: str) -> str:
        return send(nodes, who, who.build_activity(kind, who.uri) | {"target": target}, node)

    council, spam = known.actor(name="Brackwell"), stranger.actor(name="CLICK FREE", type="Service")
    assert says(council, "Add") == says(spam, "Add") == "done"
    uri = target.partition("#")[0]
    assert send(nodes, council, council.build_activity("Like", uri), node) == "done"
    assert send(nodes, spam, spam.build_activity("Announce", uri), node) == "done"
    shown = node.visitor().visit(ours).text
    assert ("Brackwell" in shown, "CLICK FREE" in shown) == (True, False)
    assert state_of(node) == before
    moderator = node.visitor("operator")
    assert "CLICK FREE" in moderator.visit("/moderation/comments").text
    moderator.submit("adoptions/2/show")
    assert "CLICK FREE" in node.visitor().visit(ours).text
    moderator.visit("/moderation/comments")
    moderator.submit("adoptions/2/hide")
    assert "CLICK FREE" not in node.visitor().visit(ours).text
    assert says(spam, "Add") == "ignored", "a moderator refused it"
    assert says(council, "Remove") == "done"
    assert "Brackwell" not in node.visitor().visit(ours).text
    crowd = [stranger.actor(name=f"Crowd {number}") for number in range(21)]
    ends = [says(one, "Add") for one in crowd]
    assert (ends.count("done"), ends[-1]) == (19, "ignored"), "so many a day of one server"
    assert state_of(node) == before


def test_must_43_strangers_say_nothing_of_what_is_for_peers(nodes: Nodes) -> None:
    node = nodes.start("aldermoor", federation="open")
    known, stranger = (
        FakePeer.join(nodes, "brackwell.test", node),
        FakePeer.join(nodes, "cold.test"),
    )
    officer = node.visitor("officer")
    ours = write(officer, visibility="peers")
    fill(officer, ours, "outputs")
    with node.reading() as session:
        project = session.scalars(select(Project)).one()
        target = f"{project.uri}#output-{project.details.outputs[0].token}"
    for who, end in ((stranger.actor(), "ignored"), (known.actor(), "done")):
        activity = who.build_activity("Add", who.uri) | {"target": target}
        assert send(nodes, who, activity, node) == end


def test_a_coordinator_says_that_projects_of_others_meet_the_same_need(nodes: Nodes) -> None:
    here, there = friends(nodes)
    owner = there.visitor("officer")
    first, second = write(owner, title="Bin days"), write(owner, title="Bins in one step")
    hidden = write(owner, title="Only for ourselves", visibility="peers")
    nodes.run_until_idle()
    coordinator = here.visitor("operator")
    page = copy_of(here, "Bin days")
    assert here.visitor("officer").visit(f"{page}/alike").status_code == 403
    coordinator.visit(f"{page}/alike")
    for address in (
        "",
        "http://[::1",
        "https://nobody.example/",
        page,
        f"https://{there.host}{hidden}",
    ):
        wrong = coordinator.submit("alike", address=address, kind="identical")
        assert (wrong.status_code, "Enter the address of" in wrong.text) == (400, True)
    other = f"https://{there.host}{second}"
    assert coordinator.submit("alike", address=other, kind="merged-into").status_code == 400
    coordinator.submit("alike", address=other, kind="identical")
    assert "The related project has been saved. Both councils will be notified." in coordinator.text
    assert "according to Olu Operator, Aldermoor Council" in coordinator.text
    nodes.run_until_idle()
    for address, named in ((first, "Bins in one step"), (second, "Bin days")):
        seen = there.visitor().visit(address).text.partition("Projects that meet the same need")[2]
        assert f">{named}</a> (Brackwell Council)" in seen
        assert "according to Aldermoor Council" in seen
        assert "Olu Operator" not in seen
    owner.visit(second)
    owner.submit("hide")
    assert "Projects that meet the same need" not in there.visitor().visit(first).text, (
        "it is hidden on both"
    )
    coordinator.visit(page)
    coordinator.submit("take-back")
    nodes.run_until_idle()
    with there.reading() as session:
        assert session.scalars(select(SameNeedStatement)).all() == []


def test_nobody_states_for_another_council(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    ours = f"https://{node.host}{write(node.visitor('officer'))}"
    council, another, person = peer.actor(), peer.actor(), peer.actor(type="Person")

    def states(who: Any, by: Any, about: str = ours, relation: str = "similar") -> str:
        told = {
            "id": peer.new_id("statements"),
            "type": "Relationship",
            "attributedTo": by.uri,
            "subject": about,
            "object": "https://elsewhere.test/projects/1",
            "relationship": f"https://moothall.org/ns#{relation}",
        }
        return send(nodes, who, who.build_activity("Create", told), node)

    def shown() -> bool:
        return "Projects that meet the same need" in node.visitor().visit(ours).text

    assert states(another, council) == "ignored"
    assert states(person, person) == "ignored"
    assert states(council, council, "https://elsewhere.test/projects/2") == "ignored"
    assert states(council, council, relation="merged-into") != "done"
    assert not shown()
    assert states(council, council) == "done"
    with node.reading() as session:
        uri = session.scalars(select(SameNeedStatement.uri)).one()
    send(nodes, another, another.build_activity("Delete", uri), node)
    assert shown(), "it is not theirs to take back"
    assert send(nodes, council, council.build_activity("Delete", uri), node) == "done"
    assert not shown()


def test_what_servers_that_nobody_allowed_by_name_state_is_not_believed(nodes: Nodes) -> None:
    """Whoever may speak with us may not speak on our pages: not the next time either."""
    node = nodes.start("aldermoor", federation="open")
    known, stranger = (
        FakePeer.join(nodes, "brackwell.test", node),
        FakePeer.join(nodes, "cold.test"),
    )
    ours = f"https://{node.host}{write(node.visitor('officer'))}"

    def states(by: FakeActor) -> str:
        told = {
            "id": by.peer.new_id("statements"),
            "type": "Relationship",
            "attributedTo": by.uri,
            "subject": ours,
            "object": "https://elsewhere.test/projects/1",
            "relationship": "https://moothall.org/ns#similar",
        }
        return send(nodes, by, by.build_activity("Create", told), node)

    def shown() -> str:
        return node.visitor().visit(ours).text.partition("Projects that meet the same need")[2]

    spam, council = stranger.actor(name="CLICK FREE"), known.actor(name="Brackwell")
    assert states(spam) == "ignored"
    assert shown() == ""
    assert states(council) == "done"
    assert "Brackwell" in shown()
    assert states(spam) == "ignored"
    assert "CLICK FREE" not in shown()
