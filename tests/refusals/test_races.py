"""What several workers do at once comes to the same as one after the other."""

import threading
from typing import Any

import pytest

from node.federating.inbound import inbox_processor
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.refusals.test_belief import article, followed, send, titles


@pytest.fixture
def nodes(lasting_nodes: Nodes) -> Nodes:
    return lasting_nodes


def test_must_23_an_update_acted_on_beside_its_deletion_brings_nothing_back(
    nodes: Nodes, node: TestNode, peer: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One worker has deleted the project, and not yet committed that, when another takes an Update
    of it that comes late, and the Create of one that was deleted before it came.
    """
    sender = followed(node, peer)
    known, unknown = article(sender, "Bins"), article(sender, "Parks")
    assert send(nodes, sender, sender.build_activity("Create", known), node) == "done"
    for document in (known, unknown):
        sender.send(sender.build_activity("Delete", document["id"]), node)
    for document in (known, unknown):
        sender.send(sender.build_activity("Update", document | {"name": "Overdue"}), node)
    deleted, others_were_there = threading.Event(), threading.Event()
    record = inbox_processor._record

    def slowly(work: Any, item: Any, end: Any) -> None:
        record(work, item, end)
        if item.type == "Delete":
            work.session.flush()
            deleted.set()
            others_were_there.wait(0.4)

    monkeypatch.setattr(inbox_processor, "LEASE_SIZE", 2)
    monkeypatch.setattr(inbox_processor, "_record", slowly)
    one, other = (
        threading.Thread(target=inbox_processor.run_job, args=[node.node]) for _ in range(2)
    )
    one.start()
    deleted.wait(5)
    other.start()
    other.join(0.4)
    others_were_there.set()
    one.join(10)
    other.join(10)
    nodes.run_until_idle()
    assert titles(node, sender) == []
