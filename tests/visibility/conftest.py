"""A council that has a project of each kind, and all who may come to read."""

from itertools import product

import pytest

from node.access.permissions import MODERATOR
from node.access.visibility import Visibility
from node.federating.peers import service as peers
from node.people import service as people
from node.projects.models import ProjectState
from node.testing.fake_peer import FakePeer
from node.testing.nodes import PASSWORD, Nodes, role_email
from tests.visibility.answers import assess, define
from tests.visibility.town import (
    Town,
    change,
    employ,
    hear,
    relate,
    unseen,
    watch,
    word,
    write,
)


@pytest.fixture(scope="module")
def town(lasting_nodes: Nodes) -> Town:
    here, there = lasting_nodes.pair()
    peer = FakePeer.join(lasting_nodes, "cedarholt.test", here).actor("cedarholt")
    stranger = FakePeer.join(lasting_nodes, "stranger.test").actor("stranger")
    blocked = FakePeer.join(lasting_nodes, "blocked.test").actor("blocked")
    with here.work() as work:
        peers.decide(work, "blocked.test", peers.BLOCKED)
    follower = here.visitor("officer")
    follower.visit("/councils/follow")
    follower.submit("follow", address=there.address)
    watch(here)
    with here.work() as work:
        people.create(
            work,
            name="Mo Moderator",
            email=role_email(MODERATOR, here.name),
            password=PASSWORD,
            role=MODERATOR,
        )
    lasting_nodes.run_until_idle()
    define(here)
    reported: list[str] = []
    for visibility, state in product(Visibility, ProjectState):
        token = write(here, word(visibility, state), visibility, state)
        reported.append(f"https://{here.host}/projects/{token}")
        if state is ProjectState.published:
            assess(here, word(visibility, state), token)
        if (visibility, state) == (Visibility.public, ProjectState.published):
            employ(here, word("unseen"), token)
            employ(here, word("seen"), token, "sam")
            employ(here, word("gone"), token, "kim")
            unseen(here, "kim")
    for visibility in (Visibility.public, Visibility.peers):
        for state in (ProjectState.published, ProjectState.deleted):
            name = word("theirs", visibility, state)
            hear(here, there.host, name, visibility, state)
    changing: list[tuple[str, Visibility]] = []
    for before, after in product(Visibility, Visibility):
        if before is not after:
            token = write(here, word(before, "now", after), before, ProjectState.published)
            assess(here, word(before, "now", after), token)
            changing.append((token, after))
    relate(here, write(here, word("hub"), Visibility.public, ProjectState.published))
    for token, after in changing:
        change(here, token, after)
    report = peer.build_activity("Flag", reported, content="Is this right?", to=[here.council_uri])
    assert peer.send(report, here).status_code == 202
    lasting_nodes.run_until_idle()
    return Town(here, peer, stranger, blocked)
