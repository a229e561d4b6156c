"""Whatever is posted to the inbox, it answers; and keeps nothing of what it refuses.

Hypothesis makes the requests: at random, and by changing good ones here and there. Some are signed
with a valid key over a hostile body.
"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from node.federating.models import InboxItem
from node.testing.fake_peer import FakeActor, FakePeer, SignedMessage
from node.testing.nodes import Nodes, TestNode

NAMES = (
    "host", "date", "digest", "signature", "signature-input", "content-digest", "content-type",
    "authorization", "content-length", "transfer-encoding", "accept", "cookie", "x-request-id",
    "content-encoding", "x-forwarded-for", "forwarded", "collection-synchronization", "range",
)  # fmt: skip
TARGETS = ("/inbox", "/inbox?", "/inbox?a=%00", "/actor/inbox", "/councils/x/inbox", "/inbox/")
TYPES = (
    "Create", "Update", "Delete", "Follow", "Undo", "Accept", "Reject", "Announce", "Like", "Move",
    "Block", "Flag", "Add", "Remove", "Offer", "Join", "Question", "",
)  # fmt: skip
# What one byte on a header line can be (RFC 9110, section 5.5), and a little more.
text = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
uris = st.sampled_from(
    (
        "https://brackwell.test/councils/fuzz",
        "https://brackwell.test/1",
        "https://cragford.test/1",
        "https://aldermoor.test/councils/aldermoor",
        "https://aldermoor.test/actor",
        "https://[::1]/",
        "http://brackwell.test/1",
        "https://brackwell.test:99999/",
        "urn:x",
        "https://brackwell.test/\u202e",
        "as:Public",
        "",
    )
)
values = st.recursive(
    scalars | uris,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(("id", "type", "actor", "object", "attributedTo", "to", "url", "name"))
            | st.text(max_size=8),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)

CHANGED = (
    "id", "type", "actor", "object", "to", "cc", "target", "published", "proof", "@context",
)  # fmt: skip
changes = st.dictionaries(st.sampled_from(CHANGED), values, max_size=2)


@pytest.fixture(scope="module")
def node(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(scope="module")
def sender(lasting_nodes: Nodes, node: TestNode) -> FakeActor:
    FakePeer.join(lasting_nodes, "cragford.test", node)
    sender = FakePeer.join(lasting_nodes, "brackwell.test", node).actor("fuzz")
    assert sender.send(sender.build_activity("Like", "x"), node).status_code == 202
    return sender


def kept(node: TestNode) -> int:
    with node.reading() as session:
        return session.scalar(select(func.count()).select_from(InboxItem)) or 0


def check(message: SignedMessage, node: TestNode) -> int:
    """It is answered, by no error of ours; what is refused is not kept."""
    before = kept(node)
    answer = message.send(node)
    assert answer.status_code < 500, answer.data
    if answer.status_code >= 300:
        assert kept(node) == before
    return answer.status_code


@settings(max_examples=120)
@given(data=st.data())
def test_must_24_a_request_of_anything(data: st.DataObject, node: TestNode) -> None:
    headers = data.draw(st.dictionaries(st.sampled_from(NAMES), text, max_size=8))
    body = data.draw(st.binary(max_size=400))
    target = data.draw(st.sampled_from(TARGETS))
    headers.pop("content-length", None)
    assert check(SignedMessage(headers, body, target), node) >= 300


@settings(max_examples=120)
@given(data=st.data())
def test_must_24_a_good_request_changed_here_and_there(
    data: st.DataObject, node: TestNode, sender: FakeActor
) -> None:
    message = sender.sign(sender.build_activity("Like", "x"), node)
    name = data.draw(st.sampled_from(sorted(message.headers)))
    value = message.headers[name]
    at = data.draw(st.integers(0, len(value)))
    piece = data.draw(text | st.sampled_from(('"', ",", "=", "; ", "(", ")", ":", "\\")))
    cut = data.draw(st.integers(0, 12))
    changed = message.with_headers(**{name: value[:at] + piece + value[at + cut :]})
    check(changed, node)


def test_must_33_a_hostile_activity_signed_with_a_good_key(
    lasting_nodes: Nodes, node: TestNode, sender: FakeActor
) -> None:
    """It is stored or refused; and what is stored is acted on without an error of ours."""

    @settings(max_examples=500)
    @given(kind=st.sampled_from(TYPES), about=values, changes=changes)
    def post(kind: str, about: Any, changes: dict[str, Any]) -> None:
        document = sender.build_activity(kind, about) | changes
        check(sender.sign(json.dumps(document).encode(), node), node)

    before = kept(node)
    post()
    lasting_nodes.run_until_idle()
    with node.reading() as session:
        outcomes = session.scalars(select(InboxItem.outcome)).all()
    assert len(outcomes) - before > 50
    assert [outcome for outcome in outcomes if "Error: " in outcome] == []
    assert sender.send(sender.build_activity("Like", "x"), node).status_code == 202


@settings(max_examples=60)
@given(body=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_must_24_any_bytes_signed_with_a_good_key(
    body: bytes, node: TestNode, sender: FakeActor
) -> None:
    assert check(sender.sign(body, node), node) >= 300
