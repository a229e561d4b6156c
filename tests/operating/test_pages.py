"""The operator's lists: what was sent, received, compared and shared, and what can be done."""

import html

from node.testing.nodes import Nodes, TestNode
from node.testing.peer import Peer
from tests.federation.test_main_job import follow, publish


def text_of(one: TestNode, address: str) -> str:
    answer = one.visitor("operator").visit(address)
    assert answer.status_code == 200
    return " ".join(html.unescape(answer.text).split())


def test_what_was_shared_with_whom_and_when(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    publish(here, "Bins")
    nodes.settle()
    text = text_of(here, "/operator/shared")
    assert "Bins" in text
    assert there.host in text
    assert "<time datetime=" in text
    assert "Bins" in text_of(here, f"/operator/shared?host={there.host}")
    assert "Nothing yet" in text_of(here, "/operator/shared?host=elsewhere.test")


def test_what_was_received_and_what_came_of_it(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    peer = Peer.join(nodes, "brackwell.test", here)
    sender = peer.actor("brackwell")
    sender.send(sender.says("Follow", here.council_uri), here)
    sender.send(sender.says("Create", {"id": peer.uri("/x"), "type": "Bicycle"}), here)
    nodes.settle()
    text = text_of(here, "/operator/received")
    assert "Asked to follow" in text
    assert "nothing here receives Create Bicycle" in text
    assert "Bicycle" not in text_of(here, "/operator/received?state=done")


def test_what_is_read_and_compared(nodes: Nodes) -> None:
    here, there = nodes.pair()
    publish(here, "Bins")
    nodes.settle()
    follow(nodes, there, here)
    text = text_of(there, "/operator/reading")
    assert "Done: 1 read" in text
    assert "The same" in text


def test_all_that_a_server_has_not_got_is_tried_again_or_given_up(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    peer = Peer.join(nodes, "brackwell.test", here)
    sender = peer.actor("brackwell")
    sender.send(sender.says("Follow", here.council_uri), here)
    nodes.settle()
    peer.answers = 410
    for title in ("Bins", "Roads"):
        publish(here, title)
    nodes.settle()
    assert "All is well." not in text_of(here, "/operator")
    operator = here.visitor("operator")
    operator.visit(f"/operator/deliveries?host={peer.host}")
    peer.answers = 202
    answer = operator.submit("deliveries/all", then="retry")
    assert "deliveries are tried again." in answer.text
    nodes.settle()
    assert "All is well." in text_of(here, "/operator")
    assert len(peer.heard("Create")) >= 2

    peer.answers = 503
    publish(here, "Streets")
    nodes.settle()
    operator.visit(f"/operator/deliveries?host={peer.host}")
    assert "1 delivery is given up." in operator.submit("deliveries/all", then="give-up").text
