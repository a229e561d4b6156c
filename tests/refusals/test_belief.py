"""Who is believed about what, of accepted messages (musts 16, 17, 22, 23)."""

import json
from typing import Any

import pytest
from sqlalchemy import func, select

from federation.vocabulary import ActorDocument, Article, ProjectDetails
from node.conversations import remote_deletions
from node.councils import service as councils
from node.errors import ConflictError
from node.federating.inbound import inbox_processor
from node.federating.models import Actor, Follow, InboxItem, RemoteTombstone
from node.projects.models import Project
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode


def follow(node: TestNode, sender: FakeActor) -> None:
    """The node's council follows an actor of a peer, which has agreed."""
    document = sender.peer.documents[sender.uri.removeprefix(f"https://{sender.peer.host}")][1]
    with node.work() as work:
        row = councils.follow(work, ActorDocument.parse(document))
        row.state = "accepted"


def followed(node: TestNode, peer: FakePeer) -> FakeActor:
    sender = peer.actor()
    follow(node, sender)
    return sender


def article(sender: FakeActor, title: str, uri: str | None = None, **more: Any) -> dict[str, Any]:
    """A project of `sender`."""
    document = Article(
        id=uri or sender.peer.new_id("projects"),
        name=title,
        content="<p>It is needed.</p>",
        attributed_to=sender.uri,
        project=ProjectDetails(summary="A short sentence.", phase="alpha"),
    ).dump()
    return document | more


def send(nodes: Nodes, sender: FakeActor, document: dict[str, Any], node: TestNode) -> str:
    """Send, have it handled, and tell what became of it."""
    assert sender.send(document, node).status_code == 202
    nodes.run_until_idle()
    return state_of(node, document["id"])


def state_of(node: TestNode, uri: str) -> str:
    with node.reading() as session:
        return session.scalars(select(InboxItem).where(InboxItem.uri == uri)).one().state


def titles(node: TestNode, sender: FakeActor) -> list[str]:
    """What readers see of the projects of an actor's council."""
    with node.reading() as session:
        council = councils.by_actor_uri(session, sender.uri)
        assert council is not None
        query = select(Project).where(Project.council_id == council.id)
        found = [(row.token, row.title) for row in session.scalars(query)]
    reader = node.visitor()
    return [
        title for token, title in found if reader.visit(f"/projects/{token}").status_code == 200
    ]


@pytest.fixture
def nodes(lasting_nodes: Nodes) -> Nodes:
    return lasting_nodes


def test_must_22_a_project_is_stored_once_however_often_it_is_sent(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = followed(node, peer)
    created = sender.build_activity("Create", article(sender, "Bins"))
    assert send(nodes, sender, created, node) == "done"
    assert send(nodes, sender, created, node) == "done"
    send(nodes, sender, created | {"id": peer.new_id()}, node)
    assert titles(node, sender) == ["Bins"]


def test_must_23_delete_before_create(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    sender = followed(node, peer)
    document = article(sender, "Bins")
    assert send(nodes, sender, sender.build_activity("Delete", document["id"]), node) == "done"
    send(nodes, sender, sender.build_activity("Create", document), node)
    assert titles(node, sender) == []


def test_an_update_that_was_overtaken_changes_nothing(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = followed(node, peer)
    uri = peer.new_id("projects")
    old = article(sender, "Old", uri, updated="2026-01-01T10:00:00Z")
    new = article(sender, "New", uri, updated="2026-01-01T11:00:00Z")
    send(nodes, sender, sender.build_activity("Update", new), node)
    send(nodes, sender, sender.build_activity("Create", old), node)
    assert titles(node, sender) == ["New"]


def test_must_16_an_embedded_object_of_another_origin_is_read_from_there(
    nodes: Nodes, node: TestNode, peer: FakePeer, other: FakePeer
) -> None:
    liar, author = followed(node, peer), followed(node, other)
    truth = article(author, "True")
    other.serve(truth["id"], truth)
    other.fetched.clear()
    send(nodes, liar, liar.build_activity("Create", truth | {"name": "Forged"}), node)
    assert other.fetched == [truth["id"].removeprefix(f"https://{other.host}")]
    assert titles(node, author) == titles(node, liar) == []
    send(nodes, author, author.build_activity("Create", truth), node)
    send(nodes, liar, liar.build_activity("Create", truth | {"name": "Forged"}), node)
    assert titles(node, author) == ["True"]


def test_must_16_what_is_announced_counts_as_it_is_at_home(
    nodes: Nodes, node: TestNode, peer: FakePeer, other: FakePeer
) -> None:
    """Who announces may embed what others said; without their proof it is only told."""
    group, author = followed(node, peer), followed(node, other)
    said = author.build_activity("Create", article(author, "True"))
    other.serve(said["id"], said)
    other.fetched.clear()
    forged = said | {"object": said["object"] | {"name": "Forged"}}
    send(nodes, group, group.build_activity("Announce", forged), node)
    assert other.fetched == [said["id"].removeprefix(f"https://{other.host}")]
    assert "Forged" not in titles(node, author) + titles(node, group)
    unknown = author.build_activity("Create", article(author, "Never said"))
    assert send(nodes, group, group.build_activity("Announce", unknown), node) == "failed"
    stranger = FakePeer.join(nodes, "announced.test")
    theirs = stranger.actor().build_activity("Create", "x")
    assert send(nodes, group, group.build_activity("Announce", theirs), node) != "done"
    assert stranger.fetched == []


def test_an_embedded_object_of_a_host_that_is_not_allowed_is_dropped(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    stranger = FakePeer.join(nodes, "elsewhere.test")
    sender = followed(node, peer)
    theirs = article(stranger.actor(), "Forged")
    stranger.serve(theirs["id"], theirs)
    assert send(nodes, sender, sender.build_activity("Create", theirs), node) == "failed"
    assert stranger.fetched == []
    assert titles(node, sender) == []


def test_must_16_an_author_of_another_origin_is_not_believed(
    nodes: Nodes, node: TestNode, peer: FakePeer, other: FakePeer
) -> None:
    sender, author = followed(node, peer), followed(node, other)
    forged = article(sender, "Forged") | {"attributedTo": author.uri}
    peer.serve(forged["id"], forged)
    send(nodes, sender, sender.build_activity("Create", forged), node)
    assert titles(node, author) == titles(node, sender) == []


def test_an_object_named_by_its_id_is_read_from_its_origin(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = followed(node, peer)
    document = article(sender, "Bins")
    peer.serve(document["id"], document)
    assert send(nodes, sender, sender.build_activity("Create", document["id"]), node) == "done"
    assert titles(node, sender) == ["Bins"]


def test_what_could_not_be_read_is_tried_again_when_the_operator_says_so(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = followed(node, peer)
    document = article(sender, "Bins")
    created = sender.build_activity("Create", document["id"])
    assert send(nodes, sender, created, node) == "failed"
    peer.serve(document["id"], document)
    assert send(nodes, sender, created, node) == "failed", "it is known, and given up"
    with node.work() as work:
        item = work.session.scalars(select(InboxItem).where(InboxItem.uri == created["id"])).one()
        assert item.finished_at is not None
        name = f"received/{item.id}/retry"
    operator = node.visitor("operator")
    operator.visit("/operator/received?state=failed")
    assert "will be processed again" in operator.submit(name).text
    nodes.run_until_idle()
    assert state_of(node, created["id"]) == "done"
    assert titles(node, sender) == ["Bins"]
    with node.work() as work:
        item = work.session.scalars(select(InboxItem).where(InboxItem.uri == created["id"])).one()
        with pytest.raises(ConflictError):
            inbox_processor.retry(work, item)


@pytest.mark.parametrize("is_followed", [True, False])
def test_must_17_another_actor_of_the_host_changes_nothing(
    is_followed: bool, nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    author = followed(node, peer)
    neighbour = followed(node, peer) if is_followed else peer.actor()
    document = article(author, "Bins")
    send(nodes, author, author.build_activity("Create", document), node)
    forged = document | {"name": "Forged", "updated": "2030-01-01T00:00:00Z"}
    for change in (
        neighbour.build_activity("Update", forged),
        neighbour.build_activity("Update", forged | {"attributedTo": neighbour.uri}),
        neighbour.build_activity("Create", forged | {"attributedTo": neighbour.uri}),
        neighbour.build_activity("Delete", document["id"]),
        neighbour.build_activity("Delete", {"id": document["id"], "type": "Tombstone"}),
        neighbour.build_activity(
            "Update", {"id": author.uri, "type": "Organization", "name": "Forged"}
        ),
    ):
        assert send(nodes, neighbour, change, node) in {"ignored", "failed"}
    assert titles(node, author) == ["Bins"]
    with node.reading() as session:
        council = councils.by_actor_uri(session, author.uri)
        assert council is not None
        assert council.name != "Forged"


def test_must_17_a_neighbour_cannot_delete_what_is_yet_to_come(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    author, neighbour = followed(node, peer), followed(node, peer)
    document = article(author, "Bins")
    send(nodes, neighbour, neighbour.build_activity("Delete", document["id"]), node)
    send(nodes, author, author.build_activity("Create", document), node)
    assert titles(node, author) == ["Bins"]
    assert send(nodes, author, author.build_activity("Delete", document["id"]), node) == "done"
    send(nodes, author, author.build_activity("Create", document), node)
    assert titles(node, author) == []


def test_a_neighbour_s_deletion_does_not_hide_the_author_s(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    author, neighbour = followed(node, peer), followed(node, peer)
    document = article(author, "Bins")
    for sender in (neighbour, author):
        assert send(nodes, sender, sender.build_activity("Delete", document["id"]), node) == "done"
    send(nodes, author, author.build_activity("Create", document), node)
    assert titles(node, author) == []


def test_an_actor_that_nobody_follows_publishes_nothing_here(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = peer.actor()
    document = article(sender, "Bins")
    assert send(nodes, sender, sender.build_activity("Create", document), node) == "ignored"
    # It may comment: so that what it deleted is not shown when it comes late.
    assert send(nodes, sender, sender.build_activity("Delete", document["id"]), node) == "done"
    with node.reading() as session:
        assert councils.by_actor_uri(session, sender.uri) is None
        (kept,) = session.scalars(
            select(RemoteTombstone).where(RemoteTombstone.uri == document["id"])
        ).all()
        assert session.get_one(Actor, kept.actor_id).uri == sender.uri


def test_must_35_so_many_deletions_of_one_server_are_remembered(
    nodes: Nodes, node: TestNode, peer: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with node.reading() as session:
        kept = select(func.count()).select_from(RemoteTombstone).join(Actor)
        before = session.scalar(kept.where(Actor.host == peer.host)) or 0
    monkeypatch.setattr(remote_deletions, "MAX_TOMBSTONES_PER_HOST", before + 2)
    outcomes = []
    for _ in range(3):
        sender = peer.actor()
        outcomes.append(
            send(nodes, sender, sender.build_activity("Delete", peer.new_id("notes")), node)
        )
    assert outcomes == ["done", "done", "ignored"]


def test_nobody_answers_for_another(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    """An Accept or Reject of our Follow counts from whom we asked alone."""
    asked, neighbour = peer.actor(), peer.actor()
    follow(node, asked)
    with node.work() as work:
        row = work.session.scalars(select(Follow).where(Follow.followed.has(uri=asked.uri))).one()
        row.state, uri = "requested", row.uri
    for kind in ("Accept", "Reject"):
        answer = neighbour.build_activity(
            kind, {"id": uri, "type": "Follow", "actor": node.council_uri}
        )
        assert send(nodes, neighbour, answer, node) == "ignored"
    with node.reading() as session:
        assert session.scalars(select(Follow).where(Follow.uri == uri)).one().state == "requested"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "N" * 5000},
        {"url": "javascript:alert(1)"},
        {"url": f"https://brackwell.test/{'u' * 5000}"},
        {"name": None, "url": None, "published": "yesterday", "updated": "99999-01-01"},
        {"content": "<script>alert(1)</script><p onclick='x()'>Text</p>"},
        {"content": None, "nameMap": {"cy": "Biniau"}, "name": None},
    ],
    ids=",".join,
)
def test_must_33_odd_projects_are_shown_as_far_as_they_fit(
    changes: dict[str, Any], nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = followed(node, peer)
    document = article(sender, "Bins", **changes)
    assert send(nodes, sender, sender.build_activity("Create", document), node) == "done"
    assert len(titles(node, sender)) == 1
    with node.reading() as session:
        token = session.scalars(select(Project).where(Project.uri == document["id"])).one().token
    page = node.visitor().visit(f"/projects/{token}").text
    assert "javascript:" not in page
    assert "alert(1)" not in page
    assert "onclick" not in page


def test_what_is_refetched_is_signed_by_the_node(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    """A peer that asks for signatures on every read can answer us."""
    seen: list[dict[str, Any]] = []

    class Asking(FakePeer):
        def __call__(self, environ: Any, start_response: Any) -> Any:
            seen.append(dict(environ))
            return super().__call__(environ, start_response)

    asking = Asking.join(nodes, "asking.test", node)
    sender = asking.actor()
    assert sender.send(sender.build_activity("Like", "x"), node).status_code == 202
    assert f'keyId="https://{node.host}/actor#main-key"' in seen[0]["HTTP_SIGNATURE"]
    assert json.loads(
        node.app.test_client().get("/actor", headers={"Accept": "application/activity+json"}).data
    )["publicKey"]["id"].endswith("/actor#main-key")
