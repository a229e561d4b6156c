"""Who a server is that reads: what is believed of it, what is fetched for it, what it gets."""

import pytest
from sqlalchemy import select

from federation.errors import RefusalReason
from federation.signatures import SignatureScheme
from node.access.visibility import Visibility
from node.federating.models import Disclosure, RefusalCount
from node.federating.peers import refusals
from node.projects.models import ProjectState
from node.testing.fake_peer import ACTIVITY_JSON, FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.visibility.town import HTML, change, signed_get, write

PUBLISHED = ProjectState.published


@pytest.fixture
def here(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, here: TestNode) -> FakeActor:
    return FakePeer.join(nodes, "brackwell.test", here).actor("brackwell")


def counted(node: TestNode) -> dict[tuple[str, str], int]:
    refusals.flush(node.node)
    with node.reading() as session:
        query = select(RefusalCount.host, RefusalCount.reason, RefusalCount.count)
        return {(host, reason): count for host, reason, count in session.execute(query)}


@pytest.mark.parametrize("scheme", SignatureScheme)
def test_must_30_what_is_for_peers_is_given_to_a_peer_that_signs(
    scheme: SignatureScheme, here: TestNode, peer: FakeActor
) -> None:
    address = f"/projects/{write(here, 'Bins', Visibility.peers, PUBLISHED)}"
    for _ in range(2):
        answer = signed_get(here, peer, address, scheme)
        assert answer.status_code == 200
        assert answer.get_json(force=True)["visibility"] == "peers"
    assert peer.peer.fetched == ["/councils/brackwell"]  # its key, once
    plain = here.app.test_client().get(address, headers={"Accept": ACTIVITY_JSON})
    assert plain.status_code == 404


def test_what_not_all_may_read_is_kept_by_nobody_on_the_way(
    here: TestNode, peer: FakeActor
) -> None:
    address = f"/projects/{write(here, 'Bins', Visibility.public, PUBLISHED)}"
    signed = signed_get(here, peer, address)
    assert signed.headers["Cache-Control"] == "private, no-store"
    plain = here.app.test_client().get(address, headers={"Accept": ACTIVITY_JSON})
    assert "Cache-Control" not in plain.headers
    for answer in (signed, plain):
        assert {"Accept", "Signature", "Signature-Input"} <= set(answer.vary)


WRONG = {
    "a signature of something else": {"Date": "Mon, 01 Jan 2024 00:00:00 GMT"},
    "one that cannot be read": {"Signature": 'keyId="https://brackwell.test/councils/1"'},
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("visibility", [Visibility.peers, Visibility.private])
def test_must_30_a_peer_with_a_wrong_signature_is_told_so_where_it_may_read_nothing(
    wrong: str, visibility: Visibility, here: TestNode, peer: FakeActor
) -> None:
    for address in (f"/projects/{write(here, 'Bins', visibility, PUBLISHED)}", "/projects/nobody"):
        answer = signed_get(here, peer, address, but=WRONG[wrong])
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert list(counted(here).values()) == [2]


@pytest.mark.parametrize("wrong", WRONG)
def test_must_36_what_is_public_is_read_with_a_wrong_signature_too(
    wrong: str, here: TestNode, peer: FakeActor
) -> None:
    token = write(here, "Bins", Visibility.public, PUBLISHED)
    secret = write(here, "Taxis", Visibility.peers, PUBLISHED)
    answer = signed_get(here, peer, f"/projects/{token}", but=WRONG[wrong])
    assert answer.status_code == 200
    assert {"Signature", "Signature-Input"} <= set(answer.vary)
    outbox = signed_get(here, peer, "/councils/aldermoor/outbox?page=1", but=WRONG[wrong])
    assert outbox.status_code == 200
    assert token in outbox.text
    assert secret not in outbox.text


@pytest.mark.parametrize("path", ["", "?after=0", "/digest", "/digest/0", "/conversations"])
def test_must_30_what_a_peer_compares_by_is_never_less_than_it_is_due(
    path: str, here: TestNode, peer: FakeActor
) -> None:
    for wrong in WRONG.values():
        answer = signed_get(here, peer, f"/councils/aldermoor/projects{path}", but=wrong)
        assert answer.status_code == 401


def test_must_30_a_signature_for_another_address_gets_nothing(
    here: TestNode, peer: FakeActor
) -> None:
    public = f"/projects/{write(here, 'Bins', Visibility.public, PUBLISHED)}"
    secret = f"/projects/{write(here, 'Taxis', Visibility.peers, PUBLISHED)}"
    signed = signed_get(here, peer, public).request.headers
    headers = {name: signed[name] for name in ("Signature", "Date", "Host", "Accept")}
    answer = here.app.test_client().get(secret, headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize("mode", ["allow-list", "open"])
def test_must_30_no_key_is_fetched_of_a_server_that_nobody_allowed_by_name(
    mode: str, nodes: Nodes
) -> None:
    settings = {"federation": "open"} if mode == "open" else {}
    here = nodes.start("aldermoor", **settings)
    stranger = FakePeer.join(nodes, "stranger.test").actor("stranger")
    public = f"/projects/{write(here, 'Bins', Visibility.public, PUBLISHED)}"
    secret = f"/projects/{write(here, 'Taxis', Visibility.peers, PUBLISHED)}"
    assert signed_get(here, stranger, public).status_code == 200
    assert signed_get(here, stranger, secret).status_code == 404
    assert stranger.peer.fetched == []


def test_must_30_a_blocked_server_that_says_who_it_is_reads_nothing(
    nodes: Nodes, here: TestNode
) -> None:
    blocked = FakePeer.join(nodes, "blocked.test").actor("blocked")
    operator = here.visitor("operator")
    operator.visit("/operator/peers")
    operator.submit("peers", host="blocked.test", state="blocked")
    address = f"/projects/{write(here, 'Bins', Visibility.public, PUBLISHED)}"
    for path in (address, "/councils/aldermoor/outbox", "/councils/aldermoor/projects"):
        assert signed_get(here, blocked, path).status_code == 403
    assert blocked.peer.fetched == []
    assert counted(here) == {("blocked.test", RefusalReason.host_not_allowed): 3}
    plain = here.app.test_client().get(address, headers={"Accept": ACTIVITY_JSON})
    assert plain.status_code == 200


def test_the_nodes_own_actor_is_read_whatever_the_signature(
    here: TestNode, peer: FakeActor
) -> None:
    """Two servers that ask each other for signatures would wait for each other for ever."""
    answer = signed_get(here, peer, "/actor", but={"Signature": "nonsense"})
    assert answer.status_code == 200
    assert peer.peer.fetched == []


def test_there_is_no_document_of_what_is_private(here: TestNode, peer: FakeActor) -> None:
    address = f"/projects/{write(here, 'Bins', Visibility.private, PUBLISHED)}"
    client = here.visitor("officer").client
    assert client.get(address, headers={"Accept": HTML}).status_code == 200
    for path in (address, f"{address}/document"):
        assert client.get(path, headers={"Accept": ACTIVITY_JSON}).status_code == 404
        assert signed_get(here, peer, path).status_code == 404


@pytest.mark.parametrize("path", ["", "/document"])
def test_what_a_peer_reads_stands_in_the_ledger(path: str, here: TestNode, peer: FakeActor) -> None:
    token = write(here, "Bins", Visibility.peers, PUBLISHED)
    assert signed_get(here, peer, f"/projects/{token}{path}").status_code == 200
    assert ledger(here) == {(f"https://aldermoor.test/projects/{token}", "brackwell.test")}


def test_must_31_whoever_read_it_hears_that_it_is_deleted(
    nodes: Nodes, here: TestNode, peer: FakeActor
) -> None:
    token = write(here, "Bins", Visibility.peers, PUBLISHED)
    signed_get(here, peer, "/councils/aldermoor/projects?after=0")
    assert (f"https://aldermoor.test/projects/{token}", "brackwell.test") in ledger(here)
    change(here, token, Visibility.private)
    nodes.run_until_idle()
    (deleted,) = [
        one for one in peer.peer.received_of_type("Delete") if token in one["object"]["id"]
    ]
    assert deleted["object"]["type"] == "Tombstone"


def ledger(node: TestNode) -> set[tuple[str, str]]:
    with node.reading() as session:
        rows = session.execute(select(Disclosure.object_uri, Disclosure.host))
        return {(row.object_uri, row.host) for row in rows}
