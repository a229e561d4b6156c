"""Who finds the actor of a project by its name (must 1, must 30)."""

import pytest
from sqlalchemy import select

from node.access.visibility import Visibility
from node.federating.models import Actor
from node.federating.peers import fetching
from node.federating.peers import service as peers
from node.projects.models import ProjectState
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.visibility.town import change, signed_get, write

PUBLIC, PEERS, PRIVATE = Visibility.public, Visibility.peers, Visibility.private


@pytest.fixture
def here(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


def name_of(node: TestNode, token: str) -> str:
    with node.reading() as session:
        group = Actor.uri.endswith(f"/projects/{token}/group")
        return session.scalars(select(Actor.username).where(group)).one()


def question(node: TestNode, token: str) -> str:
    return f"/.well-known/webfinger?resource=acct:{name_of(node, token)}@{node.host}"


def test_must_30_strangers_do_not_find_what_is_for_peers(nodes: Nodes, here: TestNode) -> None:
    peer = FakePeer.join(nodes, "brackwell.test", here).actor()
    stranger = FakePeer.join(nodes, "stranger.test").actor()
    blocked = FakePeer.join(nodes, "blocked.test").actor()
    with here.work() as work:
        peers.decide(work, "blocked.test", peers.BLOCKED)
    token = write(here, "Bins", PEERS, ProjectState.published)
    asked = question(here, token)
    uri = asked.replace(asked.partition("=")[2], f"https://{here.host}/projects/{token}/group")
    client = here.app.test_client()
    for address in (asked, uri):
        assert client.get(address).status_code == 404
        assert signed_get(here, stranger, address).status_code == 404
        assert signed_get(here, blocked, address).status_code == 403
        answer = signed_get(here, peer, address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert client.get(address).status_code == 404, "what a peer got is kept for nobody"


def test_must_30_who_finds_it_changes_with_who_may_read_it(here: TestNode) -> None:
    client, found = here.app.test_client(), []
    token = write(here, "Bins", PUBLIC, ProjectState.published)
    asked = question(here, token)
    found.append(client.get(asked).status_code)
    for visibility in (PEERS, PUBLIC, PRIVATE, PEERS, PUBLIC):
        change(here, token, visibility)
        found.append(client.get(asked).status_code)
    assert found == [200, 404, 200, 404, 404, 200]


def test_a_peer_finds_by_its_name_what_is_for_peers(nodes: Nodes) -> None:
    here, there = nodes.pair()
    token = write(here, "Bins", PEERS, ProjectState.published)
    found = fetching.fetch_actor_by_address(there.node, f"@{name_of(here, token)}@{here.host}")
    assert found.id == f"https://{here.host}/projects/{token}/group"
