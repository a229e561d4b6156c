"""Lists of servers: exported, imported, published and subscribed to; servers found through them."""

from typing import Any

import pytest
from sqlalchemy import func, select

from node.errors import InvalidInputError
from node.federating.inbound import server_discovery
from node.federating.models import Peer as PeerRow
from node.federating.models import PeerList
from node.federating.peers import peer_list_subscriptions, peer_lists, peer_suggestions
from node.federating.peers import service as peers
from node.principal import Principal
from node.testing.nodes import Nodes, TestNode
from tests.faults.many_rows import recorded
from tests.federation.test_peers import decide

LIST = "https://brackwell.test/peers.csv"
MANY_HOSTS = 500
# A portion writes a few rows for each host.
MOST_AT_ONCE = 4 * peer_lists.BATCH_SIZE


def state(node: TestNode, host: str) -> str | None:
    with node.reading() as session:
        return session.scalar(select(PeerRow.state).where(PeerRow.host == host))


def is_allowed(node: TestNode, host: str) -> bool:
    with node.reading() as session:
        return peers.is_allowed(session, node.node.settings, host)


def settle(nodes: Nodes, *jobs: str) -> None:
    for one in nodes.started:
        for job in jobs:
            one.node.jobs.wake(job)
    nodes.run_until_idle()


def subscribe(nodes: Nodes, node: TestNode, **more: bool) -> None:
    with node.work() as work:
        peer_list_subscriptions.subscribe(work, LIST, **more)
    nodes.run_until_idle()


def read_again(nodes: Nodes, node: TestNode) -> None:
    """As if a day had passed."""
    with node.work() as work:
        for row in peer_list_subscriptions.list_all(work.session):
            peer_list_subscriptions.subscribe(work, row.url, may_allow=row.may_allow)
    nodes.run_until_idle()


def pair(nodes: Nodes, **settings: Any) -> tuple[TestNode, TestNode]:
    """A node that reads, and brackwell, which publishes."""
    reader, publisher = nodes.start("aldermoor"), nodes.start("brackwell", **settings)
    reader.allow(publisher)
    publisher.allow(reader)
    return reader, publisher


@pytest.mark.parametrize("wanted", ["plain", "mastodon"])
def test_a_list_that_is_written_is_read_as_it_was(wanted: peer_lists.PeerListFormat) -> None:
    entries = (
        peer_lists.PeerListEntry(
            "bad.example", "blocked", 'Says "buy", and\u2028more'.replace("\u2028", " ")
        ),
        peer_lists.PeerListEntry("xn--cmbrd-0ra.example:8443", "blocked"),
    )
    assert peer_lists.parse_list(peer_lists.dump_csv(entries, wanted).encode()).entries == entries


def test_mastodons_list_blocks_what_it_suspends() -> None:
    header = ",".join(peer_lists.MASTODON_COLUMNS)
    body = f"\ufeff{header}\nbad.example,suspend,False,False,Spam,False\nloud.example,silence,,,,\n"
    found = peer_lists.parse_list(body.encode())
    assert found.entries == (peer_lists.PeerListEntry("bad.example", "blocked", "Spam"),)
    assert found.errors == {}


@pytest.mark.parametrize(
    "line, words",
    [
        ("bad host,blocked", "bad host is not a server name"),
        ("*.example,blocked", "*.example is not a server name"),
        ("bad.example,forbidden", "forbidden must be allowed or blocked"),
        ("bad.example", "as the first line: 1, not 3"),
        ("bad.example,blocked,a,b", "as the first line: 4, not 3"),
        ("example,blocked", "is not a full server name"),
        ("good.example,blocked", "is listed above with a different state"),
        ("https://bad.example/,blocked", "is not a server name"),
        (",blocked", "an empty name is not a server name"),
        ("bad.example,", "must be allowed or blocked"),
    ],
)
def test_each_bad_line_of_a_list_is_named(line: str, words: str) -> None:
    found = peer_lists.parse_list(f"host,state,comment\ngood.example,allowed,\n{line}\n".encode())
    assert list(found.errors) == ["line 3"]
    assert words in found.errors["line 3"]
    with pytest.raises(InvalidInputError) as refused:
        peer_lists.require_valid(found)
    assert refused.value.fields == found.errors


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"good.example\n",
        b"host,state,comment,host\n",
        b'host,state\n"good.example,allowed\n',
        b"host,state\n" + b"a" * 200_000 + b",allowed\n",
        b"x" * (peer_lists.MAX_BYTES + 1),
        b"host,state\n" + b"".join(b"h%d.example,blocked\n" % n for n in range(10_001)),
    ],
)
def test_what_is_no_list_is_refused_whole(body: bytes) -> None:
    with pytest.raises(InvalidInputError) as refused:
        peer_lists.parse_list(body)
    assert "file" in refused.value.fields


def test_a_formula_in_a_comment_stays_a_text() -> None:
    found = peer_lists.parse_list(b"host,state,comment\na.example,blocked,=cmd()\n")
    assert found.entries[0].comment == "cmd()"


def test_an_import_does_not_overturn_the_operator(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    decide(node, "friend.example", peers.ALLOWED)
    body = b"host,state\nfriend.example,blocked\nfoe.example,blocked\naldermoor.test,blocked\n"
    entries = peer_lists.require_valid(peer_lists.parse_list(body))
    taken = peer_lists.import_entries(node.node, Principal.job("test"), entries)
    assert taken == peer_lists.PeerListImport(1, 0, ("friend.example", "aldermoor.test"))
    assert is_allowed(node, "friend.example")
    assert state(node, "foe.example") == peers.BLOCKED
    with node.reading() as session:
        known = set(session.scalars(select(PeerRow.host)))
    assert known == {"friend.example", "foe.example"}, "a node is no server that it speaks with"
    entries = peer_lists.require_valid(peer_lists.parse_list(body))
    taken = peer_lists.import_entries(node.node, Principal.job("test"), entries)
    assert (taken.new_count, taken.unchanged_count) == (0, 1)


@pytest.mark.parametrize("path", ["/peers.csv", "/peers.json"])
def test_no_list_is_published_unless_the_operator_says_so(path: str, nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    decide(node, "friend.example", peers.ALLOWED)
    assert node.visitor().visit(path).status_code == 404


def test_must_30_a_list_for_peers_is_read_by_them_alone(nodes: Nodes) -> None:
    reader, publisher = pair(nodes, publish_blocks="peers", publish_peers="nobody")
    decide(publisher, "foe.example", peers.BLOCKED)
    assert publisher.visitor().visit("/peers.csv").status_code == 404
    subscribe(nodes, reader)
    assert state(reader, "foe.example") == peers.BLOCKED


def test_what_everybody_may_read_of_the_list(nodes: Nodes) -> None:
    node = nodes.start("aldermoor", publish_peers="everybody")
    decide(node, "friend.example", peers.ALLOWED)
    decide(node, "foe.example", peers.BLOCKED)
    assert (
        node.visitor().visit("/peers.csv").text == "host,state,comment\nfriend.example,allowed,\n"
    )
    answer = node.visitor().visit("/peers.json")
    assert answer.get_json()["peers"] == [
        {"host": "friend.example", "state": "allowed", "comment": "", "software": ""}
    ]


def test_a_subscribed_list_blocks_and_only_suggests(nodes: Nodes) -> None:
    reader, publisher = pair(nodes, publish_peers="everybody", publish_blocks="everybody")
    decide(publisher, "foe.example", peers.BLOCKED)
    decide(publisher, "stranger.example", peers.ALLOWED)
    subscribe(nodes, reader)
    assert state(reader, "foe.example") == peers.BLOCKED
    assert state(reader, "stranger.example") == peers.UNKNOWN
    with reader.reading() as session:
        assert [row.host for row in peer_suggestions.list_suggestions(session)] == [
            "stranger.example"
        ]
    assert is_allowed(reader, publisher.host), "what the operator said stands"

    with publisher.work() as work:
        peers.reset_decision(work, "foe.example")
    read_again(nodes, reader)
    assert state(reader, "foe.example") == peers.UNKNOWN


def test_a_list_allows_where_the_operator_trusts_it(nodes: Nodes) -> None:
    reader, publisher = pair(nodes, publish_peers="everybody", publish_blocks="everybody")
    decide(publisher, "stranger.example", peers.ALLOWED)
    subscribe(nodes, reader, may_allow=True)
    assert is_allowed(reader, "stranger.example")
    peer_list_subscriptions.unsubscribe(reader.node, Principal.job("test"), LIST)
    assert not is_allowed(reader, "stranger.example")
    with reader.reading() as session:
        assert session.scalar(select(func.count()).select_from(PeerList)) == 0


def test_a_long_list_is_applied_and_taken_back_while_others_write(nodes: Nodes) -> None:
    reader, publisher = pair(nodes, publish_blocks="everybody")
    entries = [peer_lists.PeerListEntry(f"h{n}.example", peers.BLOCKED) for n in range(MANY_HOSTS)]
    peer_lists.import_entries(publisher.node, Principal.job("test"), entries)
    nodes.run_until_idle()
    with recorded(reader) as found:
        subscribe(nodes, reader)
    assert max(found.sizes) <= MOST_AT_ONCE
    assert found.of_others >= len(found.sizes) // 2
    assert not is_allowed(reader, f"h{MANY_HOSTS - 1}.example")
    operator = reader.visitor("operator")
    operator.visit("/operator/lists")
    with recorded(reader) as found:
        answer = operator.submit("unsubscribe")
    assert "Its decisions no longer apply." in answer.text
    assert max(found.sizes) <= MOST_AT_ONCE
    with reader.reading() as session:
        assert session.scalar(select(func.count()).select_from(PeerList)) == 0
        assert peers.blocked_among(session, {entry.host for entry in entries}) == set()


@pytest.mark.parametrize("first", ["operator", "list"])
def test_the_operators_word_stands_against_a_list(first: str, nodes: Nodes) -> None:
    reader, publisher = pair(nodes, publish_blocks="everybody")
    decide(publisher, "example.org", peers.BLOCKED)
    if first == "operator":
        decide(reader, "friend.example.org", peers.ALLOWED)
    subscribe(nodes, reader)
    if first == "list":
        decide(reader, "friend.example.org", peers.ALLOWED)
    read_again(nodes, reader)
    assert is_allowed(reader, "friend.example.org")
    with reader.reading() as session:
        assert peers.is_blocked(session, "other.example.org")
    decide(reader, "example.org", peers.BLOCKED)
    assert not is_allowed(reader, "friend.example.org"), "the operator's own block wins"


def test_a_list_that_cannot_be_read_keeps_what_it_said(nodes: Nodes) -> None:
    reader, publisher = pair(nodes, publish_blocks="everybody")
    decide(publisher, "foe.example", peers.BLOCKED)
    subscribe(nodes, reader)
    nodes.apps.pop(publisher.host)
    read_again(nodes, reader)
    assert state(reader, "foe.example") == peers.BLOCKED
    with reader.reading() as session:
        (row,) = peer_list_subscriptions.list_all(session)
        assert "could not be reached" in row.outcome
        assert row.attempts == 1


@pytest.mark.parametrize(
    "url", ["", "peers.csv", "http://brackwell.test/peers.csv", "https://aldermoor.test/peers.csv"]
)
def test_what_is_no_address_of_a_list_is_refused(url: str, nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    with node.work() as work, pytest.raises(InvalidInputError):
        peer_list_subscriptions.subscribe(work, url)


def test_servers_are_found_through_servers_and_only_suggested(nodes: Nodes) -> None:
    reader, publisher = pair(nodes, publish_peers="peers")
    third = nodes.start("cragford")
    publisher.allow(third)
    third.allow(publisher)
    settle(nodes, server_discovery.JOB)
    with reader.reading() as session:
        row = session.scalars(select(PeerRow).where(PeerRow.host == publisher.host)).one()
        assert row.software.startswith("moothall ")
    with reader.work() as work:
        for row in work.session.scalars(select(PeerRow)):
            row.asked_at = None  # publisher knows by now what cragford is
    settle(nodes, server_discovery.JOB)
    assert not is_allowed(reader, third.host)
    with reader.work() as work:
        (found,) = peer_suggestions.list_suggestions(work.session)
        assert (found.host, found.found_from) == (third.host, publisher.host)
        peer_suggestions.dismiss(work, third.host)
    with reader.reading() as session:
        assert peer_suggestions.list_suggestions(session) == []


def test_must_35_suggestions_of_one_server_have_an_end(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    hosts = {f"h{number}.example": "" for number in range(300)}
    with node.work() as work:
        assert (
            peer_suggestions.suggest(work, hosts, "one.example") == peer_suggestions.MAX_PER_SOURCE
        )
        assert peer_suggestions.suggest(work, hosts, "one.example") == 0


def test_must_35_servers_nobody_decided_about_have_an_end(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "MAX_UNDECIDED", 3)
    node = nodes.start("aldermoor", federation="open")
    decide(node, "friend.example", peers.ALLOWED)
    for number in range(6):
        with node.work() as work:
            peers.record_seen(work.session, f"h{number}.example")
    with node.reading() as session:
        hosts = set(session.scalars(select(PeerRow.host)))
    assert hosts == {"friend.example", "h3.example", "h4.example", "h5.example"}
