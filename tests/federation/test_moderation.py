"""Reports: from visitors and from other servers, what moderators do, and what is passed on."""

import html
import re
from typing import Any

import pytest
from sqlalchemy import func, select

from federation.addressing import PUBLIC_COLLECTION
from node.access.permissions import MODERATOR
from node.audit import AuditEntry
from node.conversations.models import Comment, CommentState
from node.councils import service as councils
from node.federating.models import InboxItem
from node.federating.peers import fetching
from node.federating.peers import service as peers
from node.moderation import service
from node.moderation.models import Report, ReportState
from node.people import service as people
from node.projects.models import Project
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import PASSWORD, Nodes, TestNode, role_email
from node.testing.visitor import Visitor
from tests.federation.test_main_job import follow, publish


def moderator(node: TestNode) -> Visitor:
    with node.work() as work:
        people.create(
            work,
            name="Mo Moderator",
            email=role_email(MODERATOR, node.name),
            password=PASSWORD,
            role=MODERATOR,
        )
    return node.visitor(MODERATOR)


def uri_of(node: TestNode, title: str) -> str:
    with node.reading() as session:
        return session.scalars(select(Project.uri).where(Project.title == title)).one()


def reports(node: TestNode) -> list[Report]:
    with node.reading() as session:
        return list(session.scalars(select(Report).order_by(Report.id)))


def flag(sender: FakeActor, *about: str, **more: Any) -> dict[str, Any]:
    """As Mastodon sends it: by the instance's actor, about an account and what it wrote."""
    return sender.build_activity("Flag", list(about), content="This is spam", **more)


def audited(node: TestNode) -> set[str]:
    with node.reading() as session:
        return set(session.scalars(select(AuditEntry.action)))


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, node: TestNode) -> FakePeer:
    return FakePeer.join(nodes, "mastodon.test", node)


@pytest.fixture
def comment(nodes: Nodes, node: TestNode, peer: FakePeer) -> tuple[FakeActor, str]:
    """A project of ours, and what somebody elsewhere said about it."""
    publish(node, "Bins")
    author = peer.actor("loud", type="Person")
    uri = peer.uri("/notes/1")
    note = {
        "id": uri,
        "type": "Note",
        "attributedTo": author.uri,
        "inReplyTo": uri_of(node, "Bins"),
        "content": "<p>Buy cheap bins!</p>",
        "to": [PUBLIC_COLLECTION],
        "published": "2026-01-01T00:00:00Z",
    }
    assert (
        author.send(author.build_activity("Create", note, to=[PUBLIC_COLLECTION]), node).status_code
        == 202
    )
    nodes.run_until_idle()
    assert "Buy cheap bins!" in page_of(node, "Bins")
    return author, uri


def page_of(node: TestNode, title: str) -> str:
    return node.visitor().visit(uri_of(node, title).removeprefix(node.node.settings.base_url)).text


def decide(visitor: Visitor, number: int = 1, **typed: str) -> None:
    visitor.visit(f"/moderation/reports/{number}")
    visitor.submit("/decide", **typed)


def test_a_visitor_reports_and_a_moderator_dismisses(node: TestNode) -> None:
    address = publish(node, "Bins")
    visitor = node.visitor()
    link = re.search(r'href="(/report\?about=[^"]+)"', visitor.visit(address).text)
    assert link
    visitor.visit(html.unescape(link[1]))
    answer = visitor.submit("/report", words="")
    assert answer.status_code == 400
    assert "Enter a description of the problem" in answer.text
    answer = visitor.submit("/report", words="It names a neighbour")
    assert "Thank you" in answer.text

    looking = moderator(node)
    queue = looking.visit("/moderation").text
    assert "It names a neighbour" in queue
    assert "A visitor to this site" in queue
    decide(looking, decision="dismiss")
    assert "No reports to show" in looking.visit("/moderation").text
    decided = looking.visit("/moderation/reports/1").text
    assert "No action taken" in decided
    assert role_email(MODERATOR, node.name) in decided
    assert {"report.file", "report.decide"} <= audited(node)
    looking.submit("/reopen")
    assert "It names a neighbour" in looking.visit("/moderation").text


def test_a_moderator_moderates_and_does_nothing_else(node: TestNode) -> None:
    looking = moderator(node)
    for path in ("/moderation", "/moderation/comments", "/moderation/blocks"):
        assert looking.visit(path).status_code == 200
        assert node.visitor("officer").visit(path).status_code == 403
    for path in ("/projects/new", "/councils/follow", "/operator/peers"):
        assert looking.visit(path).status_code == 403
    menu = looking.visit("/").text
    assert "/moderation" in menu
    assert "/operator" not in menu


def test_must_35_a_visitor_reports_a_few_times_an_hour(node: TestNode) -> None:
    publish(node, "Bins")
    visitor = node.visitor()
    about = uri_of(node, "Bins")
    statuses = []
    for number in range(6):
        visitor.visit(f"/report?about={about}")
        statuses.append(visitor.submit("/report", words=f"Wrong {number}").status_code)
    assert statuses == [200] * 5 + [429]
    assert "Wrong 5" in visitor.text, "what was typed stays"
    assert len(reports(node)) == 5


@pytest.mark.parametrize("about", ["", "%00", "https://nowhere.test/1", "x" * 5000])
def test_what_is_not_here_is_not_reported(about: str, node: TestNode) -> None:
    assert node.visitor().visit(f"/report?about={about}").status_code == 404


def test_nobody_learns_of_a_draft_by_reporting_it(node: TestNode) -> None:
    officer = node.visitor("officer")
    officer.visit("/projects/new")
    officer.submit(title="Secret", summary="S", phase="alpha", brief="B", then="save")
    assert node.visitor().visit(f"/report?about={uri_of(node, 'Secret')}").status_code == 404


def test_a_flag_of_another_server_waits_for_a_moderator(
    nodes: Nodes, node: TestNode, peer: FakePeer, comment: tuple[FakeActor, str]
) -> None:
    author, uri = comment
    instance = peer.actor("instance", type="Application")
    sent = flag(instance, author.uri, uri, "https://nowhere.test/1", uri)
    for _ in range(2):
        assert instance.send(sent, node).status_code == 202
        nodes.run_until_idle()
    (row,) = reports(node)
    assert (row.host, row.about, row.words) == (peer.host, [author.uri, uri], "This is spam")
    looking = moderator(node)
    page = looking.visit("/moderation/reports/1").text
    assert "Buy cheap bins!" in page
    assert peer.host in page
    decide(looking, decision="hide")
    assert "Buy cheap bins!" not in page_of(node, "Bins")
    assert "Hidden: " in looking.visit("/moderation/reports/1").text


def test_a_flag_about_what_is_unknown_is_ignored(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = peer.actor()
    for about in ([], ["https://nowhere.test/1"], [{"type": "Note"}]):
        sender.send(sender.build_activity("Flag", about), node)
        nodes.run_until_idle()
    assert reports(node) == []
    with node.reading() as session:
        assert set(session.scalars(select(InboxItem.state))) == {"ignored"}


def test_must_35_reports_of_one_server_have_an_end(
    nodes: Nodes, node: TestNode, peer: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_OPEN_PER_HOST", 3)
    monkeypatch.setattr(service, "MAX_DECIDED_PER_HOST", 2)
    sender = peer.actor()

    def send(times: int) -> None:
        for _ in range(times):
            sender.send(flag(sender, node.council_uri), node)
        nodes.run_until_idle()

    send(5)
    assert len(reports(node)) == 3
    for _ in range(3):
        with node.work() as work:
            for row in work.session.scalars(select(Report).where(Report.state == ReportState.open)):
                service.decide(work, row, service.ReportDecision.dismiss)
        send(3)
    assert len(reports(node)) <= 3 + 2 + 3


def test_a_moderator_blocks_whoever_wrote_it(
    nodes: Nodes, node: TestNode, peer: FakePeer, comment: tuple[FakeActor, str]
) -> None:
    author, uri = comment
    sender = peer.actor("instance")
    sender.send(flag(sender, uri), node)
    nodes.run_until_idle()
    looking = moderator(node)
    decide(looking, decision="block-author")
    nodes.run_until_idle()
    assert [item["object"] for item in peer.received_of_type("Block")] == [author.uri]
    assert "Buy cheap bins!" not in page_of(node, "Bins")
    looking.visit("/moderation/blocks")
    assert author.uri.rpartition("/")[2] in looking.text
    looking.submit("/undo")
    assert "Buy cheap bins!" in page_of(node, "Bins")


def test_a_moderator_blocks_a_server_and_passes_the_report_on(
    nodes: Nodes, node: TestNode, peer: FakePeer, comment: tuple[FakeActor, str]
) -> None:
    author, uri = comment
    other = FakePeer.join(nodes, "friendly.test", node)
    sender = other.actor()
    sender.send(flag(sender, uri), node)
    sender.send(flag(sender, uri), node)
    nodes.run_until_idle()
    looking = moderator(node)
    decide(looking, 1, decision="dismiss", forward="y")
    nodes.run_until_idle()
    (sent,) = peer.received_of_type("Flag")
    assert sent["actor"] == f"{node.node.settings.base_url}/actor"
    assert sent["object"] == [author.uri, uri]
    assert sent["content"] == "This is spam"
    assert sender.uri not in str(sent), "who reported it is nobody's business"
    decide(looking, 2, decision="block-server")
    with node.reading() as session:
        assert peers.is_blocked(session, peer.host)
    assert "Buy cheap bins!" not in page_of(node, "Bins")
    with node.work() as work:
        peers.reset_decision(work, peer.host)
    assert "Buy cheap bins!" in page_of(node, "Bins"), "what remains is shown again"


def test_another_councils_project_is_taken_off_our_pages(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, here, there)
    publish(there, "Bins")
    nodes.run_until_idle()
    reader = here.visitor()
    assert "Bins" in reader.visit("/projects").text
    with here.work() as work:
        service.create_visitor_report(work, uri_of(here, "Bins"), "Not for us")
    looking = moderator(here)
    decide(looking, decision="hide", forward="y")
    nodes.run_until_idle()
    assert "Bins" not in reader.visit("/projects").text
    (row,) = reports(there)
    assert (row.host, row.words) == (here.host, "Not for us")
    publish(there, "Potholes")
    nodes.run_until_idle()
    assert "Potholes" in reader.visit("/projects").text
    looking.visit("/moderation/blocks")
    looking.submit("/show")
    assert "Bins" in reader.visit("/projects").text


def test_our_own_project_is_not_hidden_but_deleted(node: TestNode) -> None:
    publish(node, "Bins")
    with node.work() as work:
        service.create_visitor_report(work, uri_of(node, "Bins"), "Wrong")
    looking = moderator(node)
    looking.visit("/moderation/reports/1")
    answer = looking.submit("/decide", decision="hide")
    assert answer.status_code == 400
    assert "This does not apply to anything in the report" in html.unescape(answer.text)
    answer = looking.submit("/decide", decision="nonsense")
    assert "Select what you want to do" in answer.text


def test_comments_that_wait_are_shown_or_refused(nodes: Nodes) -> None:
    node = nodes.start("aldermoor", federation="open")
    publish(node, "Bins")
    stranger = FakePeer.join(nodes, "mastodon.test").actor("stranger", type="Person")
    for number in (1, 2):
        note = {
            "id": stranger.peer.uri(f"/notes/{number}"),
            "type": "Note",
            "attributedTo": stranger.uri,
            "inReplyTo": uri_of(node, "Bins"),
            "content": f"<p>Word {number}</p>",
            "to": [PUBLIC_COLLECTION],
        }
        stranger.send(stranger.build_activity("Create", note, to=[PUBLIC_COLLECTION]), node)
    nodes.run_until_idle()
    assert "Word 1" not in page_of(node, "Bins")
    looking = moderator(node)
    page = looking.visit("/moderation/comments").text
    assert "Word 1" in page
    assert "Word 2" in page
    with node.reading() as session:
        tokens = list(session.scalars(select(Comment.token).order_by(Comment.uri)))
    looking.submit(f"{tokens[0]}/show")
    looking.visit("/moderation/comments")
    looking.submit(f"{tokens[1]}/hide")
    assert "No comments are waiting for approval" in looking.visit("/moderation/comments").text
    shown = page_of(node, "Bins")
    assert "Word 1" in shown
    assert "Word 2" not in shown
    with node.reading() as session:
        hidden = select(func.count()).where(Comment.state == CommentState.hidden)
        assert session.scalar(hidden) == 1


def test_a_moderator_blocks_by_address(nodes: Nodes) -> None:
    here, there = nodes.pair()
    looking = moderator(here)
    looking.visit("/moderation/blocks")
    assert looking.submit("/moderation/blocks", address="nonsense").status_code == 400
    answer = looking.submit("/moderation/blocks", address=there.address)
    assert "has been blocked" in answer.text
    nodes.run_until_idle()
    assert (
        here.address.lstrip("@").partition("@")[0]
        in moderator(there).visit("/moderation/blocks").text
    )
    with there.work() as work:
        assert councils.require_own(work.session).actor.uri == there.council_uri
        assert fetching.fetch_actor(there.node, here.council_uri).id == here.council_uri
