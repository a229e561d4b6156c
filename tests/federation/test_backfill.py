"""Reading what a council had before it was followed: page by page, whatever goes wrong."""

from typing import Any

from sqlalchemy import select

from federation.vocabulary import Article, Collection, CollectionPage, ProjectDetails
from node.db import now
from node.federating.models import Backfill
from node.projects import service as projects
from node.testing.nodes import Nodes, TestNode
from node.testing.peer import Peer, Signatory


def article(sender: Signatory, title: str) -> dict[str, Any]:
    return Article(
        id=sender.peer.new_id("projects"),
        name=title,
        content="<p>It is needed.</p>",
        attributed_to=sender.uri,
        project=ProjectDetails(summary="A short sentence.", phase="alpha"),
    ).dump()


def council_of(peer: Peer, pages: int) -> tuple[Signatory, list[str]]:
    """A council whose projects stand on so many pages, and the addresses of these."""
    uri = peer.new_id("collections")
    addresses = [f"{uri}?page={number}" for number in range(pages)]
    peer.serve(uri, Collection(id=uri, total_items=pages, first=addresses[0]).dump())
    return peer.actor(projects=uri), addresses


def serve_pages(peer: Peer, addresses: list[str], *pages: list[Any]) -> None:
    for address, items, following in zip(addresses, pages, [*addresses[1:], None], strict=True):
        part_of = address.partition("?")[0]
        page = CollectionPage(id=address, part_of=part_of, items=tuple(items), next=following)
        peer.serve(address, page.dump())


def follow(nodes: Nodes, node: TestNode, sender: Signatory) -> None:
    """The node's council follows by the address of the actor, and is accepted."""
    officer = node.visitor("officer")
    officer.visit("/councils/follow")
    assert "We have asked to follow" in officer.submit("follow", address=sender.uri).text
    nodes.settle()
    asked = sender.peer.heard("Follow")[-1]
    assert sender.send(sender.says("Accept", asked), node).status_code == 202
    nodes.settle()


def titles(node: TestNode) -> set[str]:
    with node.reading() as session:
        found = projects.listed(session, projects.Filter(origin="others"))
        return {project.title for project in found.projects}


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
    peer = Peer.join(nodes, "brackwell.test", node)
    sender, addresses = council_of(peer, 3)
    serve_pages(peer, addresses, *([article(sender, f"Bins {number}")] for number in range(3)))
    follow(nodes, node, sender)
    assert state(node) == ("done", 3, 3)
    assert titles(node) == {"Bins 0", "Bins 1", "Bins 2"}


def test_reading_goes_on_at_the_page_that_failed(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = Peer.join(nodes, "brackwell.test", node)
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
    nodes.settle()
    pages = [target for target in peer.fetched if "page=" in target]
    assert pages == [path], "what was read is not read again"
    assert titles(node) == {"Bins", "Potholes"}
    assert state(node)[:2] == ("done", 2)


def test_one_bad_item_costs_only_itself(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = Peer.join(nodes, "brackwell.test", node)
    sender, addresses = council_of(peer, 1)
    neighbour = peer.actor()
    bad: list[Any] = [
        None,
        7,
        "https://brackwell.test/projects/x",
        {},
        {"id": 7, "type": "Article"},
        article(sender, "Of no phase") | {"https://example.test/x": 1, "phase": "unheard-of"},
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
    peer = Peer.join(nodes, "brackwell.test", node)
    sender, addresses = council_of(peer, 1)
    page = CollectionPage(id=addresses[0], part_of=addresses[0], items=(), next=addresses[0])
    peer.serve(addresses[0], page.dump())
    follow(nodes, node, sender)
    asked = peer.fetched.count(addresses[0].removeprefix(f"https://{peer.host}"))
    assert asked <= 3
    assert state(node)[0] != "done"
