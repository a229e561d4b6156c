"""Documents of real servers, whatever they hold: answered, never a failure of ours (must 33)."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from node.federating.models import InboxItem
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from node.testing.requirements import end_as_not_run
from tests.refusals.test_belief import followed, state_of

SHARED = Path(
    os.environ.get("MOOTHALL_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data"
)
FOLDER = SHARED / "activities"
# Their object has an id of its own, or stands in no activity at all.
FILES = sorted(FOLDER.glob("*.json"))


def read(path: Path) -> dict[str, Any]:
    """A document; the template's gaps, which are no JSON text, stay as they are."""
    found = json.loads(path.read_text())
    assert isinstance(found, dict)
    return found


def as_activity(document: dict[str, Any], sender: FakeActor) -> dict[str, Any]:
    """The document as `sender` would send it; in a Create where it is no activity."""
    if "actor" not in document or "object" not in document:
        return sender.build_activity("Create", document)
    return document | {"id": sender.peer.new_id(), "actor": sender.uri}


def made_own(activity: dict[str, Any], sender: FakeActor) -> dict[str, Any]:
    """What it is about becomes the sender's own, so that it is believed and acted on."""
    about = activity["object"]
    about = about[0] if isinstance(about, list) else about
    if isinstance(about, dict):
        uri = sender.peer.new_id("objects")
        own = {"id": uri, "attributedTo": sender.uri}
        return activity | {"id": sender.peer.new_id(), "object": about | own}
    return activity | {"id": sender.peer.new_id(), "object": sender.uri}


@pytest.fixture(scope="module")
def sender(node: TestNode, peer: FakePeer) -> FakeActor:
    if not FILES:
        end_as_not_run(f"the documents of real servers in {FOLDER}")
    return followed(node, peer)


@pytest.mark.parametrize("path", FILES or [FOLDER], ids=lambda path: path.stem)
def test_must_33_a_real_document_is_stored_or_ignored(
    path: Path, lasting_nodes: Nodes, node: TestNode, sender: FakeActor
) -> None:
    document = read(path)
    raw = sender.send(path.read_bytes(), node)
    # What its author signed inside is passed over, as nobody here can verify that.
    is_passed_over = "signature" in document and raw.status_code == 202
    assert is_passed_over or 400 <= raw.status_code < 500, "it is somebody else's"
    assert not is_stored(node, document.get("id", ""))
    sent = as_activity(document, sender)
    for activity in (sent, made_own(sent, sender)):
        answer = sender.send(activity, node)
        assert answer.status_code in {202, 400, 403}, answer.data
        lasting_nodes.run_until_idle()
        if answer.status_code == 202 and is_stored(node, activity["id"]):
            assert state_of(node, activity["id"]) in {"done", "ignored", "failed"}
            assert_well_handled(node, activity["id"])


def is_stored(node: TestNode, uri: str) -> bool:
    with node.reading() as session:
        return session.scalar(select(InboxItem.id).where(InboxItem.uri == uri)) is not None


def assert_well_handled(node: TestNode, uri: str) -> None:
    """No error but those of the product's own types ended it: others are tried again."""
    with node.reading() as session:
        item = session.scalars(select(InboxItem).where(InboxItem.uri == uri)).one()
        assert item.attempts <= 1, item.outcome


def test_must_33_none_of_them_broke_the_node(node: TestNode, sender: FakeActor) -> None:
    reader = node.visitor()
    for address in ("/", "/projects", "/councils"):
        assert reader.visit(address).status_code == 200
    assert sender.send(sender.build_activity("Like", "x"), node).status_code == 202
