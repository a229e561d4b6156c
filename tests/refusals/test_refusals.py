"""Every refusal at the inbox: its answer, that nothing is kept, and that the operator sees it."""

import re
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from node.federating import peers, refusals
from node.federating.models import RefusalCount
from node.testing.nodes import Nodes, TestNode
from node.testing.peer import Message, Peer
from node.testing.visitor import Visitor
from tests.refusals import rows, unreadable
from tests.refusals.cases import Case, Row

# What a refusal may change: the counts of refusals; and of a visit, what its session holds.
CHANGED_BY_A_REFUSAL = frozenset({"refusal_count"})
CELLS = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", re.DOTALL)
TAGS = re.compile(r"<[^>]+>")


def stored(node: TestNode) -> dict[str, list[Any]]:
    """Every row of every table, but for those a refusal may change."""
    with node.reading() as session:
        return {
            name: sorted(map(repr, session.execute(text(f'SELECT * FROM "{name}"'))))
            for name in inspect(session.connection()).get_table_names()
            if name not in CHANGED_BY_A_REFUSAL
        }


def counted(node: TestNode) -> dict[tuple[str, str], int]:
    refusals.flush(node.node)
    with node.reading() as session:
        query = select(RefusalCount.host, RefusalCount.reason, RefusalCount.count)
        return {(host, reason): count for host, reason, count in session.execute(query)}


def shown(operator: Visitor) -> list[list[str]]:
    """The rows of the operator's page: server, why, how often."""
    page = operator.visit("/operator/refusals")
    assert page.status_code == 200
    return [
        [" ".join(TAGS.sub(" ", cell).split()) for cell in CELLS.findall(row)][1:]
        for row in page.text.replace("<wbr>", "").split("<tr")[2:]
    ]


@pytest.mark.parametrize("row", [*rows.ROWS, *unreadable.ROWS], ids=lambda row: row.name[:60])
def test_refused(row: Row, node: TestNode, peer: Peer, other: Peer, operator: Visitor) -> None:
    message = row.bend(Case(node, peer.actor(), other))
    host = peer.host if row.host is None else row.host
    refused(message, row.status, row.reason, host, node, operator)


def refused(
    message: Message, status: int, reason: str, host: str, node: TestNode, operator: Visitor
) -> None:
    before, counts = stored(node), counted(node)
    answer = message.send(node)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json is not None
    assert (answer.json["status"], answer.json["reason"]) == (status, reason)
    assert stored(node) == before
    expected = counts.get((host, reason), 0) + 1
    assert counted(node) == counts | {(host, reason): expected}
    newest = shown(operator)[0]
    assert (newest[0], newest[2]) == (host or "Unknown", str(expected))
    assert newest[1]


def test_a_host_that_is_not_allowed_is_refused_before_anything_is_fetched(
    lasting_nodes: Nodes, node: TestNode, operator: Visitor
) -> None:
    stranger = Peer.join(lasting_nodes, "stranger.test")
    sender = stranger.actor()
    message = sender.sign(sender.says("Follow", node.council_uri), node)
    refused(message, 403, "host_not_allowed", stranger.host, node, operator)
    with node.work() as work:
        peers.decide(work, stranger.host, peers.BLOCKED)
    refused(message, 403, "host_not_allowed", stranger.host, node, operator)
    assert stranger.fetched == []


def test_a_body_of_no_stated_length_is_cut_off_too(
    node: TestNode, peer: Peer, operator: Visitor
) -> None:
    """Chunked: the web server hands it on as a stream that ends by itself."""
    sender = peer.actor()
    message = sender.sign(sender.says("Like", "x", content="a" * 1_048_576), node)
    before = stored(node)
    answer = chunked(node, message)
    assert answer.status_code == 413
    assert stored(node) == before
    assert chunked(node, sender.sign(sender.says("Like", "x"), node)).status_code == 202


def chunked(node: TestNode, message: Message) -> Any:
    headers = {**message.headers, "transfer-encoding": "chunked"}
    return node.app.test_client().post(
        message.target,
        base_url=node.node.settings.base_url,
        headers=headers,
        input_stream=BytesIO(message.body),
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )


def test_refusals_of_one_kind_are_one_row(node: TestNode, peer: Peer) -> None:
    sender = peer.actor()
    before = len(counted(node))
    for _ in range(5):
        sender.sign(sender.says("Like", "x"), node).but(digest="SHA-256=").send(node)
    assert len(counted(node)) - before <= 1
