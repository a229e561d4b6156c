"""Every refusal at the inbox: its answer, that nothing is kept, and that the operator sees it."""

import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from node.federating.models import RefusalCount
from node.federating.peers import refusals
from node.federating.peers import service as peers
from node.testing.fake_peer import FakePeer, SignedMessage
from node.testing.nodes import Nodes, TestNode
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


def about(must: str) -> list[Row]:
    """The rows of one must; without a number, the others."""
    every = [*rows.ROWS, *unreadable.ROWS]
    numbered = {row.name: row.name.partition(" ")[0] for row in every}
    return [
        row
        for row in every
        if numbered[row.name] == must or not (must or numbered[row.name].isdigit())
    ]


def each_of(must: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", about(must), ids=lambda row: row.name[:60])


@dataclass(frozen=True)
class Scene:
    """Where a row is played."""

    node: TestNode
    peer: FakePeer
    other: FakePeer
    operator: Visitor

    def play(self, row: Row) -> None:
        message = row.bend(Case(self.node, self.peer.actor(), self.other))
        host = self.peer.host if row.host is None else row.host
        refused(message, row.status, row.reason, host, self.node, self.operator)


@pytest.fixture
def scene(node: TestNode, peer: FakePeer, other: FakePeer, operator: Visitor) -> Scene:
    return Scene(node, peer, other, operator)


@each_of("10")
def test_must_10_what_is_no_signature_algorithm_never_verifies(row: Row, scene: Scene) -> None:
    scene.play(row)


@each_of("11")
def test_must_11_what_has_no_right_digest_is_refused(row: Row, scene: Scene) -> None:
    scene.play(row)


@each_of("12")
def test_must_12_what_has_no_right_date_is_refused(row: Row, scene: Scene) -> None:
    scene.play(row)


@each_of("13")
def test_must_13_what_was_signed_for_another_address_is_refused(row: Row, scene: Scene) -> None:
    scene.play(row)


@each_of("14")
def test_must_14_a_key_that_its_owner_does_not_list_is_refused(row: Row, scene: Scene) -> None:
    scene.play(row)


@each_of("15")
def test_must_15_who_is_not_the_keys_owner_is_refused(row: Row, scene: Scene) -> None:
    scene.play(row)


@each_of("16")
def test_must_16_what_is_of_another_origin_is_refused(row: Row, scene: Scene) -> None:
    scene.play(row)


@each_of("17")
def test_must_17_what_is_not_ones_own_is_neither_updated_nor_deleted(
    row: Row, scene: Scene
) -> None:
    scene.play(row)


@each_of("18")
def test_must_18_an_incomplete_message_signature_is_refused(row: Row, scene: Scene) -> None:
    scene.play(row)


@each_of("19")
def test_must_19_an_unknown_scheme_is_refused(row: Row, scene: Scene) -> None:
    scene.play(row)


@each_of("24")
def test_must_24_what_is_no_activity_is_refused(row: Row, scene: Scene) -> None:
    scene.play(row)


@each_of("")
def test_another_content_type_is_refused(row: Row, scene: Scene) -> None:
    scene.play(row)


def refused(
    message: SignedMessage, status: int, reason: str, host: str, node: TestNode, operator: Visitor
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


def test_must_30_a_host_that_is_not_allowed_is_refused_before_anything_is_fetched(
    lasting_nodes: Nodes, node: TestNode, operator: Visitor
) -> None:
    stranger = FakePeer.join(lasting_nodes, "stranger.test")
    sender = stranger.actor()
    message = sender.sign(sender.build_activity("Follow", node.council_uri), node)
    refused(message, 403, "host_not_allowed", stranger.host, node, operator)
    with node.work() as work:
        peers.decide(work, stranger.host, peers.BLOCKED)
    refused(message, 403, "host_not_allowed", stranger.host, node, operator)
    assert stranger.fetched == []


def test_must_24_a_body_of_no_stated_length_is_cut_off_too(
    node: TestNode, peer: FakePeer, operator: Visitor
) -> None:
    """Chunked: the web server hands it on as a stream that ends by itself."""
    sender = peer.actor()
    message = sender.sign(sender.build_activity("Like", "x", content="a" * 1_048_576), node)
    before = stored(node)
    answer = chunked(node, message)
    assert answer.status_code == 413
    assert stored(node) == before
    assert chunked(node, sender.sign(sender.build_activity("Like", "x"), node)).status_code == 202


def chunked(node: TestNode, message: SignedMessage) -> Any:
    headers = {**message.headers, "transfer-encoding": "chunked"}
    return node.app.test_client().post(
        message.target,
        base_url=node.node.settings.base_url,
        headers=headers,
        input_stream=BytesIO(message.body),
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )


def test_refusals_of_one_kind_are_one_row(node: TestNode, peer: FakePeer) -> None:
    sender = peer.actor()
    before = len(counted(node))
    for _ in range(5):
        sender.sign(sender.build_activity("Like", "x"), node).with_headers(digest="SHA-256=").send(
            node
        )
    assert len(counted(node)) - before <= 1
