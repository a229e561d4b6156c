"""Which servers a node speaks with, and what its operator sees of it (must 30)."""

import html
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from node.federating.models import Delivery, DeliveryAttempt, InboxItem
from node.federating.peers import service as peers
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.test_following import follows
from tests.federation.test_main_job import follow, publish

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def decide(node: TestNode, host: str, state: str) -> None:
    with node.work() as work:
        peers.decide(work, host, state)


def test_must_30_an_officer_cannot_follow_where_the_operator_has_not_allowed(nodes: Nodes) -> None:
    here, there = nodes.start("aldermoor"), nodes.start("brackwell")
    officer = there.visitor("officer")
    officer.visit("/councils/follow")
    answer = officer.submit("follow", address=here.address)
    assert answer.status_code == 400
    assert "govuk-error-summary" in answer.text
    assert "does not exchange data with" in html.unescape(answer.text)
    with there.reading() as session:
        assert not peers.is_allowed(session, there.node.settings, here.host)
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0


def test_an_operator_who_follows_allows_the_server(nodes: Nodes) -> None:
    here, there = nodes.start("aldermoor"), nodes.start("brackwell")
    here.allow(there)
    operator = there.visitor("operator")
    operator.visit("/councils/follow")
    assert (
        "Your council has asked to follow" in operator.submit("follow", address=here.address).text
    )
    nodes.run_until_idle()
    publish(here, "Bins")
    nodes.run_until_idle()
    assert "Bins" in there.visitor().visit("/projects").text
    assert here.host in operator.visit("/operator/peers").text


@pytest.mark.parametrize("role", ["officer", "operator"])
def test_must_30_nobody_follows_a_blocked_server(role: str, nodes: Nodes) -> None:
    here, there = nodes.start("aldermoor"), nodes.start("brackwell")
    decide(there, here.host, peers.BLOCKED)
    visitor = there.visitor(role)
    visitor.visit("/councils/follow")
    answer = visitor.submit("follow", address=here.address)
    assert answer.status_code == 400
    assert "govuk-error-summary" in answer.text


@pytest.mark.parametrize("address", ["@council@friendly.test", "https://friendly.test/actor"])
def test_an_operator_vouches_for_the_server_that_was_typed_and_no_other(
    address: str, nodes: Nodes
) -> None:
    """It may name another one, or send us on to it; the operator has not heard of that."""
    node = nodes.start("aldermoor")
    evil = FakePeer.join(nodes, "evil.test").actor("council")
    friendly = Friendly.join(nodes, "friendly.test")
    links = [{"rel": "self", "type": "application/activity+json", "href": evil.uri}]
    target = "/.well-known/webfinger?resource=acct:council@friendly.test"
    friendly.serve(friendly.uri(target), {"links": links})
    friendly.leads_to["/actor"] = evil.uri
    operator = node.visitor("operator")
    operator.visit("/councils/follow")
    answer = operator.submit("follow", address=address)
    assert answer.status_code == 400
    assert "evil.test" in answer.text
    assert evil.peer.fetched == []
    with node.reading() as session:
        assert not peers.is_allowed(session, node.node.settings, "evil.test")
    decide(node, "evil.test", peers.ALLOWED)
    operator.visit("/councils/follow")
    assert "Your council has asked to follow" in operator.submit("follow", address=address).text


@pytest.mark.parametrize("state", [peers.BLOCKED, peers.UNKNOWN])
def test_must_30_a_redirect_to_a_server_that_is_not_allowed_is_not_taken(
    state: str, nodes: Nodes
) -> None:
    node = nodes.start("aldermoor")
    other = FakePeer.join(nodes, "cragford.test")
    if state == peers.BLOCKED:
        decide(node, other.host, state)
    friendly = Friendly.join(nodes, "friendly.test", node)
    friendly.leads_to["/projects/1"] = other.uri("/projects/1")
    friendly.leads_to["/projects/2"] = f"{node.council_uri}/outbox"
    sender = friendly.actor()
    for number in (1, 2):
        activity = sender.build_activity("Create", friendly.uri(f"/projects/{number}"))
        assert sender.send(activity, node).status_code == 202
        nodes.run_until_idle()
    assert {"/projects/1", "/projects/2"} <= set(friendly.fetched)
    assert other.fetched == []
    with node.reading() as session:
        rows = session.scalars(select(InboxItem).order_by(InboxItem.id)).all()
    assert [row.state for row in rows] == ["failed", "failed"]
    assert "cragford.test" in rows[0].outcome
    assert node.host in rows[1].outcome


@dataclass
class Friendly(FakePeer):
    """Sends those who ask for what is in `leads_to` somewhere else."""

    leads_to: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        target = str(environ["REQUEST_URI"])
        if target not in self.leads_to:
            return super().__call__(environ, start_response)
        self.fetched.append(target)
        start_response("302 Found", [("Location", self.leads_to[target])])
        return []


def test_a_webfinger_answer_too_deep_to_read_is_said_to_be_none(nodes: Nodes) -> None:
    def deep(_environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "application/jrd+json")])
        return [b"[" * 500_000]

    node = nodes.start("aldermoor")
    nodes.apps["deep.test"] = deep
    operator = node.visitor("operator")
    operator.visit("/councils/follow")
    answer = operator.submit("follow", address="@council@deep.test")
    assert answer.status_code == 400
    assert "deep.test does not recognise" in answer.text


@pytest.mark.parametrize(
    "address, words",
    [
        ("", "address"),
        ("nonsense", "address"),
        ("@nobody@aldermoor.test", "aldermoor.test"),
        ("@aldermoor@nowhere.test", "nowhere.test"),
        ("https://aldermoor.test/projects", "aldermoor.test"),
        ("@brackwell@brackwell.test", "another council"),
    ],
)
def test_an_address_that_leads_nowhere_is_said_to(address: str, words: str, nodes: Nodes) -> None:
    here, there = nodes.pair()
    decide(there, "nowhere.test", peers.ALLOWED)
    assert here.host == "aldermoor.test"
    officer = there.visitor("officer")
    officer.visit("/councils/follow")
    answer = officer.submit("follow", address=address)
    assert answer.status_code == 400
    assert "govuk-error-summary" in answer.text
    assert words in html.unescape(answer.text)


def test_must_30_nothing_is_sent_to_a_blocked_server(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    follows(nodes, peer.actor(), node)
    peer.received.clear()
    decide(node, peer.host, peers.BLOCKED)
    publish(node, "Bins")
    nodes.run_until_idle()
    assert peer.received == []


def test_must_30_what_waits_for_a_server_is_not_sent_once_it_is_blocked(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    follows(nodes, peer.actor(), node)
    peer.received.clear()
    publish(node, "Bins")
    decide(node, peer.host, peers.BLOCKED)
    nodes.run_until_idle()
    assert peer.received == []
    page = node.visitor("operator").visit("/operator/deliveries?state=failed").text
    assert "This server has been blocked" in html.unescape(page)


def test_a_failed_delivery_is_shown_and_tried_again_by_its_button(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    app = nodes.apps.pop(there.host)
    nodes.apps[there.host] = gone = FakePeer(there.host, response_status=410)
    publish(here, "Bins")
    nodes.run_until_idle()
    assert len(gone.received_of_type("Create")) == 1
    operator = here.visitor("operator")
    page = operator.visit("/operator/deliveries?state=failed")
    assert there.host in page.text
    assert "410" in page.text

    nodes.apps[there.host] = app
    nodes.run_until_idle()
    assert "Bins" not in there.visitor().visit("/projects").text, "the delivery has failed"
    operator.visit("/operator/deliveries?state=failed")
    assert f"The delivery to {there.host} will be retried." in operator.submit("/retry").text
    nodes.run_until_idle()
    assert "Bins" in there.visitor().visit("/projects").text
    with here.reading() as session:
        row = session.scalars(select(Delivery).order_by(Delivery.id.desc())).first()
        assert row is not None
        query = select(DeliveryAttempt.status).where(DeliveryAttempt.delivery_id == row.id)
        assert list(session.scalars(query.order_by(DeliveryAttempt.id))) == [410, 202]


@pytest.mark.parametrize(
    "status, state", [(404, "failed"), (410, "failed"), (400, "failed"), (500, "pending")]
)
def test_what_follows_from_an_answer(status: int, state: str, nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    follows(nodes, peer.actor(), node)
    peer.response_status = status
    publish(node, "Bins")
    nodes.run_until_idle()
    with node.reading() as session:
        row = session.scalars(select(Delivery).order_by(Delivery.id.desc())).first()
        assert row is not None
        assert (row.state, row.attempts) == (state, 1)


def test_a_refused_follow_says_why_and_can_be_sent_again_at_once(nodes: Nodes) -> None:
    here, there = nodes.start("aldermoor"), nodes.start("brackwell")
    operator = there.visitor("operator")
    operator.visit("/councils/follow")
    operator.submit("follow", address=here.address)
    nodes.run_until_idle()
    page = operator.visit("/operator/deliveries").text
    assert "This server does not exchange data with yours." in page
    assert "about:blank" not in page
    here.allow(there)
    operator.submit("/retry")
    nodes.run_until_idle()
    assert "Following" in operator.visit("/councils").text
