"""Reading what a council had before it was followed: page by page, whatever goes wrong."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from federation.vocabulary import Article, Collection, CollectionPage, Note, ProjectDetails
from node.database.tables import now
from node.federating.models import Backfill
from node.projects import service as projects
from node.projects.models import Project
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from node.updates.models import Update
from tests.federation import test_main_job
from tests.federation.converging import count_requests, held, held_updates, publish, said, tell
from tests.federation.talking import copy_of


def article(sender: FakeActor, title: str) -> dict[str, Any]:
    return Article(
        id=sender.peer.new_id("projects"),
        name=title,
        content="<p>It is needed.</p>",
        attributed_to=sender.uri,
        project=ProjectDetails(summary="A short sentence.", phase="alpha"),
    ).dump()


def update_of(sender: FakeActor, project: dict[str, Any], text: str) -> dict[str, Any]:
    return Note(
        id=sender.peer.new_id("updates"),
        content=f"<p>{text}</p>",
        attributed_to=sender.uri,
        project=project["id"],
        revision="one",
    ).dump()


def council_of(peer: FakePeer, pages: int) -> tuple[FakeActor, list[str]]:
    """A council whose projects stand on so many pages, and the addresses of these."""
    uri = peer.new_id("collections")
    addresses = [f"{uri}?page={number}" for number in range(pages)]
    peer.serve(uri, Collection(id=uri, total_items=pages, first=addresses[0]).dump())
    return peer.actor(projects=uri), addresses


def serve_pages(peer: FakePeer, addresses: list[str], *pages: list[Any]) -> None:
    for address, items, following in zip(addresses, pages, [*addresses[1:], None], strict=True):
        part_of = address.partition("?")[0]
        page = CollectionPage(id=address, part_of=part_of, items=tuple(items), next=following)
        peer.serve(address, page.dump())


def follow(nodes: Nodes, node: TestNode, sender: FakeActor) -> None:
    """The node's council follows by the address of the actor, and is accepted."""
    officer = node.visitor("officer")
    officer.visit("/councils/follow")
    assert "Your council has asked to follow" in officer.submit("follow", address=sender.uri).text
    nodes.run_until_idle()
    asked = sender.peer.received_of_type("Follow")[-1]
    assert sender.send(sender.build_activity("Accept", asked), node).status_code == 202
    nodes.run_until_idle()


def titles(node: TestNode) -> set[str]:
    with node.reading() as session:
        found = projects.list_page(session, projects.ProjectFilter())
        return {project.title for project in found.rows}


def state(node: TestNode) -> tuple[str, int, int | None]:
    with node.reading() as session:
        row = session.scalars(select(Backfill)).one()
        return row.state, row.read, row.total


def make_due(node: TestNode) -> None:
    """As if the time until the next try had passed."""
    with node.work() as work:
        work.session.scalars(select(Backfill)).one().due_at = now()
        work.wake(Backfill.JOB)


def test_pages_are_read_to_the_end(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender, addresses = council_of(peer, 3)
    serve_pages(peer, addresses, *([article(sender, f"Bins {number}")] for number in range(3)))
    follow(nodes, node, sender)
    assert state(node) == ("done", 3, 3)
    assert titles(node) == {"Bins 0", "Bins 1", "Bins 2"}


def test_reading_goes_on_at_the_page_that_failed(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender, addresses = council_of(peer, 2)
    first, second = [article(sender, "Bins")], [article(sender, "Potholes")]
    serve_pages(peer, addresses, first, second)
    path = addresses[1].removeprefix(f"https://{peer.host}")
    good = peer.documents[path]
    peer.serve(addresses[1], {}, 503)
    follow(nodes, node, sender)
    assert titles(node) == {"Bins"}
    assert state(node)[:2] == ("running", 1)

    peer.documents[path] = good
    peer.fetched.clear()
    make_due(node)
    nodes.run_until_idle()
    pages = [target for target in peer.fetched if "page=" in target]
    assert pages == [path], "what was read is not read again"
    assert titles(node) == {"Bins", "Potholes"}
    assert state(node)[:2] == ("done", 2)


def test_one_bad_item_costs_only_itself(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender, addresses = council_of(peer, 1)
    neighbour = peer.actor()
    bad: list[Any] = [
        None,
        7,
        "https://brackwell.test/projects/x",
        {},
        {"id": 7, "type": "Article"},
        article(sender, "Of no phase") | {"https://example.test/x": 1, "phase": "No word"},
        article(neighbour, "Of a neighbour"),
        article(sender, "Of another host") | {"id": "https://cragford.test/projects/1"},
        article(sender, "Too long") | {"content": "a" * 300_000},
        {"id": peer.new_id("notes"), "type": "Note", "content": "A note."},
    ]
    good = [article(sender, "Bins"), article(sender, "Potholes")]
    serve_pages(peer, addresses, [good[0], *bad, good[1]])
    follow(nodes, node, sender)
    assert titles(node) == {"Bins", "Potholes"}
    assert state(node)[0] == "done"


def test_a_collection_that_leads_nowhere_ends(nodes: Nodes) -> None:
    """Pages that lead to themselves or to another server are not followed for ever."""
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender, addresses = council_of(peer, 1)
    page = CollectionPage(id=addresses[0], part_of=addresses[0], items=(), next=addresses[0])
    peer.serve(addresses[0], page.dump())
    follow(nodes, node, sender)
    asked = peer.fetched.count(addresses[0].removeprefix(f"https://{peer.host}"))
    assert asked <= 3
    assert state(node)[0] != "done"


class Endless(FakePeer):
    """A council's pages that never end: each names the next, with so many items."""

    circle = 0
    items: tuple[Any, ...] = ()
    total: int | None = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        path, _, number = str(environ["REQUEST_URI"]).partition("?page=")
        if number:
            following = (int(number) + 1) % (self.circle or 10_000)
            uri = self.uri(path)
            address = f"{uri}?page={number}"
            page = CollectionPage(
                id=address,
                part_of=uri,
                items=self.items,
                total_items=self.total,
                next=f"{uri}?page={following}",
            )
            self.serve(address, page.dump())
        return super().__call__(environ, start_response)


@pytest.mark.parametrize(
    "circle, items, total, most, words",
    [
        (2, 1, None, 8, "its pages form a cycle"),
        (7, 0, None, 30, "cycle"),
        (0, 0, None, 30, "its pages are empty"),
        (0, 100, 5, 20, "it has more than the 5 documents that it says it has"),
    ],
)
def test_must_35_pages_of_a_council_that_never_end_are_left(
    circle: int, items: int, total: int | None, most: int, words: str, nodes: Nodes
) -> None:
    node = nodes.start("aldermoor")
    peer = Endless.join(nodes, "brackwell.test", node)
    sender, _ = council_of(peer, 1)
    peer.circle, peer.total = circle, total
    peer.items = tuple({"type": "None"} for _ in range(items))
    follow(nodes, node, sender)
    assert len([target for target in peer.fetched if "?page=" in target]) <= most
    with node.reading() as session:
        row = session.scalars(select(Backfill)).one()
        assert (row.state, words in row.outcome) == ("failed", True)
    assert row.outcome in node.visitor("operator").visit("/operator/reading").text


def test_who_follows_late_reads_updates_too(nodes: Nodes) -> None:
    here, there = nodes.pair()
    publish(here, "Bins", "Potholes")
    publish(here, "Libraries", visibility="peers")
    publish(here, "Secret", visibility="private")
    for title in ("Bins", "Libraries", "Secret"):
        tell(here, title, f"{title} 1", f"{title} 2")
    nodes.run_until_idle()
    asked = count_requests(nodes, here)
    test_main_job.follow(nodes, there, here)
    assert said(there, here) == {"Bins 1", "Bins 2", "Libraries 1", "Libraries 2"}
    assert held(there, here) == held(here, here)
    assert held_updates(there, here) == held_updates(here, here)
    assert state(there) == ("done", 7, 7)
    of_projects = [one for one in asked if "/projects" in one and "digest" not in one]
    conversations = [one for one in of_projects if re.search("/conversations|/context", one)]
    assert len(of_projects) - len(conversations) == 2
    assert len(conversations) == 2, "a list says that nothing was said of any"


def test_a_page_that_is_full_goes_on_with_the_next_update(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.sync.views.MAX_PAGE_ITEMS", 50)
    monkeypatch.setattr("node.updates.service.MAX_PER_PROJECT", 100)
    here, there = nodes.pair()
    publish(here, "Bins", "Potholes")
    with here.work() as work:
        project = work.session.scalars(select(Project).where(Project.title == "Bins")).one()
        base, author = here.node.settings.base_url, project.council.actor
        for number in range(110):
            uri = f"{base}/updates/{number}"
            text = f"<p>Number {number}</p>"
            row = Update(uri=uri, url=uri, project=project, author=author, content=text)
            work.session.add(row)
    asked = count_requests(nodes, here)
    test_main_job.follow(nodes, there, here)
    pages = [one for one in asked if "/projects?" in one]
    assert [one.partition("?")[2].partition("=")[0] for one in pages] == ["after", *["update"] * 2]
    assert state(there) == ("done", 112, 112)
    assert len(held_updates(there, here)) == 100, "of one project no more are kept"


def test_a_page_may_have_updates_of_all_kinds(nodes: Nodes) -> None:
    """Before their project, of no project, of somebody else's: each for itself."""
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender, addresses = council_of(peer, 1)
    neighbour = peer.actor()
    bins, theirs = article(sender, "Bins"), article(neighbour, "Of a neighbour")
    good = update_of(sender, bins, "Created")
    bad = [
        update_of(neighbour, bins, "By a neighbour"),
        update_of(sender, theirs, "Of a neighbour's"),
        update_of(sender, {"id": 7}, "Of nothing"),
        update_of(sender, bins, "a" * 70_000),
        update_of(sender, bins, "Elsewhere") | {"id": "https://cragford.test/updates/1"},
        update_of(sender, bins, "No revision") | {"revision": {}},
    ]
    serve_pages(peer, addresses, [good, *bad, bins, good])
    follow(nodes, node, sender)
    assert state(node)[0] == "done"
    page = node.visitor().visit(copy_of(node, "Bins")).text
    assert "Created" in page
    assert "No revision" in page
    for other in ("By a neighbour", "Of a neighbour", "Of nothing", "Elsewhere"):
        assert other not in page


def answer(nodes: Nodes, node: TestNode, sender: FakeActor, kind: str) -> None:
    """The council answers a Follow of ours once more."""
    asked = sender.peer.received_of_type("Follow")[-1]
    assert sender.send(sender.build_activity(kind, asked), node).status_code == 202
    nodes.run_until_idle()


def test_who_accepts_over_and_over_is_read_once(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender, addresses = council_of(peer, 1)
    serve_pages(peer, addresses, [article(sender, "First")])
    follow(nodes, node, sender)
    pages = len(peer.fetched)
    for kind in ("Accept", "Reject", "Accept", "Reject", "Accept"):
        answer(nodes, node, sender, kind)
    with node.reading() as session:
        assert session.scalars(select(Backfill.state)).one() == "done"
    assert [path for path in peer.fetched[pages:] if "collections" in path] == []
    assert titles(node) == {"First"}


def test_an_accept_does_not_begin_again_what_is_being_read(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender, addresses = council_of(peer, 2)
    serve_pages(peer, addresses, [article(sender, "First")], [article(sender, "Second")])
    second = addresses[1].removeprefix("https://brackwell.test")
    whole = peer.documents.pop(second)
    peer.documents[second] = (503, {})
    follow(nodes, node, sender)
    peer.documents[second] = whole
    # Our own people ask once more, too.
    follow(nodes, node, sender)
    answer(nodes, node, sender, "Accept")
    with node.work() as work:
        row = work.session.scalars(select(Backfill)).one()
        assert (row.state, row.next_page, row.pages) == ("running", addresses[1], 2)
        row.due_at = now()
    node.node.jobs.wake(Backfill.JOB)
    nodes.run_until_idle()
    assert titles(node) == {"First", "Second"}
    first = addresses[0].removeprefix("https://brackwell.test")
    assert peer.fetched.count(first) == 1
