"""No server has this node ask another one at will: errands to each are counted (must 35)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from node.database.tables import now
from node.federating.inbound import inbox_processor
from node.federating.models import InboxItem
from node.federating.peers.fetching import MAX_THIRD_PARTY_FETCHES_PER_HOST
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.refusals.test_belief import followed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MANY = MAX_THIRD_PARTY_FETCHES_PER_HOST + 5


class Sending(FakePeer):
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
def third(nodes: Nodes, node: TestNode) -> FakePeer:
    """Whose server others would have asked."""
    return FakePeer.join(nodes, "third.test", node)


def waiting(node: TestNode) -> int:
    with node.reading() as session:
        new = InboxItem.state == InboxItem.WAITING_STATE
        return session.scalar(select(func.count()).select_from(InboxItem).where(new)) or 0


def a_minute_passes(nodes: Nodes, node: TestNode) -> None:
    node.node.third_party_fetch_limiter.reset()
    with node.work() as work:
        work.session.execute(update(InboxItem).values(due_at=now()))
        work.wake(inbox_processor.FETCHING_JOB)
    nodes.run_until_idle()


def name(nodes: Nodes, node: TestNode, sender: FakeActor, kind: str, about: list[str]) -> None:
    for uri in about:
        assert sender.send(sender.build_activity(kind, uri), node).status_code == 202
    nodes.run_until_idle()


def test_must_35_errands_to_a_third_server_have_an_end(
    nodes: Nodes, node: TestNode, third: FakePeer
) -> None:
    sender = followed(node, FakePeer.join(nodes, "brackwell.test", node))
    name(nodes, node, sender, "Create", [third.uri(f"/notes/{n}") for n in range(MANY)])
    assert len(third.fetched) == MAX_THIRD_PARTY_FETCHES_PER_HOST
    assert waiting(node) == MANY - MAX_THIRD_PARTY_FETCHES_PER_HOST
    # Others are heard meanwhile, and of its own things a server says as many as it likes.
    own = [sender.peer.uri(f"/notes/{n}") for n in range(MANY)]
    name(nodes, node, sender, "Create", own)
    assert len([path for path in sender.peer.fetched if "/notes/" in path]) == MANY
    # What had to wait is asked for later, and was not tried in vain.
    a_minute_passes(nodes, node)
    assert len(third.fetched) == MANY
    assert waiting(node) == 0


def test_must_35_several_servers_have_no_more_errands_than_one(
    nodes: Nodes, node: TestNode, third: FakePeer
) -> None:
    for host in ("brackwell.test", "coldmere.test"):
        sender = followed(node, FakePeer.join(nodes, host, node))
        name(nodes, node, sender, "Create", [third.uri(f"/notes/{n}") for n in range(MANY)])
    assert len(third.fetched) == MAX_THIRD_PARTY_FETCHES_PER_HOST


def test_must_35_nor_does_one_that_sends_us_on(
    nodes: Nodes, node: TestNode, third: FakePeer
) -> None:
    sender = followed(node, Sending.join(nodes, "brackwell.test", node))
    name(nodes, node, sender, "Create", [sender.peer.uri(f"/away/{n}") for n in range(MANY)])
    assert len(third.fetched) == MAX_THIRD_PARTY_FETCHES_PER_HOST
