"""Messages that are acted on in one transaction: each sees what the ones before it changed, and
what they share is asked for once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, func, select

from node.conversations import remote_comments
from node.conversations.models import Comment
from node.councils import service as councils
from node.database import change_tracking
from node.federating import reactions
from node.federating.identity import actors
from node.federating.inbound import inbox_processor
from node.federating.models import Follow, InboxItem, Reaction
from node.federating.outbound import outbox
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.talking import note
from tests.federation.test_main_job import publish

TITLE = "Bins in one step"


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def project(node: TestNode) -> str:
    """The id of a published project."""
    return f"{node.node.settings.base_url}{publish(node, TITLE)}"


def send(author: FakeActor, node: TestNode, kind: str, about: Any) -> None:
    assert author.send(author.build_activity(kind, about), node).status_code == 202


def count(node: TestNode, model: Any) -> int:
    with node.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@contextmanager
def statements(node: TestNode) -> Iterator[list[str]]:
    found: list[str] = []

    def keep(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        found.append(statement)

    event.listen(node.node.engine, "before_cursor_execute", keep)
    yield found
    event.remove(node.node.engine, "before_cursor_execute", keep)


def test_a_new_follower_hears_of_the_next_comment(
    nodes: Nodes, node: TestNode, project: str
) -> None:
    author = FakePeer.join(nodes, "brackwell.test", node).actor()
    follower = FakePeer.join(nodes, "coldbrook.test", node).actor()
    before, after = note(author, project, "<p>One</p>"), note(author, project, "<p>Two</p>")
    send(author, node, "Create", before)
    send(follower, node, "Follow", f"{project}/group")
    send(author, node, "Create", after)
    nodes.run_until_idle()
    announced = [found["object"] for found in follower.peer.received_of_type("Announce")]
    assert after["id"] in announced
    assert before["id"] not in announced


def test_a_comment_that_was_deleted_before_it_came_is_not_shown(
    nodes: Nodes, node: TestNode, project: str
) -> None:
    author = FakePeer.join(nodes, "brackwell.test", node).actor()
    shown, deleted = note(author, project), note(author, project)
    send(author, node, "Create", shown)
    send(author, node, "Delete", deleted["id"])
    send(author, node, "Create", deleted)
    nodes.run_until_idle()
    with node.reading() as session:
        assert session.scalars(select(Comment.uri)).all() == [shown["id"]]


def test_what_was_undone_is_not_remembered(nodes: Nodes, node: TestNode) -> None:
    peer = FakePeer.join(nodes, "brackwell.test", node).actor()
    send(peer, node, "Follow", node.council_uri)
    nodes.run_until_idle()
    with node.work() as work, change_tracking.caching(work.session):
        session, own = work.session, councils.require_own(work.session).actor
        assert len(outbox.follower_inboxes(session, own)) == 1
        savepoint = session.begin_nested()
        session.delete(session.scalars(select(Follow)).one())
        assert outbox.follower_inboxes(session, own) == set()
        savepoint.rollback()
        assert len(outbox.follower_inboxes(session, own)) == 1
        theirs = actors.by_uri(session, peer.uri)
        assert theirs is not None
        theirs.shared_inbox = "https://brackwell.test/another"
        assert outbox.follower_inboxes(session, own) == {"https://brackwell.test/another"}


def test_comments_that_come_together_share_what_they_ask_for(
    nodes: Nodes, node: TestNode, project: str
) -> None:
    peer = FakePeer.join(nodes, "brackwell.test", node)
    authors = [peer.actor() for _ in range(20)]
    for author in authors:
        send(author, node, "Create", note(author, project))
    with statements(node) as found:
        inbox_processor.run_job(node.node)
    assert count(node, Comment) == len(authors)
    assert len(found) <= 6 * len(authors)


def test_must_35_reactions_of_one_server(
    nodes: Nodes, node: TestNode, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactions, "MAX_PER_HOST", 3)
    peer = FakePeer.join(nodes, "brackwell.test", node)
    other = FakePeer.join(nodes, "coldbrook.test", node).actor()
    likers = [peer.actor() for _ in range(5)]
    for liker in (other, *likers):
        send(liker, node, "Like", project)
    nodes.run_until_idle()
    with node.reading() as session:
        kept = [reaction.actor.uri for reaction in session.scalars(select(Reaction))]
    assert kept == [other.uri, *(liker.uri for liker in likers[2:])]


def test_a_message_that_fails_takes_nothing_from_those_that_came_with_it(
    nodes: Nodes, node: TestNode, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_comments, "MAX_PER_HOST", 3)
    author = FakePeer.join(nodes, "brackwell.test", node).actor()
    good = [note(author, project) for _ in range(3)]
    for about in (*good[:2], note(author, project) | {"content": 5}):
        send(author, node, "Create", about)
    nodes.run_until_idle()
    send(author, node, "Create", good[2])  # with savepoints from the first
    nodes.run_until_idle()
    with node.reading() as session:
        kept = session.scalars(select(Comment.uri).order_by(Comment.id)).all()
        states = session.scalars(select(InboxItem.state).order_by(InboxItem.id)).all()
    assert kept == [about["id"] for about in good]
    assert states == ["done", "done", "failed", "done"]
