"""The operator's lists of deliveries, received messages, syncs and shared items."""

import html
from urllib.parse import quote

from sqlalchemy import select

from node.access.permissions import COORDINATOR
from node.councils.models import Council
from node.people import service as people
from node.testing.fake_peer import FakePeer
from node.testing.nodes import PASSWORD, Nodes, TestNode, role_email
from tests.federation.test_main_job import follow, publish


def text_of(one: TestNode, address: str) -> str:
    answer = one.visitor("operator").visit(address)
    assert answer.status_code == 200
    return " ".join(html.unescape(answer.text).split())


def test_the_sharing_record_lists_what_was_sent_to_whom(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    publish(here, "Bins")
    nodes.run_until_idle()
    with here.work() as work:
        name, address = "Co Ordinator", role_email(COORDINATOR, here.name)
        people.create(work, name=name, email=address, password=PASSWORD, role=COORDINATOR)
    coordinator = here.visitor(COORDINATOR)
    page = coordinator.visit("/operator/shared").text
    assert "operator-navigation" not in page
    assert page.count(">Bins</a>") == 1, (
        "each project is listed once, with all servers that have it"
    )
    assert page.count("Brackwell Council") == 1
    assert "Sent:" in page
    assert "<time datetime=" in page
    for query, is_found in (("brackWELL", True), ("BIN", True), (there.host, True), ("x%", False)):
        found = coordinator.visit(f"/operator/shared?q={quote(query)}").text
        assert (">Bins</a>" in found) is is_found, query
    table = coordinator.visit("/operator/shared.csv").data.decode("utf-8-sig").splitlines()
    assert table[0] == "project,document,address,council,server,how,first,last,deleted"
    assert [line.split(",")[0] for line in table[1:]] == ["Bins"]
    assert here.visitor("officer").visit("/operator/shared").status_code == 403


def test_the_sharing_record_includes_servers_that_read_our_list(nodes: Nodes) -> None:
    here, there = nodes.pair()
    publish(here, "Published before anyone followed")
    follow(nodes, there, here)
    nodes.run_until_idle()
    text = text_of(here, "/operator/shared")
    assert text.count("Brackwell Council") == 1
    assert "Read in your list of projects:" in text
    publish(here, "Published later")
    nodes.run_until_idle()
    page = text_of(here, "/operator/shared").partition(">Published later</a>")[2]
    assert "Sent:" in page
    assert "Read in the list" not in page


def test_a_gss_code_claimed_by_two_councils_is_shown_to_the_operator(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, here, there)
    heading = "GSS codes claimed by more than one council"
    assert heading not in text_of(here, "/operator")
    with here.work() as work:
        for council in work.session.scalars(select(Council)):
            council.gss_code = "E06000037"
    both_councils = f"Aldermoor Council ({here.host}), Brackwell Council ({there.host})"
    for address in ("/operator", "/desk"):
        page = text_of(here, address)
        assert heading in page
        assert both_councils in page
    assert heading not in here.visitor("officer").visit("/desk").text
    page = text_of(here, "/councils/aldermoor")
    assert f"GSS code E06000037, according to {here.host}" in page


def test_received_messages_are_listed_with_their_outcome(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", here)
    sender = peer.actor("brackwell")
    sender.send(sender.build_activity("Follow", here.council_uri), here)
    sender.send(sender.build_activity("Create", {"id": peer.uri("/x"), "type": "Bicycle"}), here)
    nodes.run_until_idle()
    text = text_of(here, "/operator/received")
    assert "Requested to follow" in text
    assert "no handler for Create Bicycle" in text
    assert "Bicycle" not in text_of(here, "/operator/received?state=done")


def test_syncs_are_listed_with_their_differences(nodes: Nodes) -> None:
    here, there = nodes.pair()
    publish(here, "Bins")
    nodes.run_until_idle()
    follow(nodes, there, here)
    text = text_of(there, "/operator/reading")
    assert "Done: 1 fetched" in text
    assert "No differences" in text


def test_all_failed_deliveries_to_a_server_are_retried_or_cancelled(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", here)
    sender = peer.actor("brackwell")
    sender.send(sender.build_activity("Follow", here.council_uri), here)
    nodes.run_until_idle()
    # A permanent failure, but not 410: that would end the follow.
    peer.response_status = 404
    for title in ("Bins", "Roads"):
        publish(here, title)
    nodes.run_until_idle()
    assert "There are no problems to fix." not in text_of(here, "/operator")
    operator = here.visitor("operator")
    operator.visit(f"/operator/deliveries?host={peer.host}")
    peer.response_status = 202
    answer = operator.submit("deliveries/all", then="retry")
    assert "deliveries will be retried." in answer.text
    nodes.run_until_idle()
    assert "There are no problems to fix." in text_of(here, "/operator")
    assert len(peer.received_of_type("Create")) >= 2

    peer.response_status = 503
    publish(here, "Streets")
    nodes.run_until_idle()
    operator.visit(f"/operator/deliveries?host={peer.host}")
    assert "1 delivery will be cancelled." in operator.submit("deliveries/all", then="give-up").text
