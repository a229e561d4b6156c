"""Comments: of others on our projects, ours on theirs, and what is taken back."""

from typing import Any

import pytest
from sqlalchemy import select

from node.conversations import remote_comments, service
from node.conversations.models import Comment
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.talking import AS2, copy_of, note, read, say
from tests.federation.test_groups import announced, follow_group
from tests.federation.test_main_job import follow, publish
from tests.federation.test_updates import written

TITLE = "Bins in one step"


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "brackwell.test", node)


def comments(node: TestNode, project: str) -> str:
    """What stands below the heading on the page of a project, for everybody."""
    return node.visitor().visit(project).text.partition('id="comments"')[2].replace("<wbr>", "")


def uri_of(node: TestNode, path: str) -> str:
    return f"{node.node.settings.base_url}{path}"


def test_a_comment_of_an_allowed_server_is_shown_with_where_it_is_from(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, author = publish(node, TITLE), peer.actor("carol", type="Person")
    assert "No comments yet." in comments(node, project)
    about = note(author, uri_of(node, project), "<p>Us <b>too</b><script>x()</script></p>")
    say(nodes, author, node, "Create", about)
    shown = comments(node, project)
    assert "<p>Us <b>too</b></p>" in shown
    assert "@carol@brackwell.test" in shown
    assert f'href="{about["id"]}"' in shown
    assert "x()" not in shown


def test_answers_stand_below_what_they_answer(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    project, author = publish(node, TITLE), peer.actor()
    update = written(node.visitor("officer"), project, changed="One")
    first = note(author, uri_of(node, project), "<p>First</p>")
    second = note(author, uri_of(node, project), "<p>Second</p>")
    below = note(author, first["id"], "<p>Below</p>", published="2026-11-22T11:00:00Z")
    deeper = note(author, below["id"], "<p>Deeper</p>", published="2026-11-22T12:00:00Z")
    last = note(author, uri_of(node, update), "<p>Last</p>")
    for about in (first, second, below, deeper, last):
        say(nodes, author, node, "Create", about)
    shown = comments(node, project)
    words = ("First", "Below", "Deeper", "Second", "Last")
    order = [shown.index(f"<p>{word}</p>") for word in words]
    assert order == sorted(order)
    assert shown.count("moothall-thread__answers") == 1


def test_who_speaks_to_a_projects_actor_comments_on_it(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, author = publish(node, TITLE), peer.actor()
    about = note(author, "", "<p>To the group</p>", cc=[f"{uri_of(node, project)}/group"])
    del about["inReplyTo"]
    say(nodes, author, node, "Create", about)
    assert "To the group" in comments(node, project)


def test_must_42_warnings_languages_and_other_types_of_comments_are_kept(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, author = publish(node, TITLE), peer.actor()
    uri = uri_of(node, project)
    hidden = note(author, uri, "<p>The end of it</p>", summary="Spoiler <b>x</b>", sensitive=True)
    welsh = note(author, uri, "<p>Bore da</p>", contentMap={"cy": "<p>Bore da</p>"})
    page = note(author, uri, "<p>Of a page</p>", type="Page", name="On <Lemmy>")
    article = note(author, uri, "<p>Of an article</p>", type="Article", summary="In short")
    choices = [{"type": "Note", "name": "Red & white"}, {"type": "Note", "name": "Blue"}]
    poll = note(author, uri, "<p>Which?</p>", type="Question", oneOf=choices)
    vote = note(author, uri, "", name="Blue, I vote")
    del vote["content"]
    stray = note(author, "", "<p>Of nothing</p>", type="Article")
    del stray["inReplyTo"]
    for about in (hidden, welsh, page, article, poll, vote, stray):
        say(nodes, author, node, "Create", about)
    shown = comments(node, project)
    (_before, warned) = shown.split("The end of it")[0].rsplit("<details", 1)
    assert "Spoiler x" in warned
    assert 'lang="cy" dir="auto"><p>Bore da</p>' in shown
    assert "On &lt;Lemmy&gt;" in shown
    for words in ("Of a page", "Of an article", "Which?", "<li>Red &amp; white</li>", "I vote"):
        assert words in shown, words
    assert "In short" not in shown
    assert "Of nothing" not in shown
    changed = hidden | {"summary": None, "updated": "2026-11-21T10:00:00Z"}
    say(nodes, author, node, "Update", changed)
    assert "Spoiler" not in comments(node, project)


def test_what_is_about_nothing_here_or_not_for_all_is_not_shown(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, author = publish(node, TITLE), peer.actor()
    for about in (
        note(author, peer.new_id("notes"), "<p>Stray</p>"),
        note(author, uri_of(node, project), "<p>Private</p>", to=[node.council_uri]),
        note(author, uri_of(node, project), "  "),
        note(author, uri_of(node, project), "<p>" + "x" * 20_001 + "</p>"),
        note(peer.actor(), uri_of(node, project), "<p>Forged</p>"),
    ):
        say(nodes, author, node, "Create", about)
    assert "No comments yet." in comments(node, project)


def test_must_17_a_comment_is_changed_and_deleted_by_its_author_alone(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, author, other = publish(node, TITLE), peer.actor(), peer.actor()
    about = note(author, uri_of(node, project), "<p>One</p>")
    say(nodes, author, node, "Create", about)
    changed = about | {"content": "<p>Two</p>", "updated": "2026-11-21T10:00:00Z"}
    say(nodes, other, node, "Update", changed | {"content": "<p>Worse</p>"})
    say(nodes, other, node, "Update", changed | {"attributedTo": other.uri})
    assert "<p>One</p>" in comments(node, project)
    say(nodes, author, node, "Update", changed)
    say(nodes, author, node, "Update", about | {"updated": "2026-11-19T10:00:00Z"})
    assert "<p>Two</p>" in comments(node, project)
    say(nodes, other, node, "Delete", about["id"])
    assert "<p>Two</p>" in comments(node, project)
    say(nodes, author, node, "Delete", about["id"])
    assert "No comments yet." in comments(node, project)
    say(nodes, author, node, "Create", about)
    assert "No comments yet." in comments(node, project)


def test_must_23_a_comment_deleted_before_it_comes_is_not_shown(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project, author = publish(node, TITLE), peer.actor()
    about = note(author, uri_of(node, project))
    say(nodes, author, node, "Update", about | {"id": peer.new_id("notes"), "inReplyTo": "x"})
    say(nodes, author, node, "Delete", {"id": about["id"], "type": "Tombstone"})
    say(nodes, author, node, "Create", about)
    assert "No comments yet." in comments(node, project)


def test_what_a_stranger_says_waits_for_a_moderator(nodes: Nodes) -> None:
    node = nodes.start("aldermoor", federation="open")
    known, peer = (
        FakePeer.join(nodes, "brackwell.test", node),
        FakePeer.join(nodes, "coldmere.test"),
    )
    project, author, follower = publish(node, TITLE), peer.actor(), known.actor()
    follow_group(nodes, follower, node, project)
    about = note(author, uri_of(node, project), "<p>Held</p>")
    say(nodes, author, node, "Create", about)
    assert "No comments yet." in comments(node, project)
    assert announced(known) == []
    with node.work() as work:
        service.show(work, work.session.scalars(select(Comment)).one())
    nodes.run_until_idle()
    assert "<p>Held</p>" in comments(node, project)
    original, by_id = announced(known)
    assert (original["type"], original["object"]["id"], by_id) == (
        "Create",
        about["id"],
        about["id"],
    )


def test_a_comment_is_announced_as_it_came_and_taken_back(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    other = FakePeer.join(nodes, "coldmere.test", node)
    project, author = publish(node, TITLE), peer.actor()
    follow_group(nodes, other.actor(), node, project)
    activity = author.build_activity("Create", note(author, uri_of(node, project)))
    assert author.send(activity, node).status_code == 202
    nodes.run_until_idle()
    original, by_id = announced(other)
    assert original == activity
    assert by_id == activity["object"]["id"]
    assert announced(peer) == []
    with node.work() as work:
        service.hide(work, work.session.scalars(select(Comment)).one())
    nodes.run_until_idle()
    assert "No comments yet." in comments(node, project)
    undone = [found["object"]["id"] for found in other.received_of_type("Undo")]
    assert undone == [found["id"] for found in other.received_of_type("Announce")]


def test_must_35_there_is_room_for_so_many_comments_of_one_author(
    nodes: Nodes, node: TestNode, peer: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_comments, "MAX_PER_HOUR", 2)
    project, author = publish(node, TITLE), peer.actor()
    for number in range(3):
        about = note(author, uri_of(node, project), f"<p>Number {number}</p>")
        say(nodes, author, node, "Create", about)
    assert "Number 1" in comments(node, project)
    assert "Number 2" not in comments(node, project)
    say(nodes, peer.actor(), node, "Create", note(peer.actor(), uri_of(node, project)))
    monkeypatch.setattr(remote_comments, "MAX_PER_HOST", 2)
    node.node.host_quotas.clear()  # a second has passed
    late = peer.actor()
    say(nodes, late, node, "Create", note(late, uri_of(node, project), "<p>Late</p>"))
    assert "Overdue" not in comments(node, project)


def say_here(node: TestNode, project: str, text: str) -> str:
    """Comment on a page as an officer; returns the comment's path."""
    officer = node.visitor("officer")
    officer.visit(project)
    page = officer.submit("comments", source=text)
    assert "Your comment has been published." in page.text
    return "/comments/" + page.text.rpartition('id="comment-')[2].partition('"')[0]


def test_our_council_answers_somebody(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    project, author = publish(node, TITLE), peer.actor("carol")
    about = note(author, uri_of(node, project))
    say(nodes, author, node, "Create", about)
    officer = node.visitor("officer")
    token = officer.visit(project).text.partition('id="comment-')[2].partition('"')[0]
    officer.visit(f"/comments/{token}/answer")
    officer.submit("comments", source="Thank **you**")
    assert "Your comment has been published." in officer.text
    nodes.run_until_idle()
    (activity,) = peer.received_of_type("Create")
    answer = activity["object"]
    assert answer["inReplyTo"] == about["id"]
    assert answer["attributedTo"] == node.council_uri
    assert author.uri in answer["cc"]
    assert answer["tag"] == [
        {"type": "Mention", "href": author.uri, "name": "@carol@brackwell.test"}
    ]
    assert read(node, answer["id"]) == {"@context": activity["@context"]} | answer
    officer.visit(f"{answer['id'].removeprefix(node.node.settings.base_url)}/delete")
    officer.submit("delete")
    nodes.run_until_idle()
    assert [found["object"]["id"] for found in peer.received_of_type("Delete")] == [answer["id"]]
    assert read(node, answer["id"])["type"] == "Tombstone"
    assert "Thank" not in comments(node, project)


def test_a_comment_that_will_not_do_stays_typed(nodes: Nodes, node: TestNode) -> None:
    project, officer = publish(node, TITLE), node.visitor("officer")
    officer.visit(project)
    page = officer.submit("comments", source=" ")
    assert page.status_code == 400
    assert "Enter a comment" in page.text
    page = officer.submit("comments", source="x" * 5_001)
    assert "You have used 5,001" in page.text
    assert officer.form("comments").values["source"].strip() == "x" * 5_001
    assert officer.submit("comments", source="Fine", to="https://a.test/x").status_code == 404


def test_a_comment_on_another_councils_project_goes_round(nodes: Nodes) -> None:
    here, there = nodes.pair()
    third = nodes.start("coldmere")
    for one, other in ((here, third), (third, here), (third, there), (there, third)):
        one.allow(other)
    for reader in (there, third):
        follow(nodes, reader, here)
    project = publish(here, TITLE)
    nodes.run_until_idle()
    say_here(there, copy_of(there, TITLE), "We need *that*")
    say_here(here, project, "So do we")
    nodes.run_until_idle()
    for node, path in (
        (here, project),
        (there, copy_of(there, TITLE)),
        (third, copy_of(third, TITLE)),
    ):
        shown = comments(node, path)
        assert "We need <em>that</em>" in shown, node.name
        assert "So do we" in shown, node.name
        if node is not there:
            assert "@brackwell@brackwell.test" in shown
    with here.work() as work:
        found = select(Comment).where(Comment.content.contains("that"))
        service.hide(work, work.session.scalars(found).one())
    nodes.run_until_idle()
    assert "We need" not in comments(here, project)
    assert "We need" not in comments(third, copy_of(third, TITLE))
    assert "So do we" in comments(third, copy_of(third, TITLE))


def forged(announcer: FakeActor, project: str, author: FakeActor) -> dict[str, Any]:
    about = note(author, project, "<p>Never said</p>")
    return author.build_activity("Create", about)


def test_what_is_passed_on_is_believed_of_its_author_alone(nodes: Nodes) -> None:
    here, there = nodes.pair()
    peer = FakePeer.join(nodes, "coldmere.test", there)
    follow(nodes, there, here)
    project = publish(here, TITLE)
    nodes.run_until_idle()
    author, liar = peer.actor(), peer.actor()
    uri = uri_of(here, project)
    copy = copy_of(there, TITLE)
    # Its own server has never heard of it; and nobody but the project's own actor passes on.
    unsaid = forged(liar, uri, author)
    say(nodes, liar, there, "Announce", unsaid)
    assert "Never said" not in comments(there, copy)
    said = author.build_activity("Create", note(author, uri, "<p>Said</p>"))
    peer.serve(said["id"], said)
    peer.serve(said["object"]["id"], said["object"])
    say(nodes, liar, there, "Announce", said)
    assert "Said" not in comments(there, copy)


def test_a_comment_passed_on_without_a_proof_is_read_at_home(nodes: Nodes) -> None:
    here, there = nodes.pair()
    peer = FakePeer.join(nodes, "coldmere.test", here, there)
    follow(nodes, there, here)
    project = publish(here, TITLE)
    nodes.run_until_idle()
    author = peer.actor("carol", type="Person")
    said = author.build_activity("Create", note(author, uri_of(here, project), "<p>As told</p>"))
    at_home = said | {"object": said["object"] | {"content": "<p>As at home</p>"}}
    peer.serve(said["id"], at_home)
    assert author.send(said, here).status_code == 202
    nodes.run_until_idle()
    assert "As told" in comments(here, project)
    shown = comments(there, copy_of(there, TITLE))
    assert "As at home" in shown
    assert "@carol@coldmere.test" in shown
    say(nodes, author, here, "Delete", said["object"]["id"])
    assert "As told" not in comments(here, project)


def test_a_comment_has_a_page_of_its_own(nodes: Nodes, node: TestNode) -> None:
    project = publish(node, TITLE)
    path = say_here(node, project, "Here")
    assert "Here" in node.visitor().visit(path).text
    for wrong in ("/comments/none", f"{path}/answer"):
        assert node.app.test_client().get(wrong, headers=AS2).status_code in {401, 404}, wrong
