"""The actor of a project: found, followed, and what it announces (FEP-1b12)."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from federation.addressing import PUBLIC_COLLECTION
from node.conversations import context_collections
from node.federating.views import collections
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.talking import AS2, note, read, say
from tests.federation.test_following import follows
from tests.federation.test_main_job import publish
from tests.federation.test_updates import written

TITLE = "Bins, in one step"


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "brackwell.test", node)


def group_of(node: TestNode, project: str) -> str:
    return f"{node.node.settings.base_url}{project}/group"


def follow_group(nodes: Nodes, follower: FakeActor, node: TestNode, project: str) -> None:
    say(nodes, follower, node, "Follow", group_of(node, project))


def test_must_1_and_3_a_projects_actor_is_found_and_says_whose_it_is(node: TestNode) -> None:
    project = publish(node, TITLE)
    found = read(node, f"{project}/group")
    uri = group_of(node, project)
    assert (found["id"], found["type"], found["name"]) == (uri, "Group", TITLE)
    assert found["attributedTo"] == node.council_uri
    assert found["inbox"] == f"{uri}/inbox"
    assert found["publicKey"]["owner"] == uri
    assert found["publicKey"]["id"] == f"{uri}#main-key"
    assert [key["controller"] for key in found["assertionMethod"]] == [uri]
    name = found["preferredUsername"]
    assert name.startswith("bins-in-one-step-")
    resource = f"acct:{name}@{node.host}"
    jrd = node.app.test_client().get(f"/.well-known/webfinger?resource={resource}").get_json()
    (link,) = [item for item in jrd["links"] if item["rel"] == "self"]
    assert (jrd["subject"], link["href"]) == (resource, uri)
    page = node.visitor().visit(f"{project}/group")
    assert page.mimetype == "text/html"
    assert f"@{name}@" in page.text.replace("<wbr>", "")


def test_must_5_what_a_projects_actor_said_is_a_collection(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project = publish(node, TITLE)
    follow_group(nodes, peer.actor(), node, project)
    written(node.visitor("officer"), project, changed="One")
    followers = read(node, f"{project}/group/followers")
    assert (followers["type"], followers["totalItems"]) == ("OrderedCollection", 1)
    assert "orderedItems" not in followers
    outbox = read(node, f"{project}/group/outbox")
    assert urlsplit(outbox["first"]).netloc == node.host
    assert outbox["totalItems"] == len(read(node, outbox["first"])["orderedItems"]) == 2


def test_each_project_has_an_actor_of_its_own_name_that_stays(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    first, second = publish(node, TITLE), publish(node, TITLE)
    names = [read(node, f"{path}/group")["preferredUsername"] for path in (first, second)]
    assert len(set(names)) == 2
    follow_group(nodes, peer.actor(), node, first)
    officer = node.visitor("officer")
    officer.visit(f"{first}/edit")
    officer.submit("edit", title="Something else")
    nodes.run_until_idle()
    renamed = read(node, f"{first}/group")
    assert (renamed["preferredUsername"], renamed["name"]) == (names[0], "Something else")
    told = [
        found["object"]
        for found in peer.received_of_type("Update")
        if found["actor"].endswith("/group")
    ]
    assert [document["name"] for document in told] == ["Something else"]


@pytest.mark.parametrize("title", ["🌳🌳", "Ôl-ofal y Gymraeg", "A" * 150, "--"])
def test_any_title_gives_a_name(node: TestNode, title: str) -> None:
    name = read(node, f"{publish(node, title)}/group")["preferredUsername"]
    answer = node.app.test_client().get(f"/.well-known/webfinger?resource=acct:{name}@{node.host}")
    assert (answer.status_code, len(name) <= 45) == (200, True)


def test_must_6_a_project_is_followed_by_itself(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, follower = publish(node, TITLE), peer.actor()
    uri = group_of(node, project)
    for count in (1, 2):
        follow_group(nodes, follower, node, project)
        accepts = peer.received_of_type("Accept")
        assert (len(accepts), accepts[-1]["actor"]) == (count, uri)
    assert read(node, f"{project}/group/followers")["totalItems"] == 1
    other = publish(node, "Another")
    written(node.visitor("officer"), other, changed="One")
    nodes.run_until_idle()
    assert peer.received_of_type("Announce") == []


def announced(peer: FakePeer) -> list[Any]:
    return [found["object"] for found in peer.received_of_type("Announce")]


def test_what_is_new_is_announced_with_the_original_kept(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project = publish(node, TITLE)
    follow_group(nodes, peer.actor(), node, project)
    path = written(node.visitor("officer"), project, changed="One")
    nodes.run_until_idle()
    uri = f"{node.node.settings.base_url}{path}"
    original, by_id = announced(peer)
    assert (original["type"], original["actor"]) == ("Create", node.council_uri)
    assert original["object"]["id"] == by_id == uri
    assert original["audience"] == original["object"]["audience"] == group_of(node, project)
    assert {found["actor"] for found in peer.received_of_type("Announce")} == {
        group_of(node, project)
    }
    first = peer.received_of_type("Announce")[0]
    assert (first["to"], first["cc"]) == (
        [PUBLIC_COLLECTION],
        [f"{group_of(node, project)}/followers"],
    )
    assert peer.received_of_type("Create") == []


def test_who_follows_both_gets_the_original_once(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project = publish(node, TITLE)
    follows(nodes, peer.actor(), node)
    follow_group(nodes, peer.actor(), node, project)
    path = written(node.visitor("officer"), project, changed="One")
    nodes.run_until_idle()
    uri = f"{node.node.settings.base_url}{path}"
    assert [found["object"]["id"] for found in peer.received_of_type("Create")] == [uri]
    assert announced(peer) == [uri]


def test_a_change_and_a_deletion_reach_who_follows_the_project_alone(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, officer = publish(node, TITLE), node.visitor("officer")
    follow_group(nodes, peer.actor(), node, project)
    path = written(officer, project, changed="One")
    nodes.run_until_idle()
    officer.visit(f"{path}/edit")
    officer.submit("edit", changed="Two")
    nodes.run_until_idle()
    officer.visit(f"{path}/delete")
    officer.submit("delete")
    nodes.run_until_idle()
    uri = f"{node.node.settings.base_url}{path}"
    assert [found["object"]["id"] for found in peer.received_of_type("Update")] == [uri]
    assert [found["object"]["id"] for found in peer.received_of_type("Delete")] == [uri]
    kinds = [found["type"] for found in announced(peer) if isinstance(found, dict)]
    assert kinds == ["Create", "Update", "Delete"]


def test_must_31_a_deleted_project_takes_its_actor_with_it(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, officer = publish(node, TITLE), node.visitor("officer")
    name = read(node, f"{project}/group")["preferredUsername"]
    follower = peer.actor()
    follow_group(nodes, follower, node, project)
    path = written(officer, project, changed="One")
    nodes.run_until_idle()
    officer.visit(f"{project}/delete")
    officer.submit("delete")
    nodes.run_until_idle()
    gone = node.app.test_client().get(f"{project}/group", headers=AS2)
    assert (gone.status_code, gone.get_json()["formerType"]) == (410, "Group")
    told = {
        found["object"] if isinstance(found["object"], str) else found["object"]["id"]
        for found in peer.received_of_type("Delete")
    }
    base = node.node.settings.base_url
    assert told >= {group_of(node, project), f"{base}{path}"}
    update = node.app.test_client().get(path, headers=AS2)
    assert (update.status_code, update.get_json()["type"]) == (410, "Tombstone")
    answer = node.app.test_client().get(f"/.well-known/webfinger?resource=acct:{name}@{node.host}")
    assert answer.status_code == 404
    before = len(peer.received_of_type("Accept"))
    follow_group(nodes, follower, node, project)
    assert len(peer.received_of_type("Accept")) == before


def test_what_is_not_public_has_no_actor_for_others(nodes: Nodes, node: TestNode) -> None:
    officer = node.visitor("officer")
    officer.visit("/projects/new")
    officer.submit(
        title="Ours alone",
        summary="Quiet.",
        phase="alpha",
        brief="",
        visibility="private",
        then="publish",
    )
    project = officer.page.request.path
    written(officer, project, changed="Nobody else reads this")
    for path in (f"{project}/group", f"{project}/context", f"{project}/group/outbox"):
        assert node.app.test_client().get(path, headers=AS2).status_code == 404


def test_the_conversation_is_a_collection(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    project = publish(node, TITLE)
    path = written(node.visitor("officer"), project, changed="One")
    base = node.node.settings.base_url
    author = peer.actor()
    about = note(author, f"{base}{path}")
    say(nodes, author, node, "Create", about)
    head = read(node, f"{project}/context")
    assert (head["id"], head["totalItems"]) == (f"{base}{project}/context", 3)
    assert head["attributedTo"] == group_of(node, project)
    page = read(node, head["first"])
    items = [item if isinstance(item, str) else item["id"] for item in page["orderedItems"]]
    assert items == [f"{base}{project}", f"{base}{path}", about["id"]]
    assert page["partOf"] == head["id"]
    for wrong in ("0", "-1", "x", "2147483647", "9" * 30):
        answer = node.app.test_client().get(f"{project}/context?page={wrong}", headers=AS2)
        assert answer.status_code in {200, 404}, wrong


def test_only_a_page_with_more_after_it_links_to_a_next_page(
    node: TestNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, officer = publish(node, TITLE), node.visitor("officer")
    one, two = (written(officer, project, changed=text) for text in ("One", "Two"))
    uris = [f"{node.node.settings.base_url}{path}" for path in (project, one, two)]
    for size, expected in ((2, [uris[:2], uris[2:]]), (3, [uris])):
        monkeypatch.setattr(context_collections, "PAGE_SIZE", size)
        page = read(node, f"{project}/context?page=1")
        pages = [page]
        while "next" in page:
            page = read(node, page["next"])
            pages.append(page)
        assert [[item["id"] for item in page["orderedItems"]] for page in pages] == expected
    outbox = f"/councils/{node.name}/outbox"
    total = read(node, outbox)["totalItems"]
    monkeypatch.setattr(collections, "PAGE_SIZE", total)
    assert "next" not in read(node, f"{outbox}?page=1")
    monkeypatch.setattr(collections, "PAGE_SIZE", total - 1)
    oldest = read(node, read(node, f"{outbox}?page=1")["next"])
    assert len(oldest["orderedItems"]) == 1
    assert "next" not in oldest


def test_an_actor_is_not_found_while_its_project_is_private(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, officer = publish(node, TITLE), node.visitor("officer")
    name = read(node, f"{project}/group")["preferredUsername"]
    resource = f"/.well-known/webfinger?resource=acct:{name}@{node.host}"
    for visibility, status in (("private", 404), ("public", 200)):
        officer.visit(f"{project}/edit")
        officer.submit("edit", visibility=visibility)
        assert node.app.test_client().get(resource).status_code == status
        follow_group(nodes, peer.actor(), node, project)
        assert len(peer.received_of_type("Accept")) == (status == 200)
    assert read(node, f"{project}/group")["preferredUsername"] == name


def test_a_council_follows_the_council_rather_than_one_project(nodes: Nodes) -> None:
    here, there = nodes.pair()
    name = read(here, f"{publish(here, TITLE)}/group")["preferredUsername"]
    officer = there.visitor("officer")
    officer.visit("/councils/follow")
    page = officer.submit("follow", address=f"@{name}@{here.host}")
    assert page.status_code == 400
    assert "Enter the council’s address" in page.text


def test_must_42_actors_and_projects_say_what_other_servers_look_for(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, fan = publish(node, TITLE), peer.actor()
    uri = f"{node.node.settings.base_url}{project}"
    follow_group(nodes, fan, node, project)
    say(nodes, fan, node, "Like", uri)
    say(nodes, fan, node, "Announce", uri)
    for path in (f"{project}/group", "/councils/aldermoor"):
        actor = read(node, path)
        assert (actor["discoverable"], actor["indexable"]) == (True, True)
        assert actor["published"].startswith("20")
        with node.app.test_client().get(urlsplit(actor["icon"]["url"]).path) as picture:
            assert picture.status_code == 200
        for name in ("following", "featured"):
            found = read(node, actor[name])
            assert (found["id"], found["totalItems"]) == (actor[name], 0)
    article = read(node, project)
    assert "summary" not in article, "Mastodon and GoToSocial show it as a content warning"
    totals = {name: read(node, article[name])["totalItems"] for name in ("likes", "shares")}
    assert totals == {"likes": 1, "shares": 1}
    assert read(node, article["replies"])["totalItems"] == 1


def test_an_actors_summary_is_that_of_its_project(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project = publish(node, TITLE)
    follow_group(nodes, peer.actor(), node, project)
    officer = node.visitor("officer")
    officer.visit(f"{project}/edit")
    officer.submit("edit", summary="Another sentence.")
    nodes.run_until_idle()
    assert read(node, f"{project}/group")["summary"] == "<p>Another sentence.</p>"
    told = [
        found["object"]
        for found in peer.received_of_type("Update")
        if found["actor"].endswith("/group")
    ]
    assert [document["summary"] for document in told] == ["<p>Another sentence.</p>"]
