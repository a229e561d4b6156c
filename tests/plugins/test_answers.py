"""A plugin's activities and what answers them: `Offer`, `Accept`, `Update`, `Undo`."""

from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import select

from federation.vocabulary import ActorDocument
from node import api
from node.api import ActivityInfo, Work
from node.councils import service as councils
from node.federating.models import InboxItem
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode

from .conftest import Install
from .test_federating import in_orchard

CODE = """
RECEIVED = []

@hookimpl
def register_activities(): return ["Offer"]

@hookimpl
def activity_received(activity, work):
    RECEIVED.append(activity)
    return True
"""
CASE = {"type": "Case", "content": "Apples on the road"}


@pytest.fixture
def received(install: Install) -> list[ActivityInfo]:
    """What `orchard` was told, on every node; `meadow` sends and registers the same, and is told
    nothing of what answers `orchard`.
    """
    install("orchard", CODE)
    install("meadow", CODE.replace("return True", "return False"))
    return import_module("plugin_orchard").RECEIVED  # type: ignore[no-any-return]


@pytest.fixture
def node(received: list[ActivityInfo], nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor", plugins=("meadow", "orchard"))


@pytest.fixture
def asked(nodes: Nodes, node: TestNode) -> FakeActor:
    """A council that the node knows."""
    peer = FakePeer.join(nodes, "brackwell.test", node)
    actor = peer.actor("brackwell")
    _status, document = peer.documents["/councils/brackwell"]
    with node.work() as work:
        councils.upsert(work, ActorDocument.parse(document))
    return actor


def send(node: TestNode, kind: str, to_uri: str, about: Any, result: str | None = None) -> str:
    def act(work: Work) -> str:
        return api.send_activity(work, kind, to_uri, about, result=result)

    uri: str = in_orchard(node, act)
    return uri


def tell(
    nodes: Nodes, sender: FakeActor, node: TestNode, kind: str, about: Any, **more: Any
) -> str:
    """Send an activity to the node; returns what became of it, with the reason."""
    activity = sender.build_activity(kind, about, **more)
    assert sender.send(activity, node).status_code == 202
    nodes.run_until_idle()
    with node.reading() as session:
        item = session.scalars(select(InboxItem).where(InboxItem.uri == activity["id"])).one()
        return f"{item.state} {item.outcome}".strip()


def told(received: list[ActivityInfo]) -> list[tuple[str, str | None]]:
    """The types and what they answer; forgets them."""
    found = [(one.type, one.answers) for one in received]
    received.clear()
    return found


def test_an_offer_is_accepted_changed_and_undone(
    received: list[ActivityInfo], nodes: Nodes
) -> None:
    """Both sides are the plugin: a case is sent to another council, which works on it."""
    here, there = nodes.pair(plugins=("orchard",))
    there.follow(here)
    here.follow(there)
    nodes.run_until_idle()
    offer = send(there, "Offer", here.council_uri, CASE)
    nodes.run_until_idle()
    assert told(received) == [("Offer", None)]
    case = f"{here.node.settings.base_url}/orchard/cases/1"
    send(here, "Accept", there.council_uri, offer, case)
    nodes.run_until_idle()
    assert received[0].document["result"] == case
    assert told(received) == [("Accept", offer)]
    send(here, "Update", there.council_uri, {"id": case, "type": "Case", "content": "Picked up"})
    nodes.run_until_idle()
    assert (received[0].object or {})["content"] == "Picked up"
    assert told(received) == [("Update", offer)]
    send(here, "Delete", there.council_uri, case)
    nodes.run_until_idle()
    assert told(received) == [("Delete", offer)]
    send(there, "Undo", here.council_uri, offer)
    nodes.run_until_idle()
    assert (received[0].object or {})["object"] == CASE, "a bare id stands for what was received"
    assert told(received) == [("Undo", None)]


@pytest.mark.parametrize("kind", ["Accept", "Reject"])
def test_an_answer_reaches_the_plugin_that_asked_by_a_bare_id(
    kind: str, received: list[ActivityInfo], nodes: Nodes, node: TestNode, asked: FakeActor
) -> None:
    offer = send(node, "Offer", asked.uri, CASE)
    assert tell(nodes, asked, node, kind, offer) == "done"
    assert tell(nodes, asked, node, kind, {"id": offer, "type": "Follow"}) == "done"
    assert told(received) == [(kind, offer), (kind, offer)]
    assert import_module("plugin_meadow").RECEIVED == []


def test_an_answer_by_somebody_who_was_not_asked_is_ignored(
    received: list[ActivityInfo], nodes: Nodes, node: TestNode, asked: FakeActor
) -> None:
    offer, case = send(node, "Offer", asked.uri, CASE), asked.peer.uri("/cases/1")
    other = asked.peer.actor("elsewhere")
    not_asked = "ignored an answer by an account that was not asked"
    assert tell(nodes, other, node, "Accept", offer) == not_asked
    assert tell(nodes, asked, node, "Accept", offer, result=case) == "done"
    assert tell(nodes, other, node, "Update", {"id": case, "type": "Case"}) == not_asked
    assert tell(nodes, other, node, "Delete", case) == not_asked
    assert told(received) == [("Accept", offer)]
    assert tell(nodes, asked, node, "Update", {"id": case, "type": "Case"}) == "done"
    assert told(received) == [("Update", offer)]


def test_an_answer_to_nothing_is_ignored(
    received: list[ActivityInfo], nodes: Nodes, node: TestNode, asked: FakeActor
) -> None:
    never_sent = f"{node.node.settings.base_url}/activities/unknown"
    nothing = "ignored does not answer anything that this server sent"
    assert tell(nodes, asked, node, "Accept", never_sent) == nothing
    for claimed in ("Offer", "plugin orchard"):
        about = {"id": never_sent, "type": claimed}
        assert tell(nodes, asked, node, "Accept", about) == nothing
    elsewhere = "https://cedarholt.test/cases/1"
    offer = send(node, "Offer", asked.uri, CASE)
    assert tell(nodes, asked, node, "Accept", offer, result=elsewhere) == "done"
    assert told(received) == [("Accept", offer)]
    with node.reading() as session:
        found = session.scalars(node.node.handlers.select_kinds, {"uri": elsewhere}).all()
    assert found == [], "nobody answers for what is on another server"


def test_what_came_of_an_activity_cannot_be_answered(
    received: list[ActivityInfo], nodes: Nodes, node: TestNode, asked: FakeActor
) -> None:
    offer, case = send(node, "Offer", asked.uri, CASE), asked.peer.uri("/cases/1")
    assert tell(nodes, asked, node, "Accept", offer, result=case) == "done"
    assert told(received) == [("Accept", offer)]
    nothing = "ignored does not answer anything that this server sent"
    assert tell(nodes, asked.peer.actor("elsewhere"), node, "Accept", case) == nothing
    assert told(received) == []


def test_an_object_of_a_third_server_is_not_given_as_its_own_words(
    received: list[ActivityInfo], nodes: Nodes, node: TestNode, asked: FakeActor
) -> None:
    elsewhere = {"id": "https://cedarholt.test/cases/1", "type": "Case"}
    assert tell(nodes, asked, node, "Offer", elsewhere) == "done"
    assert tell(nodes, asked, node, "Offer", elsewhere | {"id": asked.peer.uri("/1")}) == "done"
    assert [(one.object or {}).get("type") for one in received] == [None, "Case"]


def test_only_who_sent_it_can_undo_it(
    received: list[ActivityInfo], nodes: Nodes, node: TestNode, asked: FakeActor
) -> None:
    offer = asked.build_activity("Offer", CASE)
    assert asked.send(offer, node).status_code == 202
    nodes.run_until_idle()
    other = asked.peer.actor("elsewhere")
    nothing = "ignored does not undo anything that this server received"
    for named in (offer["id"], {"id": offer["id"], "type": "Offer"}):
        assert tell(nodes, other, node, "Undo", named) == nothing
    assert told(received) == [("Offer", None)]
    assert tell(nodes, asked, node, "Undo", offer["id"]) == "done"
    assert told(received) == [("Undo", None)]


@pytest.mark.parametrize(
    "kind, about",
    [
        ("Follow", "https://brackwell.test/councils/brackwell"),
        ("Accept", "{follow}"),
        ("Undo", "{follow}"),
        ("Update", "{council}"),
        ("Delete", "{council}"),
        ("Delete", "https://brackwell.test/notes/1"),
    ],
)
def test_a_plugin_cannot_speak_for_the_node(
    kind: str, about: str, nodes: Nodes, node: TestNode, asked: FakeActor
) -> None:
    follow = asked.build_activity("Follow", node.council_uri)
    assert asked.send(follow, node).status_code == 202
    nodes.run_until_idle()
    about = about.format(follow=follow["id"], council=node.council_uri)
    with pytest.raises(KeyError, match=f"orchard cannot send {kind}"):
        send(node, kind, asked.uri, about)
