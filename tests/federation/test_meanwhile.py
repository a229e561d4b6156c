"""What happens to a council while somebody is reading it or adding it up is not lost."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, event, select

from node.federating.models import Actor
from node.federating.sync import backfill
from node.projects.models import DigestBucket
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.converging import change, publish
from tests.federation.test_backfill import (
    article,
    council_of,
    follow,
    serve_pages,
    state,
    titles,
)
from tests.federation.test_convergence import digest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@contextmanager
def once_read(one: TestNode, meanwhile: Callable[[], None]) -> Iterator[None]:
    """Once the projects and updates were read that a digest is made of, and before it is kept,
    somebody else does something.
    """
    todo = [meanwhile]

    def act(*told: Any) -> None:
        statement = told[2]
        if todo and "UNION ALL" in statement:
            other = Thread(target=todo.pop())
            other.start()
            other.join()

    event.listen(one.node.engine, "after_cursor_execute", act)
    yield
    event.remove(one.node.engine, "after_cursor_execute", act)
    assert not todo


def test_what_changes_while_a_digest_is_made_is_in_the_next_one(nodes: Nodes) -> None:
    """What was added up before the change is never kept as if it were of after it."""
    here = nodes.start("aldermoor")
    publish(here, "Bins", "Potholes")
    digest(here)
    change(here, "Bins", "Bins in one step")
    with once_read(here, lambda: change(here, "Bins in one step", "Bins in two steps")):
        digest(here)
    with once_read(here, lambda: change(here, "Potholes", "Potholes", visibility="private")):
        digest(here)
    found = digest(here)
    with here.work() as work:
        work.session.execute(delete(DigestBucket))
    assert digest(here) == found, "as if it were made from nothing"


def test_a_page_of_a_reading_that_was_begun_again_is_not_stored(nodes: Nodes) -> None:
    """An operator has a council read from the beginning while it is being read: it is."""
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender, addresses = council_of(peer, 4)
    serve_pages(peer, addresses, *([article(sender, f"Bins {number}")] for number in range(4)))
    paths = [address.removeprefix(peer.uri("")) for address in addresses]

    def begin_again() -> None:
        with node.work() as work:
            actor = work.session.scalars(select(Actor).where(Actor.uri == sender.uri)).one()
            backfill.start_by_operator(work, actor)

    def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["REQUEST_URI"] == paths[2] and paths[2] not in peer.fetched:
            other = Thread(target=begin_again)
            other.start()
            other.join()
        return peer(environ, start_response)

    nodes.apps[peer.host] = serve
    follow(nodes, node, sender)
    assert state(node) == ("done", 4, 4), "each page once since it was begun"
    assert peer.fetched.count(paths[0]) == 2
    assert titles(node) == {f"Bins {number}" for number in range(4)}
