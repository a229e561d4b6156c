"""What several workers do at once comes to the same as one after the other."""

import threading
from typing import Any

import pytest

from node.federating import handling
from node.testing.nodes import Nodes, TestNode
from node.testing.peer import Peer
from tests.refusals.test_belief import article, followed, send, titles


@pytest.fixture
def nodes(lasting_nodes: Nodes) -> Nodes:
    return lasting_nodes


def test_must_23_an_update_acted_on_beside_its_deletion_brings_nothing_back(
    nodes: Nodes, node: TestNode, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One worker has deleted the project, and not yet committed that, when another takes an Update
    of it that comes late, and the Create of one that was deleted before it came.
    """
    sender = followed(node, peer)
    known, unknown = article(sender, "Bins"), article(sender, "Parks")
    assert send(nodes, sender, sender.says("Create", known), node) == "done"
    for document in (known, unknown):
        sender.send(sender.says("Delete", document["id"]), node)
    for document in (known, unknown):
        sender.send(sender.says("Update", document | {"name": "Overdue"}), node)
    deleted, others_were_there = threading.Event(), threading.Event()
    record = handling._record

    def slowly(work: Any, item: Any, end: Any) -> None:
        record(work, item, end)
        if item.type == "Delete":
            work.session.flush()
            deleted.set()
            others_were_there.wait(0.4)

    monkeypatch.setattr(handling, "LEASED", 2)
    monkeypatch.setattr(handling, "_record", slowly)
    one, other = (threading.Thread(target=handling.work_off, args=[node.node]) for _ in range(2))
    one.start()
    deleted.wait(5)
    other.start()
    other.join(0.4)
    others_were_there.set()
    one.join(10)
    other.join(10)
    nodes.settle()
    assert titles(node, sender) == []
