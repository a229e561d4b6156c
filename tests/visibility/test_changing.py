"""Who may read a project changes after it was published: what others are told, and what they have
then.
"""

from typing import Any

import pytest
from sqlalchemy import select

from node.access.visibility import Visibility
from node.federating.models import Delivery
from node.federating.outbound import delivery
from node.projects.models import ProjectState
from node.testing.fake_peer import ACTIVITY_JSON, FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.visibility.town import HTML, change, write

PUBLIC, PEERS, PRIVATE = Visibility.public, Visibility.peers, Visibility.private
NAME = "Missed bins"


@pytest.fixture
def here(nodes: Nodes) -> TestNode:
    """It speaks with everybody who is not blocked."""
    return nodes.start("aldermoor", federation="open")


@pytest.fixture
def there(nodes: Nodes, here: TestNode) -> TestNode:
    """A council that `here` allowed by name, and that follows it."""
    other = nodes.start("brackwell")
    here.allow(other)
    other.allow(here)
    follower = other.visitor("officer")
    follower.visit("/councils/follow")
    follower.submit("follow", address=here.address)
    nodes.run_until_idle()
    return other


@pytest.fixture
def stranger(nodes: Nodes, here: TestNode) -> FakeActor:
    """A follower that nobody allowed by name."""
    follower = FakePeer.join(nodes, "stranger.test").actor("stranger")
    follower.send(follower.build_activity("Follow", here.council_uri), here)
    nodes.run_until_idle()
    return follower


def told(who: FakeActor, token: str) -> list[str]:
    """What a follower was told of a project, in order."""
    return [
        document["type"]
        for _headers, document in who.peer.received
        if isinstance(document["object"], dict) and document["object"]["id"].endswith(token)
    ]


def shown(node: TestNode, role: str | None = None) -> bool:
    return NAME in node.visitor(role).visit("/projects").text


def document(node: TestNode, path: str) -> tuple[int, dict[str, Any]]:
    answer = node.app.test_client().get(path, headers={"Accept": ACTIVITY_JSON})
    return answer.status_code, answer.get_json(force=True)


def test_what_becomes_for_peers_is_deleted_everywhere_else(
    nodes: Nodes, here: TestNode, there: TestNode, stranger: FakeActor
) -> None:
    token = write(here, NAME, PUBLIC, ProjectState.published)
    nodes.run_until_idle()
    change(here, token, PEERS)
    nodes.run_until_idle()
    assert told(stranger, token) == ["Create", "Delete"]
    assert shown(there, "officer")
    assert not shown(there)
    change(here, token, PUBLIC)
    nodes.run_until_idle()
    assert told(stranger, token)[2:] == ["Create", "Update"]
    assert shown(there)


def test_what_becomes_private_goes_everywhere_and_can_come_back(
    nodes: Nodes, here: TestNode, there: TestNode, stranger: FakeActor
) -> None:
    token = write(here, NAME, PUBLIC, ProjectState.published)
    nodes.run_until_idle()
    change(here, token, PRIVATE)
    nodes.run_until_idle()
    assert told(stranger, token) == ["Create", "Delete"]
    assert not shown(there, "officer")
    assert document(here, f"/projects/{token}")[0] == 404
    change(here, token, PEERS)
    nodes.run_until_idle()
    assert told(stranger, token)[2:] == []
    assert shown(there, "officer")
    change(here, token, PUBLIC)
    nodes.run_until_idle()
    assert shown(there)


def test_what_is_private_is_told_to_nobody(
    nodes: Nodes, here: TestNode, there: TestNode, stranger: FakeActor
) -> None:
    token = write(here, NAME, PRIVATE, ProjectState.published)
    change(here, token, PRIVATE)
    nodes.run_until_idle()
    assert told(stranger, token) == []
    assert not shown(there, "officer")
    assert shown(here, "officer")


def test_what_waits_to_be_sent_is_not_when_it_becomes_private(
    nodes: Nodes, here: TestNode, stranger: FakeActor
) -> None:
    stranger.peer.response_status = 503
    token = write(here, NAME, PUBLIC, ProjectState.published)
    here.node.jobs.run_pending()
    assert NAME in str(stranger.peer.received)
    stranger.peer.received.clear()
    change(here, token, PRIVATE)
    stranger.peer.response_status = 202
    with here.work() as work:
        for row in work.session.scalars(select(Delivery).where(Delivery.state == "pending")):
            delivery.retry(work, row.id)
    nodes.run_until_idle()
    assert told(stranger, token) == ["Delete"]
    assert NAME not in str(stranger.peer.received)


@pytest.mark.parametrize("visibility", Visibility)
def test_must_31_a_deleted_project_is_gone_for_those_who_could_see_it(
    visibility: Visibility, here: TestNode
) -> None:
    token = write(here, NAME, visibility, ProjectState.deleted)
    path = f"/projects/{token}"
    status, said = document(here, path)
    if visibility is PUBLIC:
        assert (status, said["type"], said["formerType"]) == (410, "Tombstone", "Article")
    else:
        assert status == 404
    client = here.visitor("officer").client
    assert client.get(path, headers={"Accept": HTML}).status_code == 410
    stranger = here.app.test_client().get(path, headers={"Accept": HTML})
    assert stranger.status_code == (410 if visibility is PUBLIC else 404)


def test_a_draft_that_was_deleted_was_never_there(here: TestNode) -> None:
    token = write(here, NAME, PUBLIC, ProjectState.draft)
    visitor = here.visitor("officer")
    visitor.visit(f"/projects/{token}/delete")
    visitor.submit("delete")
    assert document(here, f"/projects/{token}")[0] == 404
