"""What peers could do to each other through us, and do not: noise, words after they were judged,
and what was withdrawn while it was on its way.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from federation.proofs import add_proof
from federation.signatures import PrivateKey
from node.access.visibility import Visibility
from node.conversations import remote_comments, service
from node.conversations.models import Comment
from node.database.tables import now
from node.federating.models import Comparison, Delivery, InboxItem
from node.federating.outbound import delivery
from node.federating.peers import comparison_schedule, peer_lists
from node.federating.peers import service as peers
from node.projects import remote_projects
from node.projects.models import ProjectState
from node.testing.fake_peer import FakeActor, FakePeer, private_key_pem
from node.testing.nodes import Nodes, TestNode
from tests.federation.talking import AS2, note, say
from tests.federation.test_conversations import comments, say_here, uri_of
from tests.federation.test_follower_sync import deliver, header, lists
from tests.federation.test_groups import announced, follow_group, group_of
from tests.federation.test_main_job import publish
from tests.federation.test_officers import choose, withdraw
from tests.federation.test_officers import follow as follow_officer
from tests.federation.test_proofs import lists as lists_key
from tests.federation.test_updates import written
from tests.refusals.test_belief import article, follow, send, titles
from tests.visibility.town import change, write

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TITLE = "Bins in one step"


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "brackwell.test", node)


def show(node: TestNode, nodes: Nodes) -> None:
    """A moderator lets the only comment be seen."""
    with node.work() as work:
        service.show(work, work.session.scalars(select(Comment)).one())
    nodes.run_until_idle()


def test_must_35_nobody_makes_us_tell_all_again_and_again(
    nodes: Nodes, node: TestNode, peer: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = FakePeer.join(nodes, "cragford.test", node)
    project, author = publish(node, TITLE), peer.actor()
    follow_group(nodes, other.actor(), node, project)
    about = note(author, uri_of(node, project))
    for kind in ("Create", "Create", "Update", "Update"):
        say(nodes, author, node, kind, about)
    assert len(announced(other)) == 2, "what says nothing new is passed on once"
    monkeypatch.setattr(remote_comments, "MAX_CHANGES_PER_HOUR", 5)
    for number in range(3):
        changed = {"content": f"<p>{number}</p>", "updated": f"2026-11-21T10:00:0{number}Z"}
        say(nodes, author, node, "Update", about | changed)
    assert len(announced(other)) == 3
    assert "<p>0</p>" in comments(node, project)


@pytest.fixture
def stranger(nodes: Nodes) -> tuple[TestNode, FakeActor, FakePeer, str]:
    """A node open to all, somebody it does not know, a peer that follows a project, and that."""
    node = nodes.start("aldermoor", federation="open")
    known, unknown = (
        FakePeer.join(nodes, "brackwell.test", node),
        FakePeer.join(nodes, "coldmere.test"),
    )
    project = publish(node, TITLE)
    follow_group(nodes, known.actor(), node, project)
    return node, unknown.actor(), known, project


def test_what_is_changed_after_a_moderator_saw_it_waits_again(
    nodes: Nodes, stranger: tuple[TestNode, FakeActor, FakePeer, str]
) -> None:
    node, author, known, project = stranger
    about = note(author, uri_of(node, project), "<p>Nice</p>")
    say(nodes, author, node, "Create", about)
    show(node, nodes)
    assert "<p>Nice</p>" in comments(node, project)
    changed = about | {"content": "<p>Nasty</p>", "updated": "2026-11-21T10:00:00Z"}
    say(nodes, author, node, "Update", changed)
    assert "No comments yet." in comments(node, project)
    assert "Nasty" not in str(known.received)
    assert len(known.received_of_type("Undo")) == len(announced(known)) == 2
    show(node, nodes)
    assert "<p>Nasty</p>" in comments(node, project)


def test_what_a_moderator_did_not_see_is_not_announced(
    nodes: Nodes, stranger: tuple[TestNode, FakeActor, FakePeer, str]
) -> None:
    node, author, known, project = stranger
    about = note(author, uri_of(node, project), "<p>Nasty</p>")
    say(nodes, author, node, "Create", about)
    changed = about | {"content": "<p>Nice</p>", "updated": "2026-11-21T10:00:00Z"}
    say(nodes, author, node, "Update", changed)
    show(node, nodes)
    assert "<p>Nice</p>" in comments(node, project)
    assert announced(known) == [{"id": about["id"], "type": "Note"}, about["id"]]


def test_must_30_of_a_comment_on_what_is_private_no_trace_is_shown(node: TestNode) -> None:
    token = write(node, TITLE, Visibility.private, ProjectState.published)
    path = say_here(node, f"/projects/{token}", "Between ourselves")
    client = node.app.test_client()
    assert client.get(path, headers=AS2).status_code == 404
    with node.work() as work:
        token = path.removeprefix("/comments/")
        service.delete(work, service.get_for_update(work.session, token))
    assert client.get(path, headers=AS2).status_code == 404


def test_must_35_a_list_of_followers_makes_only_councils_answer(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    uri = peer.uri("/councils/brackwell")
    sender = peer.actor("brackwell", followers=f"{uri}/followers")
    say(nodes, sender, node, "Follow", node.council_uri)
    groups = [group_of(node, publish(node, TITLE)) for _ in range(2)]
    lists(sender, *groups, f"https://{node.host}/actor")
    deliver(sender, node, header(sender))
    nodes.run_until_idle()
    assert f"{uri}/followers_synchronization" in [peer.uri(path) for path in peer.fetched]
    assert peer.received_of_type("Undo") == []


def test_a_formula_in_somebodys_name_is_none_in_a_list_of_ours(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    mover = peer.actor(name="=1+1")
    follow(node, mover)
    say(nodes, mover, node, "Move", mover.uri, target="https://dunmere.test/councils/dunmere")
    with node.work() as work:
        peers.decide(work, "dunmere.test", peers.ALLOWED)
        written = peer_lists.dump_csv(peer_lists.list_decided(work.session))
    assert "dunmere.test,allowed,1+1 says that it moved there" in written


def try_again(node: TestNode, nodes: Nodes) -> None:
    """Send at once what waits to be sent again."""
    with node.work() as work:
        waiting = select(Delivery).where(Delivery.state == "pending")
        for row in work.session.scalars(waiting).all():
            delivery.retry(work, row.id)
    nodes.run_until_idle()


class Slow(FakePeer):
    """A host at which our council changes its mind while something is on its way there."""

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and self.response_status == 202:
            self.response_status = 503
            change(self.sender, self.token, Visibility.private)
        return super().__call__(environ, start_response)

    sender: Any
    token: str


def test_what_is_withdrawn_on_its_way_is_not_sent_again(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    say(nodes, peer.actor(), node, "Follow", node.council_uri)
    slow = Slow(peer.host, peer.documents)
    slow.sender, slow.token = node, write(node, TITLE, Visibility.public, ProjectState.published)
    nodes.apps[peer.host] = slow
    nodes.run_until_idle()
    assert TITLE in str(slow.received), "it was under way"
    slow.received.clear()
    nodes.apps[peer.host] = peer
    try_again(node, nodes)
    assert TITLE not in str(peer.received)
    assert "Delete" in [document["type"] for _headers, document in peer.received]


def proven(sender: FakeActor, document: dict[str, Any], *, days: int = 0) -> dict[str, Any]:
    """A document with a proof of its author, made so many days ago."""
    key = PrivateKey(f"{sender.uri}#ed25519-key", private_key_pem("ed25519"))
    return add_proof(document, key, now() - timedelta(days=days))


def test_must_35_whoever_passes_on_fills_up_no_room_but_its_own(nodes: Nodes) -> None:
    node = nodes.start("aldermoor", most_waiting=3)
    author = FakePeer.join(nodes, "brackwell.test", node).actor()
    noisy = FakePeer.join(nodes, "cragford.test", node).actor()
    lists_key(author, private_key_pem("ed25519"))
    bins = f"{node.node.settings.base_url}{publish(node, 'Bins')}"
    said = proven(author, author.build_activity("Like", bins))
    answers = [noisy.send(said, node).status_code for _ in range(5)]
    assert answers == [202, 202, 202, 429, 429]
    assert author.send(author.build_activity("Like", bins), node).status_code == 202


def test_must_22_what_was_proven_long_ago_is_not_passed_on_again(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    author, forwarder = peer.actor(), FakePeer.join(nodes, "cragford.test", node).actor()
    lists_key(author, private_key_pem("ed25519"))
    for days, status in ((13, 202), (15, 401)):
        said = author.build_activity("Like", f"{node.council_uri}/nothing")
        assert forwarder.send(proven(author, said, days=days), node).status_code == status


@pytest.mark.parametrize("kind", [["Note", 3], {"type": "Like"}, 3, None, [["Like"]]])
def test_must_33_what_has_an_odd_type_is_ignored(
    kind: Any, nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    author = peer.actor()
    for activity in ("Create", "Update", "Delete", "Undo", "Announce", "Like", "Block", "Move"):
        say(nodes, author, node, activity, {"type": kind, "id": peer.new_id("notes")})
    with node.reading() as session:
        outcomes = session.scalars(select(InboxItem.outcome)).all()
    assert not [words for words in outcomes if "Error" in words]


def test_what_an_officer_said_is_not_sent_once_they_are_not_seen(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, officer = publish(node, TITLE), choose(node)
    follow_officer(nodes, peer.actor(), node)
    peer.response_status = 503
    written(officer, project, changed="One")
    nodes.run_until_idle()
    withdraw(officer)
    peer.received.clear()
    peer.response_status = 202
    try_again(node, nodes)
    said = [document for _headers, document in peer.received if "/officers/" in document["actor"]]
    assert [document["type"] for document in said] == ["Delete"]


def test_must_35_no_stranger_is_watched_for_ever(nodes: Nodes) -> None:
    node = nodes.start("aldermoor", federation="open")
    uri = "https://dunmere.test/councils/dunmere"
    stranger = FakePeer.join(nodes, "dunmere.test").actor("dunmere", followers=f"{uri}/followers")
    lists(stranger)
    deliver(stranger, node, header(stranger))
    nodes.run_until_idle()
    with node.work() as work:
        (watched,) = work.session.scalars(select(Comparison)).all()
        comparison_schedule.compare_soon(work, watched.actor_id)
    nodes.run_until_idle()
    with node.reading() as session:
        assert session.scalars(select(Comparison)).all() == []


def test_must_35_of_one_council_so_many_projects_are_kept(
    nodes: Nodes, node: TestNode, peer: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_projects, "MAX_PER_COUNCIL", 2)
    author = peer.actor()
    follow(node, author)
    told = [article(author, title) for title in ("One", "Two", "Three")]
    assert [send(nodes, author, author.build_activity("Create", one), node) for one in told] == [
        "done",
        "done",
        "ignored",
    ]
    changed = told[0] | {"name": "First"}
    assert send(nodes, author, author.build_activity("Update", changed), node) == "done"
    assert sorted(titles(node, author)) == ["First", "Two"]
