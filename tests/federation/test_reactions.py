"""Likes and announcements: counted once, withdrawn by whoever made them, and our council's own."""

from typing import Any

import pytest
from sqlalchemy import select

from node.projects.models import Project
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.converging import publish as write
from tests.federation.talking import copy_of, say
from tests.federation.test_main_job import follow, publish

TITLE = "Bins in one step"


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "brackwell.test", node)


def shown(node: TestNode, project: str) -> str:
    return node.visitor().visit(project).text


def test_must_22_a_like_counts_once_whatever_its_id(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project = publish(node, TITLE)
    uri, fan = f"{node.node.settings.base_url}{project}", peer.actor()
    assert "like" not in shown(node, project).partition("Get updates about this project")[2]
    say(nodes, fan, node, "Like", uri)
    say(nodes, fan, node, "Like", uri)
    assert "1 like" in shown(node, project)
    again = fan.build_activity("Like", uri)
    for _ in range(2):
        assert fan.send(again, node).status_code == 202
        nodes.run_until_idle()
    assert "1 like" in shown(node, project)
    say(nodes, peer.actor(), node, "Like", uri)
    say(nodes, peer.actor(), node, "Announce", uri)
    assert "2 likes, 1 share" in shown(node, project)


@pytest.mark.parametrize("form", ["embedded", "embedded under another id", "bare id"])
@pytest.mark.parametrize("kind", ["Like", "Announce"])
def test_must_7_only_whoever_reacted_takes_it_back(
    kind: str, form: str, nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, fan = publish(node, TITLE), peer.actor()
    uri, word = f"{node.node.settings.base_url}{project}", {"Like": "like", "Announce": "share"}
    activity = fan.build_activity(kind, uri)
    assert fan.send(activity, node).status_code == 202
    nodes.run_until_idle()
    undone: Any = {
        "embedded": activity,
        "embedded under another id": activity | {"id": peer.new_id()},
        "bare id": activity["id"],
    }[form]
    for other in (peer.actor(), fan):
        assert f"1 {word[kind]}" in shown(node, project)
        say(nodes, other, node, "Undo", undone)
    assert f"1 {word[kind]}" not in shown(node, project)


def test_what_is_not_here_is_not_counted(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    project, fan = publish(node, TITLE), peer.actor()
    base = node.node.settings.base_url
    for about in (f"{base}/projects/none", base, peer.new_id("projects"), f"{base}{project}/group"):
        say(nodes, fan, node, "Like", about)
    assert "like" not in shown(node, project).partition("Get updates about this project")[2]


def test_our_council_likes_and_shares_another_councils_project(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    project = publish(here, TITLE)
    nodes.run_until_idle()
    officer, copy = there.visitor("officer"), copy_of(there, TITLE)
    for name, said in (("like", "1 like"), ("share", "1 share")):
        officer.visit(copy)
        officer.submit(f"/{name}")
        nodes.run_until_idle()
        assert said in shown(there, copy)
        assert said in shown(here, project)
        officer.submit(f"/{name}/undo")
        nodes.run_until_idle()
        assert said not in shown(here, project)
        assert said not in shown(there, copy)


def test_a_share_goes_to_those_who_follow_us(nodes: Nodes) -> None:
    here, there = nodes.pair()
    peer = FakePeer.join(nodes, "coldmere.test", there)
    follow(nodes, there, here)
    publish(here, TITLE)
    follower = peer.actor()
    say(nodes, follower, there, "Follow", there.council_uri)
    officer = there.visitor("officer")
    officer.visit(copy_of(there, TITLE))
    officer.submit("/like")
    officer.submit("/share")
    nodes.run_until_idle()
    assert peer.received_of_type("Like") == []
    assert [found["actor"] for found in peer.received_of_type("Announce")] == [there.council_uri]


def test_what_is_shared_with_some_councils_is_not_passed_on_to_others(nodes: Nodes) -> None:
    here, there = nodes.pair()
    peer = FakePeer.join(nodes, "coldmere.test", there)
    follow(nodes, there, here)
    write(here, TITLE, visibility="peers")
    nodes.run_until_idle()
    say(nodes, peer.actor(), there, "Follow", there.council_uri)
    with there.reading() as session:
        project = f"/projects/{session.scalars(select(Project.token)).one()}"
    officer = there.visitor("officer")
    officer.visit(project)
    token = officer.form("comments").values["csrf_token"]
    answer = officer.client.post(f"{project}/reactions/share", data={"csrf_token": token})
    assert answer.status_code == 409
    nodes.run_until_idle()
    assert peer.received_of_type("Announce") == []


def test_a_council_does_not_like_its_own_project(node: TestNode) -> None:
    project, officer = publish(node, TITLE), node.visitor("officer")
    page = officer.visit(project)
    assert f"{project}/reactions/like" not in page.text
    token = officer.form("comments").values["csrf_token"]
    answer = officer.client.post(f"{project}/reactions/like", data={"csrf_token": token})
    assert answer.status_code == 409
    answer = officer.client.post(f"{project}/reactions/dislike", data={"csrf_token": token})
    assert answer.status_code == 404
