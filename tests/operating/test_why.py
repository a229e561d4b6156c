"""The Troubleshoot delivery page says why a server has no copy of an item."""

import html
import json
from typing import Any

import pytest

from node.federating.peers import service as peers
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.test_main_job import follow, publish
from tests.federation.test_updates import written


def page(one: TestNode, uri: str, host: str = "") -> str:
    operator = one.visitor("operator")
    answer = operator.visit(f"/operator/inspect?id={uri}&host={host}")
    assert answer.status_code == 200
    return " ".join(html.unescape(answer.text).split())


def uri_of(one: TestNode, address: str) -> str:
    return f"{one.node.settings.base_url}{address}"


def facts_about(one: TestNode, uri: str) -> dict[str, Any]:
    text = html.unescape(one.visitor("operator").visit(f"/operator/inspect?id={uri}").text)
    facts: dict[str, Any] = json.loads(text.partition('tabindex="0">')[2].partition("</pre>")[0])
    return facts


def test_a_delivered_item(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    uri = uri_of(here, publish(here, "Bins"))
    assert "The next attempt is due." in page(here, uri)
    nodes.run_until_idle()
    text = page(here, uri, there.host)
    assert "The item was delivered, and the server accepted it." in text
    assert "Has a copy" in text
    facts = facts_about(here, uri)
    assert facts["kind"] == "project"
    assert [one["reason"] for one in facts["hosts"]] == ["delivered"]
    assert facts["deliveries"]["items"][0]["tries"][0]["status"] == 202
    # The other server knows the origin, and the message that delivered it.
    copy = facts_about(there, uri)
    assert copy["origin"] == {"host": here.host, "local": False}
    assert copy["received"]["items"][0]["type"] == "Create"
    assert "The item comes from another server, so that server sends it." in page(there, uri)


def test_the_address_of_a_page_identifies_the_item(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    address = publish(here, "Bins")
    nodes.run_until_idle()
    listed = there.visitor().visit("/projects").text
    token = listed.partition('href="/projects/')[2].partition('"')[0]
    while token in {"new", "drafts"} or "?" in token:
        listed = listed.partition(f'href="/projects/{token}"')[2]
        token = listed.partition('href="/projects/')[2].partition('"')[0]
    assert facts_about(there, uri_of(there, f"/projects/{token}"))["id"] == uri_of(here, address)


def test_comments_and_updates_are_counted_apart(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    project, officer = publish(here, "Bins"), here.visitor("officer")
    written(officer, project, changed="We tried it.")
    written(officer, project, changed="It works.")
    officer.visit(project)
    officer.submit("/comments", source="How did it go?")
    assert "0 likes, 0 shares, 1 comment, 2 updates" in page(here, uri_of(here, project))


def test_no_followers_on_the_server(nodes: Nodes) -> None:
    here, there = nodes.pair()
    uri = uri_of(here, publish(here, "Bins"))
    nodes.run_until_idle()
    text = page(here, uri, there.host)
    assert "No one on that server follows the council or the project" in text
    assert "No servers yet" in text


def test_a_server_that_followed_later(nodes: Nodes) -> None:
    here, there = nodes.pair()
    uri = uri_of(here, publish(here, "Bins"))
    nodes.run_until_idle()
    follow(nodes, there, here)
    assert "They started following after the item was published" in page(here, uri, there.host)


@pytest.mark.parametrize(
    "state, words",
    [
        (peers.BLOCKED, "The server is blocked, so we do not send anything to it."),
        (peers.UNKNOWN, "The server is not an allowed server"),
    ],
)
def test_a_server_that_is_not_allowed(nodes: Nodes, state: str, words: str) -> None:
    here = nodes.start("aldermoor")
    uri = uri_of(here, publish(here, "Bins"))
    if state == peers.BLOCKED:
        with here.work() as work:
            peers.decide(work, "elsewhere.test", peers.BLOCKED)
    assert words in page(here, uri, "elsewhere.test")


def test_a_draft_is_not_sent(nodes: Nodes) -> None:
    here, there = nodes.pair()
    writer = here.visitor("officer")
    writer.visit("/projects/new")
    draft = writer.submit(title="Bins", summary="Short.", phase="alpha", brief="Why.", then="save")
    assert "The item has not been published." in page(
        here, uri_of(here, draft.request.path), there.host
    )


def test_a_delivery_that_the_server_refused_permanently(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", here)
    signatory = peer.actor("brackwell")
    assert (
        signatory.send(signatory.build_activity("Follow", here.council_uri), here).status_code
        == 202
    )
    nodes.run_until_idle()
    peer.response_status = 410
    uri = uri_of(here, publish(here, "Bins"))
    nodes.run_until_idle()
    text = page(here, uri, peer.host)
    assert "Their server says that no one receives messages at that address." in text
    assert "Last response: 410" in text
    peer.response_status = 202
    operator = here.visitor("operator")
    operator.visit(f"/operator/inspect?id={uri}")
    operator.submit("retry")
    nodes.run_until_idle()
    assert "The item was delivered, and the server accepted it." in page(here, uri, peer.host)


def test_an_item_that_the_server_deleted(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    address = publish(here, "Bins")
    nodes.run_until_idle()
    writer = here.visitor("officer")
    writer.visit(f"{address}/delete")
    writer.submit("delete")
    nodes.run_until_idle()
    assert "The server confirmed that it deleted its copy." in page(
        here, uri_of(here, address), there.host
    )


def test_an_unknown_item(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    answer = here.visitor("operator").visit("/operator/inspect?id=https://nowhere.test/1")
    assert answer.status_code == 404
    assert "<title>Error: Troubleshoot deliveries" in answer.text
    assert answer.text.count("This server has no record of this address.") == 2, (
        "once in the summary and once beside the field"
    )


def test_only_an_operator_sees_the_pages(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    for address in ("", "/inspect", "/shared", "/received", "/reading"):
        assert here.visitor("officer").visit(f"/operator{address}").status_code == 403
        assert here.visitor("operator").visit(f"/operator{address}").status_code == 200
