"""Updates of projects: written, sent, changed, deleted; and what is believed of those of others."""

from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import select

from federation.addressing import PUBLIC_COLLECTION
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from node.updates.models import Update
from tests.federation.talking import AS2, copy_of, note, read, say
from tests.federation.test_following import follows
from tests.federation.test_main_job import follow, publish

TITLE = "Bins in one step"
ATOM, LANGUAGE = "{http://www.w3.org/2005/Atom}", "{http://www.w3.org/XML/1998/namespace}lang"
ENTRY = f"{ATOM}entry"


def written(officer: Visitor, project: str, **said: str) -> str:
    """Write an update; returns its path."""
    officer.visit(f"{project}/updates/new")
    page = officer.submit("updates/new", **said)
    assert "The update has been published." in page.text
    return newest(page.text)


def newest(page: str) -> str:
    """The path of the first update on a page."""
    return "/updates/" + page.partition('id="update-')[2].partition('"')[0]


def test_an_update_arrives_is_changed_and_goes(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    project = publish(here, TITLE)
    nodes.run_until_idle()
    officer, reader = here.visitor("officer"), there.visitor()
    path = written(officer, project, changed="We *tried* it.", needs="A tester")
    nodes.run_until_idle()
    address = copy_of(there, TITLE)
    page = reader.visit(address).text
    assert "<h3>What changed</h3>\n<p>We <em>tried</em> it.</p>" in page
    assert "<h3>What we need</h3>\n<p>A tester</p>" in page
    assert "What is next" not in page
    assert f'href="{here.node.settings.base_url}{path}"' in page
    update = page.partition('<article class="moothall-entry"')[2].partition("</article>")[0]
    assert TITLE not in update
    assert "Aldermoor Council" in update
    assert "aldermoor.test" in update.replace("<wbr>", "")

    officer.visit(f"{path}/edit")
    officer.submit("edit", changed="We dropped it.")
    assert "Your changes have been published." in officer.text
    nodes.run_until_idle()
    assert "We dropped it." in reader.visit(address).text
    assert "tried" not in reader.text

    officer.visit(f"{path}/delete")
    officer.submit("delete")
    nodes.run_until_idle()
    assert "We dropped it." not in reader.visit(address).text
    gone = here.app.test_client().get(path, headers=AS2)
    assert (gone.status_code, gone.get_json()["type"]) == (410, "Tombstone")
    assert officer.visit(path).status_code == 410


def test_an_update_says_what_it_belongs_to_and_is_no_reply(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    project = publish(node, "Bins & <boxes>")
    path = written(node.visitor("officer"), project, next="A trial")
    base = node.node.settings.base_url
    found = read(node, path)
    assert (found["id"], found["type"]) == (f"{base}{path}", "Note")
    assert found["attributedTo"] == node.council_uri
    assert found["project"] == f"{base}{project}"
    assert found["context"] == f"{base}{project}/context"
    assert found["audience"] == f"{base}{project}/group"
    assert "inReplyTo" not in found
    assert (found["to"], found["cc"]) == ([PUBLIC_COLLECTION], [f"{node.council_uri}/followers"])
    assert found["content"].startswith(
        f'<p><a href="{base}{project}">Bins &amp; &lt;boxes&gt;</a></p>\n<h3>What is next</h3>'
    )


def test_a_welsh_update_of_an_earlier_version_is_shown_below_welsh_headings(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    project = publish(node, "Biniau", language="cy")
    path = written(node.visitor("officer"), project, changed="Tri.", next="Pedwar.", needs="Help.")
    with node.work() as work:
        update = work.session.scalars(select(Update)).one()
        update.content = (
            "<h3>What changed</h3>\n<p>Tri.</p><h3>What is next</h3>\n<p>Pedwar.</p>"
            "<h3>What we need</h3>\n<p>Help.</p>"
        )
    for place in (project, path, f"{project}/updates", "/highlights"):
        page = node.visitor().visit(f"{place}?lang=cy").text
        for heading in ("Beth newidiodd", "Beth sydd nesaf", "Beth sydd ei angen arnom"):
            assert f"<h3>{heading}</h3>" in page, place
        for heading in ("What changed", "What is next", "What we need"):
            assert f"<h3>{heading}</h3>" not in page, place


def test_a_welsh_update_has_welsh_headings_here_in_feeds_and_elsewhere(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    officer = here.visitor("officer")
    project = publish(here, "Biniau", language="cy")
    path = written(officer, project, changed="Daeth *tri*.", next="Pedwar", needs="Help")
    nodes.run_until_idle()
    parts = (
        "<h3>Beth newidiodd</h3>\n<p>Daeth <em>tri</em>.</p>",
        "<h3>Beth sydd nesaf</h3>\n<p>Pedwar</p>",
        "<h3>Beth sydd ei angen arnom</h3>\n<p>Help</p>",
    )
    document = read(here, path)
    assert document["contentMap"] == {"cy": document["content"]}
    english = there.visitor().visit(copy_of(there, "Biniau")).text
    report = here.visitor().visit("/highlights?lang=cy").text
    for part in parts:
        assert part in document["content"]
        assert part in english.partition('<div class="prose" lang="cy" dir="auto">')[2]
        assert part in report.partition('<div class="prose" lang="cy" dir="auto">')[2]
    assert "What changed" not in report
    feed = here.visitor().visit("/updates.atom").data
    (entry,) = ET.fromstring(feed).iter(ENTRY)
    content = entry.find(f"{ATOM}content")
    assert content is not None
    assert content.text is not None
    assert content.text.startswith(parts[0])
    assert entry.get(LANGUAGE) == "cy"

    officer.visit(f"{path}/edit")
    officer.submit("edit", changed="Daeth pump.")
    assert "<h3>Beth newidiodd</h3>\n<p>Daeth pump.</p>" in read(here, path)["content"]


def test_a_wrong_update_is_not_saved_and_stays_typed(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    project, officer = publish(node, TITLE), node.visitor("officer")
    officer.visit(f"{project}/updates/new")
    assert officer.submit("updates/new", changed="  ").status_code == 400
    assert "Enter what changed, what is next or what you need" in officer.text
    page = officer.submit("updates/new", changed="x" * 10_001, needs="Help")
    assert page.status_code == 400
    assert "You have used 10,001" in page.text
    assert officer.form("updates/new").values["needs"].strip() == "Help"
    assert "Updates</h2>" not in node.visitor().visit(project).text


def test_two_who_change_an_update_at_once_find_out(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    officer, operator = node.visitor("officer"), node.visitor("operator")
    path = written(officer, publish(node, TITLE), changed="One")
    officer.visit(f"{path}/edit")
    operator.visit(f"{path}/edit")
    operator.submit("edit", changed="Of the operator")
    page = officer.submit("edit", changed="Of the officer")
    assert page.status_code == 409
    assert "Of the operator" in page.text
    assert officer.form("edit").values["changed"].strip() == "Of the officer"
    officer.submit("edit")
    assert "Of the officer" in officer.visit(path).text


def test_who_may_write_updates(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    project = publish(here, TITLE)
    path = written(here.visitor("officer"), project, changed="One")
    nodes.run_until_idle()
    copy, other = copy_of(there, TITLE), there.visitor("officer")
    assert "Write an update" not in other.visit(copy).text
    assert other.visit(f"{copy}/updates/new").status_code == 403
    theirs = newest(other.visit(copy).text)
    assert other.visit(f"{theirs}/edit").status_code == 403
    assert other.visit(f"{theirs}/delete").status_code == 403
    stranger = here.visitor()
    assert "Sign in" in stranger.visit(f"{path}/edit").text
    document = there.app.test_client().get(theirs, headers=AS2)
    assert (document.status_code, document.location) == (
        302,
        f"{here.node.settings.base_url}{path}",
    )


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "brackwell.test", node)


def followed_project(nodes: Nodes, node: TestNode, council: FakeActor) -> str:
    """A project of a council elsewhere that ours follows; returns its id."""
    officer = node.visitor("officer")
    officer.visit("/councils/follow")
    officer.submit("follow", address=council.uri)
    nodes.run_until_idle()
    (asked,) = council.peer.received_of_type("Follow")
    say(nodes, council, node, "Accept", asked["id"])
    uri = council.peer.new_id("projects")
    article = {
        "id": uri,
        "type": "Article",
        "name": "Trees",
        "attributedTo": council.uri,
        "to": [PUBLIC_COLLECTION],
        "phase": "alpha",
        "plainSummary": "More trees.",
        "visibility": "public",
        "published": "2026-11-01T10:00:00Z",
    }
    say(nodes, council, node, "Create", article)
    return uri


def test_an_update_is_believed_of_its_own_council_alone(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    council, neighbour = peer.actor("trees"), peer.actor("others")
    uri = followed_project(nodes, node, council)
    for author in (council, neighbour):
        about = note(author, uri, f"<p>By {author.uri[-6:]}</p>", project=uri, inReplyTo=None)
        say(nodes, author, node, "Create", about)
    page = node.visitor().visit(copy_of(node, "Trees")).text
    assert "By /trees" in page
    assert "others" not in page


def test_must_23_an_update_deleted_before_it_comes_is_not_shown(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    council = peer.actor("trees")
    uri = followed_project(nodes, node, council)
    about = note(council, uri, "<p>Too late</p>", project=uri, inReplyTo=None)
    say(nodes, council, node, "Delete", about["id"])
    say(nodes, council, node, "Create", about)
    assert "Too late" not in node.visitor().visit(copy_of(node, "Trees")).text


def test_must_33_an_update_of_another_council_is_sanitised(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    council = peer.actor("trees")
    uri = followed_project(nodes, node, council)
    text = '<p onclick="x()">Fine<script>alert(1)</script></p><img src="https://a.test/b">'
    say(nodes, council, node, "Create", note(council, uri, text, project=uri, inReplyTo=None))
    page = node.visitor().visit(copy_of(node, "Trees")).text
    assert "<p>Fine</p>" in page
    assert "alert(1)" not in page
    assert "onclick" not in page


def test_a_server_that_follows_gets_an_update_once(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    for _ in range(2):
        follows(nodes, peer.actor(), node)
    project = publish(node, TITLE)
    written(node.visitor("officer"), project, changed="One")
    nodes.run_until_idle()
    assert [found["object"]["type"] for found in peer.received_of_type("Create")] == [
        "Article",
        "Note",
    ]
    assert peer.received_of_type("Announce") == []


def test_updates_stand_newest_first_on_pages(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    project, officer = publish(node, TITLE), node.visitor("officer")
    for number in range(12):
        written(officer, project, changed=f"Number {number:02}.")
    reader = node.visitor()
    page = reader.visit(project).text
    assert page.index("Number 11.") < page.index("Number 02.")
    assert "Number 01." not in page
    assert "See all 12 updates" in page
    assert "Number 01." in reader.visit(f"{project}/updates?page=2").text
    assert reader.visit(f"{project}/updates?page=99").status_code == 200
    assert reader.visit("/projects/none/updates").status_code == 404
    assert reader.visit("/updates/none").status_code == 404
