"""The operator's server lists page: suggestions, subscriptions, import and export."""

import html
from io import BytesIO

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from node.federating.models import Peer
from node.federating.peers import peer_lists, peer_suggestions
from node.federating.peers import service as peers
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor

PAGE = "/operator/lists"


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def operator(node: TestNode) -> Visitor:
    return node.visitor("operator")


def state(node: TestNode, host: str) -> str | None:
    with node.reading() as session:
        return session.scalar(select(Peer.state).where(Peer.host == host))


def upload(operator: Visitor, body: bytes | None) -> TestResponse:
    operator.visit(PAGE)
    data: dict[str, object] = {"csrf_token": operator.form("/import").values["csrf_token"]}
    if body is not None:
        data["file"] = (BytesIO(body), "list.csv")
    return operator.client.post(
        f"{PAGE}/import", data=data, content_type="multipart/form-data", follow_redirects=True
    )


def test_a_list_is_imported_whole(node: TestNode, operator: Visitor) -> None:
    answer = upload(operator, b"host,state,comment\na.example,allowed,\nb.example,blocked,Spam\n")
    assert "2 servers have been imported." in answer.text
    assert (state(node, "a.example"), state(node, "b.example")) == ("allowed", "blocked")
    assert "Spam" in operator.visit("/operator/peers").text
    export = operator.visit(f"{PAGE}/plain.csv")
    assert export.text == "host,state,comment\na.example,allowed,\nb.example,blocked,Spam\n"
    assert "attachment" in export.headers["Content-Disposition"]
    export = operator.visit(f"{PAGE}/mastodon.csv")
    assert [entry.host for entry in peer_lists.parse_list(export.data).entries] == ["b.example"]


@pytest.mark.parametrize(
    "body, words",
    [
        (None, "Select a file"),
        (b"", "The first line must be host,state,comment or "),
        (b"\x00\xff", "The file is not UTF-8 text"),
        (b"host,state\na.example,allowed\nb c,blocked\n", "line 3: b c is not a server name"),
    ],
)
def test_a_bad_list_is_refused_whole(
    body: bytes | None, words: str, node: TestNode, operator: Visitor
) -> None:
    answer = upload(operator, body)
    assert answer.status_code == 400
    assert "govuk-error-summary" in answer.text
    assert words in html.unescape(answer.text)
    assert state(node, "a.example") is None


def test_suggested_servers_are_allowed_and_dismissed(node: TestNode, operator: Visitor) -> None:
    with node.work() as work:
        peer_suggestions.suggest(work, {"a.example": "", "b.example": ""}, "friend.example")
    page = operator.visit(PAGE)
    assert "friend.example" in page.text.replace("<wbr>", "")
    token = operator.form("/import").values["csrf_token"]
    for host, verb, words in (
        ("a.example", "allow", "a.example has been allowed."),
        ("b.example", "dismiss", "b.example is no longer suggested."),
    ):
        data = {"csrf_token": token, "host": host, "verb": verb}
        answer = operator.client.post(f"{PAGE}/suggestions", data=data, follow_redirects=True)
        assert words in answer.text.replace("<wbr>", "")
    assert (state(node, "a.example"), state(node, "b.example")) == ("allowed", "unknown")
    assert (
        "There are no suggestions at the moment. Every week, we ask the "
        "servers you allow which other servers they know."
    ) in operator.visit(PAGE).text


def test_subscribing_and_unsubscribing(nodes: Nodes, node: TestNode, operator: Visitor) -> None:
    operator.visit(PAGE)
    answer = operator.submit("/subscribe", url="nonsense")
    assert answer.status_code == 400
    assert "Enter an address such as" in answer.text
    answer = operator.submit("/subscribe", url="https://brackwell.test/peers.csv")
    assert (
        "You have subscribed to the list. We will read it now, and then every day."
    ) in answer.text
    nodes.run_until_idle()
    assert "could not be reached" in operator.visit(PAGE).text
    assert "You have unsubscribed from the list." in operator.submit("/unsubscribe").text


def test_a_decision_is_reset(node: TestNode, operator: Visitor) -> None:
    with node.work() as work:
        peers.decide(work, "a.example", peers.BLOCKED, "Spam")
    operator.visit("/operator/peers")
    assert "a.example is now neither allowed nor blocked." in operator.submit("/undecide").text
    assert state(node, "a.example") == "unknown"
    operator.visit(PAGE)
    token = operator.form("/import").values["csrf_token"]
    for host in ("nowhere.example", "not a host", ""):
        data = {"csrf_token": token, "host": host}
        answer = operator.client.post("/operator/peers/undecide", data=data, follow_redirects=True)
        assert answer.status_code == 200
