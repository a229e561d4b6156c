"""What many others are told at once is told in short transactions, and holds here at once."""

from typing import Any

import pytest
from sqlalchemy import func, literal, select, update

from node.conversations.models import Comment, CommentState
from node.database.tables import now
from node.federating.inbound import newly_allowed_servers
from node.federating.models import Actor, Delivery, OutboxActivity
from node.federating.peers import service as peers
from node.officers.service import ACTOR_KIND
from node.plugin_documents.models import PUBLISHED, PluginDocument
from node.projects.models import Project
from node.testing.nodes import Nodes, TestNode
from node.updates.models import Update, UpdateState
from tests.faults.many_rows import (
    HOST,
    MOST_AT_ONCE,
    fill,
    finish,
    followers_of,
    is_finished,
    recorded,
    remote_actors,
)

# Of each of these, several rows are written.
SOME, AT_ONCE = 120, 20
FRIEND = "friend.test"
AS2 = {"Accept": "application/activity+json"}


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor", federation="open")


def count(node: TestNode, *which: Any) -> int:
    with node.reading() as session:
        return session.scalar(select(func.count()).where(*which)) or 0


def own(node: TestNode, kind: str) -> Any:
    return lambda number: literal(f"{node.node.settings.base_url}/{kind}/").concat(number)


def much_said(node: TestNode) -> Project:
    """A public project with updates, which an officer announces, comments of ours and documents.
    One of its council's followers is on a server that nobody allowed, one on one that is allowed.
    """
    token = node.publish("Bins in one step")
    officer = node.visitor("officer")
    officer.visit("/account/profile")
    officer.submit("profile")
    remote_actors(node, 2)
    with node.reading() as session:
        project = session.scalars(select(Project).where(Project.token == token)).one()
        council = project.council.actor
        seen = session.scalars(
            select(Actor.id).where(Actor.is_local, Actor.kind == ACTOR_KIND)
        ).one()
    followers_of(node, council.id)
    with node.work() as work:
        peers.decide(work, FRIEND, peers.ALLOWED)
        moved = {"host": FRIEND, "inbox": f"https://{FRIEND}/inbox"}
        friend = Actor.uri == f"https://{HOST}/actors/2"
        work.session.execute(update(Actor).where(friend).values(**moved))
    moment = now()
    times: dict[str, Any] = {"published_at": moment, "changed_at": moment}
    mine = {"project_id": project.id, "author_id": council.id}
    updates, notes, documents = (own(node, kind) for kind in ("updates", "comments", "documents"))
    words = {"changed": "Secret", "next": "", "needs": "", "content": "<p>Secret</p>"}
    about = {"url": "", "language": "en", "revision": "1", "version": 1, "bucket": 0}
    token_of = lambda number: literal("").concat(number)  # noqa: E731
    more = {"token": token_of, "state": UpdateState.published} | times
    fill(node, Update, SOME, uri=updates, **mine, **words, **about, **more)
    words = {"content": "<p>Secret</p>", "source": "Secret", "warning": "", "language": "en"}
    more = {"in_reply_to": project.uri, "url": "", "state": CommentState.shown, "token": token_of}
    fill(node, Comment, SOME, uri=notes, received_at=moment, **mine, **words, **more, **times)
    said = {"body": '{"type":"Announce","object":"x:1"}', "audience": "public"}
    said["type"] = "Announce"
    activities = own(node, "activities")
    fill(
        node,
        OutboxActivity,
        SOME,
        uri=activities,
        actor_id=seen,
        object_uri=updates,
        created_at=moment,
        **said,
    )
    kind = {"plugin": "orchard", "type": "OrchardReport", "name": "Secret", "fields": {}}
    more = {"council_id": project.council_id, "project_uri": project.uri, "token": token_of}
    state = {"visibility": "public", "state": PUBLISHED, "revision": "1"}
    fill(node, PluginDocument, SOME, uri=documents, **kind, **more, **state, **times)
    return project


def show_to(node: TestNode, project: Project, visibility: str) -> None:
    officer = node.visitor("officer")
    officer.visit(f"/projects/{project.token}/edit")
    assert officer.submit("edit", visibility=visibility).status_code == 200


def shown(node: TestNode) -> list[int]:
    """What a stranger is answered who asks for the first and the last of all that was said."""
    reader = node.app.test_client()
    kinds = "updates", "comments", "documents", "activities"
    paths = [f"/{kind}/{number}" for kind in kinds for number in (1, SOME)]
    return [reader.get(path, headers=AS2).status_code for path in paths]


def told(node: TestNode, host: str, kind: str, what: str) -> int:
    """How many activities about updates, comments or documents go to a host."""
    about = OutboxActivity.object_uri.like(f"%/{what}/%"), OutboxActivity.type == kind
    return count(node, Delivery.activity_id == OutboxActivity.id, Delivery.host == host, *about)


@pytest.mark.parametrize("visibility", ["peers", "private"])
def test_fewer_may_read_a_project(node: TestNode, visibility: str) -> None:
    """A stranger reads nothing of it from the first moment on, and is told of each that it is gone;
    also where the process is killed on the way.
    """
    project = much_said(node)
    assert shown(node) == [200] * 8
    hidden = {404} if visibility == "peers" else {404, 410}

    def end() -> None:
        if len(found.sizes) == 8:
            node.node.jobs.stopping.set()

    with recorded(node) as found:
        show_to(node, project, visibility)
        assert told(node, HOST, "Delete", "updates") == AT_ONCE
        assert set(shown(node)) <= hidden
        found.on_commit = end
        finish(node)
        assert count(node, PluginDocument.visibility == "public", PluginDocument.name != "") > 0
        assert not is_finished(node)
        node.node.jobs.stopping.clear()
        finish(node)
    assert max(found.sizes) <= MOST_AT_ONCE
    assert len(found.sizes) >= 4 * SOME / AT_ONCE
    assert found.of_others >= SOME / AT_ONCE
    assert is_finished(node)
    for what in ("updates", "comments", "documents"):
        assert told(node, HOST, "Delete", what) == SOME
        assert told(node, FRIEND, "Delete", what) == (0 if visibility == "peers" else SOME)
    assert count(node, OutboxActivity.type == "Undo") == SOME
    assert set(shown(node)) <= hidden


def test_who_makes_a_project_public_again_has_the_last_word(node: TestNode) -> None:
    project = much_said(node)
    show_to(node, project, "private")
    show_to(node, project, "public")
    finish(node)
    assert is_finished(node)
    for what in ("updates", "comments", "documents"):
        assert told(node, HOST, "Delete", what) == AT_ONCE
    assert shown(node)[1:4:2] + shown(node)[5:6] == [200] * 3


def test_who_shows_a_project_to_peers_again_withdraws_the_rest_from_others(node: TestNode) -> None:
    project = much_said(node)
    show_to(node, project, "private")
    show_to(node, project, "peers")
    finish(node)
    assert is_finished(node)
    for what in ("updates", "comments", "documents"):
        assert told(node, HOST, "Delete", what) == SOME
        assert told(node, FRIEND, "Delete", what) == AT_ONCE


def test_a_server_with_many_followers_is_allowed(node: TestNode) -> None:
    """Each of them is accepted once more, also where the process is killed on the way."""
    many = 1_000
    remote_actors(node, many)
    with node.work() as work:
        work.session.execute(update(Actor).where(Actor.host == HOST).values(inbox=Actor.uri))
        ours = work.session.scalars(select(Actor.id).where(Actor.uri == node.council_uri)).one()
    followers_of(node, ours)
    operator = node.visitor("operator")
    operator.visit("/operator/peers")
    assert operator.submit("/operator/peers", host=HOST, state="allowed").status_code == 200

    def end() -> None:
        if len(found.sizes) == 5:
            node.node.jobs.stopping.set()

    accepts = OutboxActivity.type == "Accept", Delivery.activity_id == OutboxActivity.id
    with recorded(node) as found:
        found.on_commit = end
        newly_allowed_servers.run_job(node.node)
        finish(node)
        assert 0 < count(node, *accepts) < many
        node.node.jobs.stopping.clear()
        finish(node)
    assert max(found.sizes) <= MOST_AT_ONCE / 4
    assert len(found.sizes) >= many / newly_allowed_servers.BATCH_SIZE
    assert found.of_others >= many / newly_allowed_servers.BATCH_SIZE / 2
    with node.reading() as session:
        assert session.scalar(select(func.count(Delivery.inbox.distinct())).where(*accepts)) == many
    assert count(node, *accepts) == many
    assert is_finished(node)
