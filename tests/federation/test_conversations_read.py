"""What was said about a project before others knew of it, or while it was away from them."""

import tracemalloc
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from node.access.visibility import Visibility
from node.conversations import comment_subjects, thread_discovery, thread_fetcher
from node.conversations import service as conversations
from node.councils import service as councils
from node.database.tables import now
from node.federating.models import Delivery
from node.projects.models import Project, ProjectState
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation import converging
from tests.federation.talking import copy_of, note, say
from tests.federation.test_conversations import comments, uri_of
from tests.federation.test_main_job import follow, publish
from tests.refusals.test_belief import follow as subscribe
from tests.visibility.town import change, write

TITLE = "Bins in one step"


@pytest.fixture
def pair(nodes: Nodes) -> tuple[TestNode, TestNode]:
    return nodes.pair()


@pytest.fixture
def third(nodes: Nodes, pair: tuple[TestNode, TestNode]) -> FakePeer:
    """A server that both speak with."""
    return FakePeer.join(nodes, "coldmere.test", *pair)


def comment(node: TestNode, about: str, text: str) -> str:
    """Our council comments; the id of that."""
    with node.work() as work:
        subject = comment_subjects.find(work.session, about)
        assert subject is not None
        author = councils.require_own(work.session).actor
        return conversations.create(work, subject, text, author).uri


def from_elsewhere(
    nodes: Nodes, node: TestNode, author: FakeActor, about: str, text: str
) -> dict[str, Any]:
    """Somebody elsewhere comments, and their server serves it too."""
    written = note(author, about, f"<p>{text}</p>")
    activity = author.build_activity("Create", written)
    for document in (written, activity):
        author.peer.serve(document["id"], document)
    assert author.send(activity, node).status_code == 202
    nodes.run_until_idle()
    return written


def read_on(nodes: Nodes, node: TestNode) -> None:
    """As the sweeper does."""
    node.node.jobs.wake(thread_fetcher.JOB)
    nodes.run_until_idle()


def test_who_follows_late_reads_what_was_said(
    nodes: Nodes, pair: tuple[TestNode, TestNode], third: FakePeer
) -> None:
    here, there = pair
    path = publish(here, TITLE)
    about = uri_of(here, path)
    own = comment(here, about, "Ours")
    below = from_elsewhere(nodes, here, third.actor("carol", type="Person"), own, "Theirs")
    from_elsewhere(nodes, here, third.actor("dan", type="Person"), below["id"], "Deeper")
    gone = from_elsewhere(nodes, here, third.actor(), about, "Gone since")
    third.serve(gone["id"], {}, 410)
    follow(nodes, there, here)
    shown = comments(there, copy_of(there, TITLE))
    words = ("Ours", "Theirs", "Deeper")
    order = [shown.index(f"<p>{word}</p>") for word in words]
    assert order == sorted(order)
    assert "@carol@coldmere.test" in shown
    assert "Gone since" not in shown
    # It is read once, and what is known is not asked for again.
    asked = len(third.fetched)
    read_on(nodes, there)
    assert len(third.fetched) == asked


def test_many_projects_are_not_asked_about_one_by_one(
    nodes: Nodes, pair: tuple[TestNode, TestNode]
) -> None:
    """One list says of which of them anything was said."""
    here, there = pair
    converging.publish(here, *(f"Number {number}" for number in range(20)))
    path = publish(here, TITLE)
    comment(here, uri_of(here, path), "Ours")
    asked = converging.count_requests(nodes, here)
    follow(nodes, there, here)
    assert "<p>Ours</p>" in comments(there, copy_of(there, TITLE))
    about = [one for one in asked if "/conversations" in one or "/context" in one]
    listed = "GET /councils/aldermoor/projects/conversations"
    assert about[:2] == [listed, f"{listed}?after=0"]
    assert about[2:] == [f"GET {path}/context", f"GET {path}/context?page=1"]


def test_a_comment_that_was_lost_is_found(nodes: Nodes, pair: tuple[TestNode, TestNode]) -> None:
    here, there = pair
    path = publish(here, TITLE)
    follow(nodes, there, here)
    comment(here, uri_of(here, path), "Ours")
    with here.work() as work:
        work.session.execute(delete(Delivery))
    read_on(nodes, there)
    assert "<p>Ours</p>" not in comments(there, copy_of(there, TITLE))
    with there.work() as work:  # a day and six hours later
        long_ago = now() - thread_discovery.REREAD_INTERVAL - timedelta(hours=6)
        work.session.execute(update(Project).values(conversation_read_at=long_ago))
    there.node.conversation_polls.clear()
    read_on(nodes, there)
    assert "<p>Ours</p>" in comments(there, copy_of(there, TITLE))


def test_a_comment_is_as_its_authors_server_has_it(
    nodes: Nodes, pair: tuple[TestNode, TestNode], third: FakePeer
) -> None:
    here, there = pair
    path = publish(here, TITLE)
    author, other = third.actor(), FakePeer.join(nodes, "elsewhere.test").actor()
    forged = from_elsewhere(nodes, here, author, uri_of(here, path), "One")
    third.serve(forged["id"], forged | {"attributedTo": other.uri})
    changed = from_elsewhere(nodes, here, author, uri_of(here, path), "Two")
    third.serve(changed["id"], changed | {"content": "<p>Three<script>x()</script></p>"})
    strange = from_elsewhere(nodes, here, author, uri_of(here, path), "Four")
    third.serve(strange["id"], strange | {"inReplyTo": uri_of(here, publish(here, "Other"))})
    follow(nodes, there, here)
    shown = comments(there, copy_of(there, TITLE))
    assert "<p>Three</p>" in shown
    assert not {word for word in ("One", "Two", "Four", "x()") if word in shown}
    assert other.peer.fetched == []


def test_a_server_that_does_not_answer_is_asked_again(
    nodes: Nodes, pair: tuple[TestNode, TestNode]
) -> None:
    here, there = pair
    path = publish(here, TITLE)
    comment(here, uri_of(here, path), "Ours")
    follow(nodes, there, here)
    with there.work() as work:  # as if it had just come
        work.session.execute(update(Project).values(conversation_read_at=None))
    comment(here, uri_of(here, path), "Later")
    here.node.jobs.run_pending()
    app = nodes.apps.pop(here.host)
    read_on(nodes, there)
    nodes.apps[here.host] = app
    read_on(nodes, there)
    assert "<p>Later</p>" in comments(there, copy_of(there, TITLE))


def test_comments_come_back_with_their_project(
    nodes: Nodes, pair: tuple[TestNode, TestNode], third: FakePeer
) -> None:
    """They were withdrawn with it; whoever shows it again asks where they live."""
    here, there = pair
    follow(nodes, there, here)
    token = write(here, TITLE, Visibility.public, ProjectState.published)
    author = third.actor("carol", type="Person")
    from_elsewhere(nodes, here, author, f"https://{here.host}/projects/{token}", "Theirs")
    before = comments(there, copy_of(there, TITLE))
    for text in (f"And {TITLE}.", "Theirs"):
        assert text in before
    change(here, token, Visibility.private)
    nodes.run_until_idle()
    assert TITLE not in there.visitor().visit("/projects").text
    change(here, token, Visibility.public)
    nodes.run_until_idle()
    after = comments(there, copy_of(there, TITLE))
    for text in (f"And {TITLE}.", "Theirs"):
        assert text in after


def test_a_comment_that_its_author_deleted_stays_deleted(
    nodes: Nodes, pair: tuple[TestNode, TestNode], third: FakePeer
) -> None:
    here, there = pair
    follow(nodes, there, here)
    token = write(here, TITLE, Visibility.public, ProjectState.published)
    author = third.actor("carol", type="Person")
    about = f"https://{here.host}/projects/{token}"
    said = from_elsewhere(nodes, here, author, about, "Theirs")
    third.serve(said["id"], {}, 410)
    say(nodes, author, here, "Delete", said["id"])
    for visibility in (Visibility.private, Visibility.public):
        change(here, token, visibility)
        nodes.run_until_idle()
    after = comments(there, copy_of(there, TITLE))
    assert f"And {TITLE}." in after
    assert "Theirs" not in after


def test_must_35_a_long_list_of_conversations_does_not_stay_in_memory(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "coldmere.test", node)
    listed = peer.uri("/councils/1/projects/conversations")
    pages = 12
    for number in range(pages):
        name = f"{listed}?page={number}"
        items = [
            {"type": "OrderedCollection", "id": f"{name}/{each:0200d}/context", "totalItems": 2}
            for each in range(2_800)
        ]
        following = {"next": f"{listed}?page={number + 1}"} if number + 1 < pages else {}
        page = {"type": "OrderedCollectionPage", "id": name, "partOf": listed, **following}
        peer.serve(name, page | {"orderedItems": items})
    first = {"type": "OrderedCollection", "id": listed, "totalItems": 1}
    peer.serve(listed, first | {"first": f"{listed}?page=0"})
    subscribe(node, peer.actor(projects=peer.uri("/councils/1/projects")))
    tracemalloc.start()
    try:
        read_on(nodes, node)
        _held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum("conversations?page=" in one for one in peer.fetched) == pages
    assert peak < 12_000_000
