"""No server has this node ask another one at will: errands to each are counted (must 35)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from node.db import now
from node.federating import handling
from node.federating.fetching import MOST_ERRANDS
from node.federating.models import InboxItem
from node.testing.nodes import Nodes, TestNode
from node.testing.peer import Peer, Signatory
from tests.refusals.test_belief import followed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MANY = MOST_ERRANDS + 5


class Sending(Peer):
    """Answers some questions by sending whoever asks on to another server."""

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        target = str(environ["REQUEST_URI"])
        if not target.startswith("/away/"):
            return super().__call__(environ, start_response)
        start_response("302 Found", [("Location", f"https://third.test{target}")])
        return [b""]


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def third(nodes: Nodes, node: TestNode) -> Peer:
    """Whose server others would have asked."""
    return Peer.join(nodes, "third.test", node)


def waiting(node: TestNode) -> int:
    with node.reading() as session:
        new = InboxItem.state == InboxItem.WAITING
        return session.scalar(select(func.count()).select_from(InboxItem).where(new)) or 0


def a_minute_passes(nodes: Nodes, node: TestNode) -> None:
    node.node.errands.forget()
    with node.work() as work:
        work.session.execute(update(InboxItem).values(due_at=now()))
        work.wake(handling.FETCHING_JOB)
    nodes.settle()


def name(nodes: Nodes, node: TestNode, sender: Signatory, kind: str, about: list[str]) -> None:
    for uri in about:
        assert sender.send(sender.says(kind, uri), node).status_code == 202
    nodes.settle()


def test_must_35_errands_to_a_third_server_have_an_end(
    nodes: Nodes, node: TestNode, third: Peer
) -> None:
    sender = followed(node, Peer.join(nodes, "brackwell.test", node))
    name(nodes, node, sender, "Create", [third.uri(f"/notes/{n}") for n in range(MANY)])
    assert len(third.fetched) == MOST_ERRANDS
    assert waiting(node) == MANY - MOST_ERRANDS
    # Others are heard meanwhile, and of its own things a server says as many as it likes.
    own = [sender.peer.uri(f"/notes/{n}") for n in range(MANY)]
    name(nodes, node, sender, "Create", own)
    assert len([path for path in sender.peer.fetched if "/notes/" in path]) == MANY
    # What had to wait is asked for later, and was not tried in vain.
    a_minute_passes(nodes, node)
    assert len(third.fetched) == MANY
    assert waiting(node) == 0


def test_must_35_several_servers_have_no_more_errands_than_one(
    nodes: Nodes, node: TestNode, third: Peer
) -> None:
    for host in ("brackwell.test", "coldmere.test"):
        sender = followed(node, Peer.join(nodes, host, node))
        name(nodes, node, sender, "Create", [third.uri(f"/notes/{n}") for n in range(MANY)])
    assert len(third.fetched) == MOST_ERRANDS


def test_must_35_nor_does_one_that_sends_us_on(nodes: Nodes, node: TestNode, third: Peer) -> None:
    sender = followed(node, Sending.join(nodes, "brackwell.test", node))
    name(nodes, node, sender, "Create", [sender.peer.uri(f"/away/{n}") for n in range(MANY)])
    assert len(third.fetched) == MOST_ERRANDS
