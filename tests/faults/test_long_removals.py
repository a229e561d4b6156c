"""What is removed is gone for readers at once, and deleted in short transactions."""

from typing import Any

import pytest
from sqlalchemy import func, literal, select

from node.conversations.models import Comment, CommentState
from node.database.tables import now
from node.federating.models import Actor, ActorDeletion, Follow, InboxItem, OutboxActivity
from node.people.models import User
from node.projects.models import Project
from node.queue.batched_writes import BATCH_SIZE
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode, role_email
from node.webhooks.models import Webhook, WebhookMessage
from tests.faults.many_rows import (
    FEW,
    HOST,
    check,
    fill,
    finish,
    followers_of,
    is_finished,
    recorded,
    remote_actors,
    uri,
)
from tests.federation.talking import say

# Of each of these, more is written than a row.
SOME = 400
AS2 = {"Accept": "application/activity+json"}


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


def count(node: TestNode, *which: Any) -> int:
    with node.reading() as session:
        return session.scalar(select(func.count()).where(*which)) or 0


def test_an_officer_who_is_not_seen_any_more(node: TestNode) -> None:
    """Nobody reads what they said from the first moment on."""
    officer = node.visitor("officer")
    officer.visit("/account/profile")
    officer.submit("profile")
    with node.reading() as session:
        actor = session.scalars(select(Actor).where(Actor.kind == "Person", Actor.is_local)).one()
    own = f"{node.node.settings.base_url}/activities/"
    said = {"actor_id": actor.id, "type": "Announce", "object_uri": "x:1", "body": "{}"}
    name = lambda number: literal(own).concat(number)  # noqa: E731
    fill(node, OutboxActivity, FEW, uri=name, audience="public", created_at=now(), **said)
    remote_actors(node)
    followers_of(node, actor.id)
    reader = node.app.test_client()
    assert reader.get("/activities/1", headers=AS2).status_code == 200
    officer.visit("/account/profile/withdraw")
    with recorded(node) as found:
        officer.submit("withdraw")
        assert count(node, OutboxActivity.actor_id == actor.id, is_public()) > BATCH_SIZE
        codes = {reader.get(f"/activities/{n}", headers=AS2).status_code for n in (1, FEW)}
        assert codes == {404}
        finish(node)
    check(found, FEW)
    assert count(node, OutboxActivity.actor_id == actor.id, is_public()) == 0
    assert count(node, Follow.followed_id == actor.id) == 0
    assert is_finished(node)


def is_public() -> Any:
    return (OutboxActivity.audience == "public") & (OutboxActivity.type != "Delete")


def test_a_webhook_with_many_messages(node: TestNode) -> None:
    """Its page is gone at once, and it is not sent to any more."""
    with node.work() as work:
        mine = select(User).where(User.email == role_email("officer", node.name))
        user = work.session.scalars(mine).one()
        work.session.add(Webhook(user=user, url="https://hooks.test/", events=[], id=1))
    said = {"webhook_id": 1, "event": "test", "body": "{}", "answer": "", "attempts": 1}
    reference = lambda number: literal("msg_").concat(number)  # noqa: E731
    times = {"created_at": now(), "due_at": now(), "finished_at": now()}
    fill(node, WebhookMessage, FEW, reference=reference, state="delivered", **said, **times)
    officer = node.visitor("officer")
    assert officer.visit("/account/webhooks/1").status_code == 200
    with recorded(node) as found:
        officer.submit("/webhooks/1/remove")
        assert count(node, WebhookMessage.webhook_id == 1) == FEW - BATCH_SIZE
        assert officer.visit("/account/webhooks/1").status_code == 404
        assert "hooks.test" not in officer.visit("/account/webhooks").text
        finish(node)
    check(found, FEW)
    assert count(node, WebhookMessage.webhook_id == 1) == 0
    assert count(node, Webhook.id == 1) == 0
    assert is_finished(node)


def test_the_messages_of_an_account_that_is_deleted_elsewhere(nodes: Nodes, node: TestNode) -> None:
    peer = FakePeer.join(nodes, HOST, node)
    author = peer.actor()
    say(nodes, author, node, "Like", node.council_uri)
    said = {"host": HOST, "actor_uri": author.uri, "type": "Create", "body": {"type": "Create"}}
    times = {"received_at": now(), "due_at": now(), "finished_at": now()}
    state = {"state": "done", "attempts": 1, "needs_fetch": False, "outcome": ""}
    name = lambda number: literal(f"https://{HOST}/said/").concat(number)  # noqa: E731
    fill(node, InboxItem, FEW, uri=name, **said, **times, **state)
    with recorded(node) as found:
        say(nodes, author, node, "Delete", author.uri)
    check(found, FEW)
    with node.reading() as session:
        bodies = session.scalars(select(InboxItem.body).where(InboxItem.actor_uri == author.uri))
        assert [body for body in bodies if body] == []
        assert session.scalars(select(ActorDeletion)).all() == []


def test_a_project_with_many_comments(node: TestNode) -> None:
    """Nobody reads any of them from the first moment on, and in the end nothing is left of them."""
    token = node.publish("Bins in one step")
    remote_actors(node, 1)
    with node.reading() as session:
        project = session.scalars(select(Project).where(Project.token == token)).one()
        council = project.council.actor_id
        them = session.scalars(select(Actor.id).where(Actor.host == HOST)).one()
    base, moment = node.node.settings.base_url, now()
    times = {"published_at": moment, "changed_at": moment, "received_at": moment}
    own = lambda number: literal(f"{base}/activities/").concat(number)  # noqa: E731
    theirs = {"project_id": project.id, "author_id": them, "in_reply_to": project.uri}
    words = {"content": "<p>x</p>", "source": "", "warning": "", "language": "", "url": ""}
    state = {"state": CommentState.shown}
    comment = lambda number: literal("c").concat(number)  # noqa: E731
    fill(node, Comment, SOME, uri=uri("notes"), token=comment, **theirs, **words, **times, **state)
    said = {"actor_id": council, "type": "Announce", "body": "{}"}
    fill(
        node,
        OutboxActivity,
        SOME,
        uri=own,
        object_uri=uri("notes"),
        audience="public",
        created_at=moment,
        **said,
    )
    reader = node.app.test_client()
    assert reader.get(f"/activities/{SOME}", headers=AS2).status_code == 200
    officer = node.visitor("officer")
    officer.visit(f"/projects/{token}/delete")
    with recorded(node) as found:
        officer.submit("delete")
        left = Comment.project_id == project.id, Comment.content != ""
        assert count(node, *left) == SOME - 20
        assert reader.get(f"/activities/{SOME}", headers=AS2).status_code == 404
        finish(node)
    assert len(found.sizes) >= SOME / 20
    assert found.of_others >= SOME / 40
    assert count(node, *left) == 0
    assert is_finished(node)
