"""The operator's page of lists: suggestions, subscriptions, import and export."""

import html
from io import BytesIO

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from node.federating import peer_lists, peer_suggestions, peers
from node.federating.models import Peer
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor

PAGE = "/operator/lists"


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def looking(node: TestNode) -> Visitor:
    return node.visitor("operator")


def state(node: TestNode, host: str) -> str | None:
    with node.reading() as session:
        return session.scalar(select(Peer.state).where(Peer.host == host))


def upload(looking: Visitor, body: bytes | None) -> TestResponse:
    looking.visit(PAGE)
    data: dict[str, object] = {"csrf_token": looking.form("/import").values["csrf_token"]}
    if body is not None:
        data["file"] = (BytesIO(body), "list.csv")
    return looking.client.post(
        f"{PAGE}/import", data=data, content_type="multipart/form-data", follow_redirects=True
    )


def test_a_list_is_imported_whole(node: TestNode, looking: Visitor) -> None:
    answer = upload(looking, b"host,state,comment\na.example,allowed,\nb.example,blocked,Spam\n")
    assert "2 servers decided" in answer.text
    assert (state(node, "a.example"), state(node, "b.example")) == ("allowed", "blocked")
    assert "Spam" in looking.visit("/operator/peers").text
    export = looking.visit(f"{PAGE}/plain.csv")
    assert export.text == "host,state,comment\na.example,allowed,\nb.example,blocked,Spam\n"
    assert "attachment" in export.headers["Content-Disposition"]
    export = looking.visit(f"{PAGE}/mastodon.csv")
    assert [entry.host for entry in peer_lists.parse_list(export.data).entries] == ["b.example"]


@pytest.mark.parametrize(
    "body, words",
    [
        (None, "Select a file"),
        (b"", "The first line has to be"),
        (b"\x00\xff", "not a text in UTF-8"),
        (b"host,state\na.example,allowed\nb c,blocked\n", "line 3: b c is not the name"),
    ],
)
def test_a_bad_list_is_refused_whole(
    body: bytes | None, words: str, node: TestNode, looking: Visitor
) -> None:
    answer = upload(looking, body)
    assert answer.status_code == 400
    assert "govuk-error-summary" in answer.text
    assert words in html.unescape(answer.text)
    assert state(node, "a.example") is None


def test_a_suggested_server_is_allowed_in_one_action(node: TestNode, looking: Visitor) -> None:
    with node.work() as work:
        peer_suggestions.suggest(work, {"a.example": "", "b.example": ""}, "friend.example")
    page = looking.visit(PAGE)
    assert "friend.example" in page.text.replace("<wbr>", "")
    token = looking.form("/import").values["csrf_token"]
    for host, verb, words in (
        ("a.example", "allow", "allowed"),
        ("b.example", "dismiss", "no more"),
    ):
        data = {"csrf_token": token, "host": host, "verb": verb}
        answer = looking.client.post(f"{PAGE}/suggestions", data=data, follow_redirects=True)
        assert words in answer.text
    assert (state(node, "a.example"), state(node, "b.example")) == ("allowed", "unknown")
    assert "None. The servers that you allow" in looking.visit(PAGE).text


def test_a_list_is_subscribed_to_and_left(nodes: Nodes, node: TestNode, looking: Visitor) -> None:
    looking.visit(PAGE)
    answer = looking.submit("/subscribe", url="nonsense")
    assert answer.status_code == 400
    assert "Enter an address such as" in answer.text
    answer = looking.submit("/subscribe", url="https://brackwell.test/peers.csv")
    assert "The list is read now" in answer.text
    nodes.run_until_idle()
    assert "could not be reached" in looking.visit(PAGE).text
    assert "no longer read" in looking.submit("/unsubscribe").text


def test_what_was_decided_is_taken_back(node: TestNode, looking: Visitor) -> None:
    with node.work() as work:
        peers.decide(work, "a.example", peers.BLOCKED, "Spam")
    looking.visit("/operator/peers")
    assert "neither allowed nor blocked" in looking.submit("/undecide").text
    assert state(node, "a.example") == "unknown"
    looking.visit(PAGE)
    token = looking.form("/import").values["csrf_token"]
    for host in ("nowhere.example", "not a host", ""):
        data = {"csrf_token": token, "host": host}
        answer = looking.client.post("/operator/peers/undecide", data=data, follow_redirects=True)
        assert answer.status_code == 200
