"""Officers who chose to be seen: what others then get of them, and what they no longer get."""

import html
from typing import Any

import pytest
from werkzeug.test import TestResponse

from federation.addressing import PUBLIC_COLLECTION
from node.officers import service as officers
from node.operating.inspection import inspect_object
from node.people import service as people
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode, role_email
from node.testing.visitor import Visitor
from tests.federation.talking import AS2, read, say
from tests.federation.test_main_job import publish
from tests.federation.test_updates import written

PROFILE, OLA = "/account/profile", "/officers/ola.officer"
TITLE = "Bins, in one step"


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "brackwell.test", node)


def choose(node: TestNode, **typed: str) -> Visitor:
    """The officer chooses to be seen, with what the form suggests unless something is typed."""
    officer = node.visitor("officer")
    officer.visit(PROFILE)
    officer.submit("profile", **typed)
    assert "Your profile is now public." in officer.text
    return officer


def withdraw(officer: Visitor) -> None:
    officer.visit(f"{PROFILE}/withdraw")
    officer.submit("withdraw")
    assert "Your profile has been withdrawn." in officer.text


def uri_of(node: TestNode, path: str = OLA) -> str:
    return f"{node.node.settings.base_url}{path}"


def get(node: TestNode, path: str, accept: str = AS2["Accept"]) -> TestResponse:
    return node.app.test_client().get(path, headers={"Accept": accept})


def webfinger(node: TestNode, name: str = "ola.officer") -> TestResponse:
    return get(node, f"/.well-known/webfinger?resource=acct:{name}@{node.host}")


def follow(nodes: Nodes, follower: FakeActor, node: TestNode) -> None:
    say(nodes, follower, node, "Follow", uri_of(node))


def heard(peer: FakePeer, kind: str, node: TestNode) -> list[dict[str, Any]]:
    """What the officer's actor said."""
    return [found for found in peer.received_of_type(kind) if found["actor"] == uri_of(node)]


def said_by(peer: FakePeer, node: TestNode) -> list[dict[str, Any]]:
    return [found for _headers, found in peer.received if found["actor"] == uri_of(node)]


def page(node: TestNode, path: str) -> str:
    return html.unescape(node.visitor().visit(path).text)


def test_nobody_is_seen_who_did_not_choose_it(node: TestNode) -> None:
    project = publish(node, TITLE)
    path = written(node.visitor("officer"), project, changed="One")
    assert get(node, OLA).status_code == webfinger(node).status_code == 404
    assert "Ola" not in page(node, project) + page(node, path)
    officer = node.visitor("officer")
    assert f'href="{PROFILE}"' in officer.visit("/").text
    said = html.unescape(officer.visit(PROFILE).text)
    assert "No one outside your council can see your name" in said
    assert "You can make your profile public. Everyone will then see:" in said


def test_must_1_3_and_4_an_officer_is_found_by_name(node: TestNode) -> None:
    choose(node, about="Waste & <recycling>")
    found, uri = read(node, OLA), uri_of(node)
    assert (found["id"], found["type"], found["name"]) == (uri, "Person", "Ola Officer")
    assert found["attributedTo"] == node.council_uri
    assert found["summary"] == "<p>Waste &amp; &lt;recycling&gt;</p>"
    assert found["preferredUsername"] == "ola.officer"
    assert {found[name] for name in ("inbox", "outbox", "followers")} == {
        f"{uri}/{name}" for name in ("inbox", "outbox", "followers")
    }
    assert found["publicKey"]["owner"] == uri
    assert [key["controller"] for key in found["assertionMethod"]] == [uri]
    council = read(node, "/councils/aldermoor")
    assert found["publicKey"]["publicKeyPem"] != council["publicKey"]["publicKeyPem"]
    jrd = webfinger(node).get_json()
    (link,) = [item for item in jrd["links"] if item["rel"] == "self"]
    assert link["href"] == uri
    assert webfinger(node, "Ola.Officer").status_code == 200
    answer = get(node, OLA, "text/html")
    assert (answer.mimetype, "Accept" in answer.headers["Vary"]) == ("text/html", True)
    shown = page(node, OLA)
    assert "Ola Officer" in shown
    assert "Waste & <recycling>" in shown
    assert role_email("officer", node.name) not in shown + str(found)


def test_must_6_and_7_an_officer_is_followed(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    choose(node)
    follower = peer.actor()
    for count in (1, 2):
        follow(nodes, follower, node)
        assert len(heard(peer, "Accept", node)) == count
    followers = read(node, f"{OLA}/followers")
    assert (followers["totalItems"], "orderedItems" in followers) == (1, False)
    asked = heard(peer, "Accept", node)[-1]["object"]
    say(nodes, follower, node, "Undo", asked)
    assert read(node, f"{OLA}/followers")["totalItems"] == 0


def test_what_an_officer_writes_is_announced_and_signed_with_their_name(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project = publish(node, TITLE)
    earlier = written(node.visitor("officer"), project, changed="Before")
    officer = choose(node)
    follow(nodes, peer.actor(), node)
    path = written(officer, project, changed="One")
    nodes.run_until_idle()
    (told,) = heard(peer, "Announce", node)
    assert told["object"] == uri_of(node, path)
    assert (told["to"], told["cc"]) == ([PUBLIC_COLLECTION], [f"{uri_of(node)}/followers"])
    head = read(node, f"{OLA}/outbox")
    items = read(node, head["first"])["orderedItems"]
    assert [item["id"] for item in items] == [told["id"]]
    assert head["totalItems"] == 1
    for shown in (path, project, f"{project}/updates"):
        assert page(node, shown).count("Written by") == 1
    assert "Written by" not in page(node, earlier)
    assert "One" in page(node, OLA)
    assert read(node, path)["attributedTo"] == node.council_uri
    other = written(node.visitor("operator"), project, changed="By somebody else")
    assert "Written by" not in page(node, other)


def test_a_deleted_update_is_announced_no_more(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, officer = publish(node, TITLE), choose(node)
    follow(nodes, peer.actor(), node)
    path = written(officer, project, changed="One")
    nodes.run_until_idle()
    (told,) = heard(peer, "Announce", node)
    officer.visit(f"{path}/delete")
    officer.submit("delete")
    nodes.run_until_idle()
    assert [found["object"]["id"] for found in heard(peer, "Undo", node)] == [told["id"]]
    assert "One" not in page(node, OLA)
    assert get(node, told["id"].removeprefix(uri_of(node, ""))).status_code == 404


@pytest.mark.parametrize("visibility", ["peers", "private"])
def test_must_30_what_is_not_for_all_is_not_announced(
    nodes: Nodes, node: TestNode, peer: FakePeer, visibility: str
) -> None:
    project, officer = publish(node, TITLE), choose(node)
    follow(nodes, peer.actor(), node)
    path = written(officer, project, changed="One")
    nodes.run_until_idle()
    officer.visit(f"{project}/edit")
    officer.submit("edit", visibility=visibility)
    nodes.run_until_idle()
    assert len(heard(peer, "Undo", node)) == 1
    written(officer, project, changed="Two")
    nodes.run_until_idle()
    assert len(heard(peer, "Announce", node)) == 1
    head = read(node, f"{OLA}/outbox")
    assert path not in str(read(node, head["first"]))
    assert TITLE not in page(node, OLA)
    assert "Written by" not in html.unescape(officer.visit(project).text)


def test_a_change_of_name_is_told(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    officer = choose(node, about="Waste & <recycling>")
    follow(nodes, peer.actor(), node)
    officer.visit(PROFILE)
    officer.submit("profile")
    nodes.run_until_idle()
    assert heard(peer, "Update", node) == []
    assert read(node, OLA)["summary"] == "<p>Waste &amp; &lt;recycling&gt;</p>"
    officer.visit(PROFILE)
    officer.submit("profile", name="Ola Okoro")
    nodes.run_until_idle()
    (told,) = heard(peer, "Update", node)
    assert (told["object"]["id"], told["object"]["name"]) == (uri_of(node), "Ola Okoro")


@pytest.mark.parametrize("how", ["withdrawn", "deactivated"])
def test_must_31_who_withdraws_is_gone_everywhere(
    nodes: Nodes, node: TestNode, peer: FakePeer, how: str
) -> None:
    project, officer = publish(node, TITLE), choose(node, about="Of waste")
    left, follower = FakePeer.join(nodes, "left.test", node), peer.actor()
    follow(nodes, follower, node)
    follow(nodes, once := left.actor(), node)
    path = written(officer, project, changed="One")
    officer.visit(PROFILE)
    officer.submit("profile", about="Of bins")
    nodes.run_until_idle()
    say(nodes, once, node, "Undo", heard(left, "Accept", node)[-1]["object"])
    said = [found["id"] for found in said_by(peer, node)]
    if how == "withdrawn":
        withdraw(officer)
    else:
        with node.work() as work:
            officers.deactivate(
                work, people.require_by_email(work.session, role_email("officer", node.name))
            )
    nodes.run_until_idle()
    for one in (peer, left):
        assert [found["object"] for found in heard(one, "Delete", node)] == [uri_of(node)]
    gone = get(node, OLA)
    assert (gone.status_code, gone.get_json()["type"]) == (410, "Tombstone")
    assert gone.get_json()["formerType"] == "Person"
    assert get(node, OLA, "text/html").status_code == 410
    assert webfinger(node).status_code == 404
    for onward in ("outbox", "followers"):
        assert get(node, f"{OLA}/{onward}").status_code == 410
    assert "Ola" not in page(node, path) + page(node, project) + page(node, OLA)
    for uri in said:
        assert get(node, uri.removeprefix(uri_of(node, ""))).status_code == 404
    follow(nodes, follower, node)
    assert len(heard(peer, "Accept", node)) == 1
    assert officer.visit(project).status_code == 200
    assert ("Sign out" in officer.text) == (how == "withdrawn")


def test_a_name_that_was_had_is_never_had_again(node: TestNode) -> None:
    officer = choose(node)
    withdraw(officer)
    assert officer.form("profile").values["username"] == "ola.officer2"
    officer.submit("profile", username="ola.officer")
    assert officer.page.status_code == 400
    assert "This username is not available" in officer.text
    officer.visit(PROFILE)
    officer.submit("profile", username="ola")
    assert read(node, "/officers/ola")["name"] == "Ola Officer"


@pytest.mark.parametrize(
    "typed",
    [
        {"username": "aldermoor"},
        {"username": "node"},
        {"username": "admin"},
        {"username": ""},
        {"username": "a b"},
        {"username": "../x"},
        {"username": "ólá"},
        {"username": "x" * 41},
        {"name": ""},
        {"name": "\u202e"},
        {"name": "x" * 201},
        {"about": "x" * 501},
        {"about": "\0"},
    ],
)
def test_what_does_not_fit_is_refused(nodes: Nodes, typed: dict[str, str]) -> None:
    node = nodes.start("aldermoor")
    officer = node.visitor("officer")
    officer.visit(PROFILE)
    officer.submit("profile", **typed)
    assert officer.page.status_code == 400
    assert "There is a problem" in officer.text
    assert get(node, OLA).status_code == 404


def test_two_officers_have_two_names(node: TestNode) -> None:
    choose(node)
    operator = node.visitor("operator")
    operator.visit(PROFILE)
    operator.submit("profile", username="@Ola.Officer")
    assert "This username is not available" in operator.text
    operator.visit(PROFILE)
    operator.submit("profile")
    assert read(node, "/officers/olu.operator")["name"] == "Olu Operator"
    assert read(node, OLA)["name"] == "Ola Officer"


def test_an_operator_can_ask_what_is_known_of_an_officer(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    choose(node)
    follow(nodes, peer.actor(), node)
    with node.reading() as session:
        for named in (uri_of(node), f"@ola.officer@{node.host}"):
            found = inspect_object(session, node.node.settings, named)
            assert (found["kind"], found["type"], found["title"]) == (
                "actor",
                "Person",
                "Ola Officer",
            )
            assert found["followers"]["count"] == 1
