"""An account of another server is deleted: nothing that it said stays here."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from federation.addressing import PUBLIC_COLLECTION
from federation.vocabulary import delete as delete_activity
from node.councils import service as councils
from node.database.tables import now
from node.federating.identity import local_uris
from node.federating.models import Actor, ActorDeletion, ActorKey, Follow, Reaction
from node.federating.outbound import outbox
from node.federating.peers import service as peers
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.converging import publish as write
from tests.federation.delivering import say as tell_followers
from tests.federation.talking import copy_of, note, read, say
from tests.federation.test_main_job import follow, publish

TITLE = "Bins in one step"


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "brackwell.test", node)


def uri_of(node: TestNode, path: str) -> str:
    return f"{node.node.settings.base_url}{path}"


def everything_of(nodes: Nodes, node: TestNode, author: FakeActor, project: str) -> str:
    """A comment, a like and two follows of an actor. Returns the id of the comment."""
    about = note(author, uri_of(node, project), "<p>I am Carol</p>")
    activity = author.build_activity("Create", about)
    author.peer.serve(activity["id"], activity)
    assert author.send(activity, node).status_code == 202
    nodes.run_until_idle()
    say(nodes, author, node, "Like", uri_of(node, project))
    say(nodes, author, node, "Follow", node.council_uri)
    say(nodes, author, node, "Follow", uri_of(node, f"{project}/group"))
    return str(about["id"])


def traces(node: TestNode, author: FakeActor) -> dict[str, int]:
    """How many rows of each kind are left of an actor."""
    of_author = Actor.uri == author.uri
    with node.reading() as session:
        queries = {
            "follows": select(Follow).where(Follow.follower.has(of_author)),
            "reactions": select(Reaction).where(Reaction.actor.has(of_author)),
            "keys": select(ActorKey).where(ActorKey.actor.has(of_author)),
            "departures": select(ActorDeletion),
        }
        return {name: len(session.scalars(query).all()) for name, query in queries.items()}


NOTHING = {"follows": 0, "reactions": 0, "keys": 0, "departures": 0}


def test_must_39_what_a_deleted_account_said_is_removed_here_and_where_we_passed_it_on(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    other = nodes.start("coldmere")
    for one, neighbour in ((node, other), (other, node)):
        one.allow(neighbour)
    with other.work() as work:
        peers.decide(work, peer.host, peers.ALLOWED)
    project = publish(node, TITLE)
    follow(nodes, other, node)
    author, dan = peer.actor("carol", type="Person"), peer.actor("dan", type="Person")
    uri = everything_of(nodes, node, author, project)
    say(nodes, dan, node, "Create", note(dan, uri, "<p>I am Dan</p>"))
    copy = copy_of(other, TITLE)
    assert "I am Carol" in node.visitor().visit(project).text
    assert "I am Carol" in other.visitor().visit(copy).text

    say(nodes, author, node, "Delete", author.uri)
    shown = node.visitor().visit(project).text
    assert "I am Carol" not in shown
    assert "carol" not in shown.lower()
    assert "1 like" not in shown
    assert "I am Dan" in shown
    assert "I am Carol" not in other.visitor().visit(copy).text
    assert traces(node, author) == NOTHING
    said = read(node, read(node, f"{project}/group/outbox")["first"])
    assert "Carol" not in str(said)

    peer.serve(author.uri, {"id": author.uri, "type": "Tombstone"}, 410)
    node.node.key_document_cache.clear()
    assert author.send(author.build_activity("Delete", author.uri), node).status_code == 202
    late = note(author, uri_of(node, project), "<p>I am Carol, late</p>")
    assert author.send(author.build_activity("Create", late), node).status_code == 401
    nodes.run_until_idle()
    assert "Carol" not in node.visitor().visit(project).text


def test_must_39_a_council_that_deletes_its_account_takes_its_projects_with_it(
    nodes: Nodes,
) -> None:
    node, other = nodes.pair()
    follow(nodes, node, other)
    follow(nodes, other, node)
    write(other, TITLE, "Trees on a map")
    write(node, "Ours")
    nodes.run_until_idle()
    assert TITLE in node.visitor().visit("/projects").text
    with other.work() as work:
        actor = councils.require_own(work.session).actor
        uri = local_uris.new_activity(work.settings)
        gone = delete_activity(uri, actor.uri, actor.uri, to=[PUBLIC_COLLECTION])
        outbox.publish(work, actor, gone)
    nodes.run_until_idle()
    shown = node.visitor().visit("/projects").text
    assert TITLE not in shown
    assert "Trees on a map" not in shown
    assert "Ours" in shown
    with node.reading() as session:
        assert session.scalars(select(Follow)).all() == []


def test_must_39_nobody_deletes_the_account_of_somebody_else(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, author = publish(node, TITLE), peer.actor("carol")
    everything_of(nodes, node, author, project)
    say(nodes, peer.actor(), node, "Delete", author.uri)
    assert "I am Carol" in node.visitor().visit(project).text
    assert traces(node, author)["follows"] == 2


@pytest.mark.parametrize("status, is_gone", [(410, True), (404, True), (200, False), (503, False)])
def test_must_27_and_39_an_inbox_that_is_gone_is_asked_about_at_its_own_server(
    status: int, is_gone: bool, nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, author = publish(node, TITLE), peer.actor("carol")
    everything_of(nodes, node, author, project)
    alive = peer.documents["/councils/carol"][1]
    peer.serve(author.uri, alive if status == 200 else {}, status)
    peer.response_status = 410
    tell_followers(node)
    nodes.run_until_idle()
    assert ("I am Carol" in node.visitor().visit(project).text) is not is_gone
    # An actor that is there and still names an inbox that is gone cannot follow.
    follows = {410: 0, 404: 0, 200: 0, 503: 2}[status]
    assert traces(node, author)["follows"] == follows
    assert traces(node, author)["departures"] == (1 if status == 503 else 0)


def test_must_39_an_unproven_deletion_is_asked_about_where_the_account_has_words_here(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, author = publish(node, TITLE), peer.actor("carol")
    everything_of(nodes, node, author, project)
    with node.work() as work:
        row = work.session.scalars(select(Actor).where(Actor.uri == author.uri)).one()
        row.fetched_at = now() - timedelta(days=1)
        work.session.execute(delete(ActorKey).where(ActorKey.actor_id == row.id))
    say(nodes, author, node, "Delete", author.uri)
    assert "I am Carol" in node.visitor().visit(project).text
    with node.work() as work:
        row = work.session.scalars(select(Actor).where(Actor.uri == author.uri)).one()
        row.fetched_at = now() - timedelta(days=1)
        work.session.execute(delete(ActorKey).where(ActorKey.actor_id == row.id))
    peer.serve(author.uri, {}, 410)
    say(nodes, author, node, "Delete", author.uri)
    assert "I am Carol" not in node.visitor().visit(project).text
    assert traces(node, author) == NOTHING


def test_an_account_that_is_there_again_is_heard_again(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, author = publish(node, TITLE), peer.actor("carol")
    everything_of(nodes, node, author, project)
    say(nodes, author, node, "Delete", author.uri)
    about = note(author, uri_of(node, project), "<p>Restored</p>")
    say(nodes, author, node, "Create", about)
    assert "Restored" in node.visitor().visit(project).text
