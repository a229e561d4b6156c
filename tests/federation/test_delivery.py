"""What follows from the answers to deliveries (musts 8, 27 and 29), and who gets what."""

import time
from datetime import timedelta

import pytest

from federation.retry import RetryPolicy
from federation.signatures import SignedRequest, parse_signature
from federation.vocabulary import RFC9421_CAPABILITY
from node.councils import service as councils
from node.federating import retention
from node.federating.models import Delivery
from node.federating.outbound import delivery, peer_health
from node.federating.peers import fetching
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.delivering import (
    Moody,
    follower,
    pass_time,
    peer_row,
    say,
    send_due,
    states,
)
from tests.jobs.pruning import prune
from tests.refusals.test_caps import count

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOST = "brackwell.test"


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def there(nodes: Nodes, node: TestNode) -> Moody:
    return follower(nodes, node, HOST)[0]


def test_must_8_a_shared_inbox_gets_each_activity_once(nodes: Nodes, node: TestNode) -> None:
    there, _ = follower(nodes, node, HOST)
    second = there.actor()
    assert second.send(second.build_activity("Follow", node.council_uri), node).status_code == 202
    nodes.run_until_idle()
    there.received.clear()
    say(node)
    nodes.run_until_idle()
    (headers,) = there.signatures()
    request = SignedRequest("POST", "https", HOST, "/inbox", headers, b"")
    assert parse_signature(request).key_id == f"{node.council_uri}#main-key"
    assert 'headers="(request-target) host date digest ' in (headers.get("signature") or "")


@pytest.mark.parametrize("status", [404, 410])
def test_must_27_gone_is_final(nodes: Nodes, node: TestNode, there: Moody, status: int) -> None:
    there.response_status = status
    say(node)
    send_due(nodes, node)
    send_due(nodes, node, 30 * DAY)
    assert states(node, HOST) == [("failed", 1)]


@pytest.mark.parametrize("status", [401, 403])
def test_must_27_a_refusal_is_tried_three_times(
    nodes: Nodes, node: TestNode, there: Moody, status: int
) -> None:
    there.response_status = status
    say(node)
    for _ in range(5):
        send_due(nodes, node, DAY)
    assert states(node, HOST) == [("failed", 3)]


def test_must_27_a_follow_that_is_refused_waits_for_the_other_operator(
    nodes: Nodes, node: TestNode, there: Moody
) -> None:
    council = there.actor("brackwell", type="Organization")
    there.response_status = 403
    with node.app.app_context():
        found = fetching.fetch_actor(node.node, council.uri)
    with node.work() as work:
        councils.follow(work, found)
    nodes.run_until_idle()
    for _ in range(30):
        send_due(nodes, node, DAY)
    ((state, attempts),) = states(node, HOST)
    assert (state, attempts > 20) == ("pending", True)
    page = node.visitor("operator").visit("/councils").text
    assert "Waiting for the other council’s operator" in page
    assert "Ask its operator to allow aldermoor.test" in page
    there.response_status = 202
    nodes.run_until_idle()
    assert states(node, HOST) == [("pending", attempts)], "it is not due yet"
    node.node.peer_seen_cache.clear()
    assert council.send(council.build_activity("Like", "https://x.test/"), node).status_code == 202
    nodes.run_until_idle()
    assert states(node, HOST) == [("delivered", attempts + 1)]
    assert "Waiting for a reply" in node.visitor("operator").visit("/councils").text


def test_must_27_a_follow_that_is_refused_is_given_up_after_six_weeks(
    nodes: Nodes, node: TestNode, there: Moody
) -> None:
    council = there.actor("brackwell", type="Organization")
    there.response_status = 401
    with node.app.app_context():
        found = fetching.fetch_actor(node.node, council.uri)
    with node.work() as work:
        councils.follow(work, found)
    for _ in range(4):
        send_due(nodes, node, DAY)
    send_due(nodes, node, 40 * DAY)
    assert [state for state, _ in states(node, HOST)] == ["failed"]


def test_must_40_a_message_from_a_host_ends_the_leaving_alone_with_one_probe(
    nodes: Nodes, node: TestNode
) -> None:
    there, sender = follower(nodes, node, HOST)
    del nodes.apps[HOST]
    for _ in range(3):
        say(node)
    for _ in range(6):
        send_due(nodes, node, 10 * timedelta(seconds=1))

    def hear() -> None:
        pass_time(node, 10 * timedelta(seconds=1))
        node.node.peer_seen_cache.clear()
        message = sender.build_activity("Like", "https://x.test/")
        assert sender.send(message, node).status_code == 202
        nodes.run_until_idle()

    tried = sum(attempts for _, attempts in states(node, HOST))
    failures = peer_row(node, HOST).failures
    assert failures >= 5
    send_due(nodes, node)
    assert sum(attempts for _, attempts in states(node, HOST)) == tried, "it is left alone"
    hear()
    assert sum(attempts for _, attempts in states(node, HOST)) == tried + 1, "one is the probe"
    nodes.apps[HOST] = there
    hear()
    assert {state for state, _ in states(node, HOST)} == {"delivered"}


def test_must_27_a_host_that_asks_to_wait_is_left_alone_as_a_whole(
    nodes: Nodes, node: TestNode, there: Moody
) -> None:
    there.response_status, there.headers = 429, {"Retry-After": "3600"}
    say(node)
    send_due(nodes, node)
    say(node)
    send_due(nodes, node, 50 * MINUTE)
    assert states(node, HOST) == [("pending", 1), ("pending", 0)]
    there.response_status, there.headers = 202, {}
    send_due(nodes, node, 30 * MINUTE)
    assert [state for state, _ in states(node, HOST)] == ["delivered", "delivered"]


def test_must_27_a_dead_host_is_probed_by_one_and_gets_all_when_it_is_back(
    nodes: Nodes, node: TestNode, there: Moody
) -> None:
    app = nodes.apps.pop(HOST)
    for _ in range(3):
        say(node)
    for _ in range(6):
        send_due(nodes, node, 10 * timedelta(seconds=1))
    tried = sum(attempts for _, attempts in states(node, HOST))
    say(node)
    send_due(nodes, node)
    assert sum(attempts for _, attempts in states(node, HOST)) == tried, "it is left alone"
    send_due(nodes, node, DAY)
    assert sum(attempts for _, attempts in states(node, HOST)) == tried + 1, "one is the probe"
    nodes.apps[HOST] = app
    send_due(nodes, node, DAY)
    assert {state for state, _ in states(node, HOST)} == {"delivered"}
    assert peer_row(node, HOST).failures == 0


def test_what_fails_at_one_moment_is_one_failure(
    nodes: Nodes, node: TestNode, there: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that is started anew is not left alone for minutes. The moment is longer here, since
    eight requests take theirs on a busy machine.
    """
    monkeypatch.setattr("federation.retry.SAME_FAILURE_WINDOW", 20 * MINUTE)
    monkeypatch.setattr("federation.retry.DELIVERY", RetryPolicy(20 * MINUTE))
    for _ in range(8):
        say(node)
    there.response_status = 500
    send_due(nodes, node)
    peer = peer_row(node, there.host)
    assert (peer.failures, peer.try_after) == (1, None)
    there.response_status = 202
    send_due(nodes, node, 60 * MINUTE)
    assert states(node, there.host) == [("delivered", 2)] * 8


def test_must_27_a_host_that_was_away_for_a_week_is_probed_and_recovers(
    nodes: Nodes, node: TestNode, there: Moody
) -> None:
    known = say(node)
    send_due(nodes, node)
    app = nodes.apps.pop(HOST)
    say(node)
    say(node, "Delete", known)
    for _ in range(30):
        send_due(nodes, node, 8 * HOUR)
    assert [state for state, _ in states(node, HOST)] == ["delivered", "failed", "pending"]
    assert states(node, HOST)[1][1] < 25
    nodes.apps[HOST] = app
    there.received.clear()
    send_due(nodes, node, DAY)
    assert there.kinds() == ["Delete"], "whoever got something hears that it is gone"
    say(node)
    send_due(nodes, node)
    assert there.kinds() == ["Delete", "Create"]


def test_must_27_a_host_for_which_nothing_waits_is_probed_too(
    nodes: Nodes, node: TestNode, there: Moody
) -> None:
    app = nodes.apps.pop(HOST)
    say(node)
    for _ in range(30):
        send_due(nodes, node, 8 * HOUR)
    assert [state for state, _ in states(node, HOST)] == ["failed"]
    peer_health.run_probe_job(node.node)
    nodes.apps[HOST] = app
    there.fetched.clear()
    peer_health.run_probe_job(node.node)
    assert there.fetched == [], "it was asked just now"
    pass_time(node, DAY)
    peer_health.run_probe_job(node.node)
    assert there.fetched == ["/.well-known/nodeinfo"]
    assert peer_row(node, HOST).try_after is None
    say(node)
    nodes.run_until_idle()
    assert there.kinds() == ["Create"]


def test_must_29_each_attempt_is_signed_anew(nodes: Nodes, node: TestNode, there: Moody) -> None:
    there.response_status = 503
    say(node)
    send_due(nodes, node)
    time.sleep(1.1)  # a Date knows seconds
    send_due(nodes, node, MINUTE)
    first, second = there.signatures()
    for name in ("signature", "date"):
        assert first.get(name) != second.get(name), name
    assert first.get("digest") == second.get("digest")


@pytest.mark.parametrize("asks", [True, False], ids=["asked for", "bare 401"])
def test_rfc_9421_is_spoken_where_nothing_else_is_taken_and_no_longer_than_it_is(
    asks: bool, nodes: Nodes, node: TestNode, there: Moody
) -> None:
    there.takes = "signature-input"
    asking = {"Accept-Signature": 'sig1=("@method" "@target-uri" "content-digest")'}
    there.headers = asking if asks else {}
    say(node)
    send_due(nodes, node)
    assert states(node, HOST) == [("delivered", 1)]
    assert ["signature-input" in headers for headers in there.signatures()] == [False, True]
    say(node)
    send_due(nodes, node)
    assert ["signature-input" in headers for headers in there.signatures()][2:] == [True]
    there.takes, there.headers = "digest", {}
    say(node)
    send_due(nodes, node)
    say(node)
    send_due(nodes, node)
    spoken = ["signature-input" in headers for headers in there.signatures()][3:]
    assert spoken == [True, False, False]
    assert {state for state, _ in states(node, HOST)} == {"delivered"}


def test_rfc_9421_is_spoken_with_whoever_says_that_it_takes_that(
    nodes: Nodes, node: TestNode
) -> None:
    there = Moody.join(nodes, HOST, node)
    takes = {"href": RFC9421_CAPABILITY, "name": "HTTP Message Signatures"}
    actor = there.actor(generator={"type": "Application", "implements": [takes]})
    assert actor.send(actor.build_activity("Follow", node.council_uri), node).status_code == 202
    nodes.run_until_idle()
    assert ["signature-input" in headers for headers in there.signatures("Accept")] == [True]


def test_what_is_for_peers_goes_to_no_unknown_server_in_open_mode(nodes: Nodes) -> None:
    node = nodes.start("aldermoor", federation="open")
    allowed, _ = follower(nodes, node, HOST)
    unknown = FakePeer.join(nodes, "unknown.test")
    actor = unknown.actor()
    assert actor.send(actor.build_activity("Follow", node.council_uri), node).status_code == 202
    nodes.run_until_idle()
    about = say(node, audience="peers")
    nodes.run_until_idle()
    assert (len(allowed.received_of_type("Create")), unknown.received_of_type("Create")) == (1, [])
    say(node, "Delete", about, audience="peers")
    nodes.run_until_idle()
    assert (len(allowed.received_of_type("Delete")), unknown.received_of_type("Delete")) == (1, [])


def test_of_one_object_everything_comes_in_order(
    nodes: Nodes, node: TestNode, there: Moody
) -> None:
    app = nodes.apps.pop(HOST)
    about = say(node)
    for _ in range(6):
        say(node, "Update", about)
    send_due(nodes, node)
    nodes.apps[HOST] = app
    send_due(nodes, node, HOUR)
    assert there.kinds() == ["Create", *["Update"] * 6]


def test_nothing_hides_behind_what_waits_for_another(
    nodes: Nodes, node: TestNode, there: Moody
) -> None:
    there.response_status = 403
    about = say(node)
    send_due(nodes, node)
    there.response_status = 202
    for _ in range(12):
        say(node, "Update", about)
    other = say(node)
    send_due(nodes, node)
    assert [document["object"]["id"] for _, document in there.received][1:] == [other]


def test_an_operator_tries_again_or_gives_up_all_of_a_host(
    nodes: Nodes, node: TestNode, there: Moody
) -> None:
    there.response_status = 404
    say(node)
    say(node)
    nodes.run_until_idle()
    there.response_status = 202
    with node.work() as work:
        assert delivery.retry_host(work, HOST) == 2
    nodes.run_until_idle()
    assert {state for state, _ in states(node, HOST)} == {"delivered"}
    del nodes.apps[HOST]
    say(node)
    nodes.run_until_idle()
    with node.work() as work:
        assert delivery.cancel_host(work, HOST) == 1
    assert [state for state, _ in states(node, HOST)][2:] == ["failed"]


def test_what_was_finished_long_ago_is_not_kept(
    nodes: Nodes, node: TestNode, there: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(node)
    nodes.run_until_idle()
    prune(node)
    assert count(node, Delivery) == 2, "the Accept and the first"
    monkeypatch.setattr(retention, "DELIVERY_MAX_AGE", -DAY)
    there.response_status = 500
    say(node)
    prune(node)
    assert count(node, Delivery) == 1
    assert states(node, HOST) == [("pending", 1)]
