"""What others write, as it is shown: plain, safe, and soon."""

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from federation.vocabulary import ActorDocument
from node import markup
from node.audit import AuditEntry
from node.database.tables import now
from node.federating.identity import actors
from node.principal import Principal
from node.projects.models import Project
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.refusals.test_belief import article, followed, send

PIECES = (
    *(
        "# A",
        "> ",
        "- ",
        "1. ",
        "*b",
        "**c**",
        "~~2",
        "`x",
        "---",
        "\\",
        "    ",
        "```\n",
        "]",
        "\n",
    ),
    *("[d](https://x.test/?a=1&b=2 'e\"f<')", "![i](x)", "<b>", "<a\n"),
    "| a | b |\n|--|:-:|\n| 1 | 2 |\n",
)
MARKDOWN = st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join)


@pytest.fixture
def nodes(lasting_nodes: Nodes) -> Nodes:
    return lasting_nodes


def received(nodes: Nodes, node: TestNode, peer: FakePeer, **changes: Any) -> Project:
    """What is kept of a project with changes."""
    sender = followed(node, peer)
    document = article(sender, "Bins", **changes)
    assert send(nodes, sender, sender.build_activity("Create", document), node) == "done"
    with node.reading() as session:
        return session.scalars(select(Project).where(Project.uri == document["id"])).one()


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_times_of_no_document_are_not_shown(
    at: str, nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    received(nodes, node, peer, published=at, updated=at)
    reader = node.visitor()
    for address in ("/", "/projects", "/councils"):
        assert reader.visit(address).status_code == 200


def test_nothing_was_changed_in_the_future(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    later = (now() + timedelta(days=300)).isoformat()
    assert received(nodes, node, peer, updated=later).changed_at <= now()


def test_titles_are_plain_text(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    project = received(
        nodes,
        node,
        peer,
        name="Parks & Leisure <5\n\u202egnp.exe\x1b[31m",
        plainSummary="<b>Big</b>\u200b & bold",
    )
    assert project.title == "Parks & Leisure <5 gnp.exe[31m"
    assert project.summary == "<b>Big</b> & bold"
    page = node.visitor().visit(f"/projects/{project.token}").text
    assert "Parks &amp; Leisure &lt;5 gnp.exe" in page


def test_a_page_is_of_the_origin_of_what_it_shows(
    nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    project = received(nodes, node, peer, url="https://elsewhere.test/")
    assert project.url == project.uri


def test_links_without_a_host_lead_nowhere(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    content = '<p><a href="/sign-out">a</a><a href="//x.test/">b</a><a href="https://x.test/">c</a>'
    found = received(nodes, node, peer, content=f"{content}</p>").content
    assert found.count("href=") == 1
    assert 'href="https://x.test/"' in found


@pytest.mark.parametrize(
    "content",
    [
        "<div>" * 40_000,
        "<div>" * 101 + "</div>" * 101,
        "<div><!-- </div> -->" * 9_000,
        '<div a=x" b="></div>">' * 8_000,
        "".join(f"<b x={number}><p>" for number in range(12_000)),
        f'<p><a title="{"x" * 90_000}"></p>' + "<p>a</p>" * 9_000,
        f'<p><a title="{"x" * 90_000}">' + "<div>a</div>" * 8_000 + "</a></p>",
        f'<p><a href="https://x.test/{"x" * 90_000}">' + "<div>a</div>" * 90 + "</a></p>",
        f"<a {' '.join(f'a{number}' for number in range(28_000))}>x</a>",
    ],
    ids=lambda content: content[:20],
)
def test_html_that_is_slow_to_read_is_refused_soon(
    content: str, nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    sender = followed(node, peer)
    document = article(sender, "Bins", content=content)
    began = time.process_time()
    assert send(nodes, sender, sender.build_activity("Create", document), node) == "failed"
    assert time.process_time() - began < 3


@settings(max_examples=60, deadline=None)
@given(MARKDOWN)
@example("> " * 300 + "words")
@example("*" * 400 + "words" + "*" * 400)
@example("[" * 300 + "words" + "](b)" * 300)
def test_markdown_of_any_kind_is_made_into_html(source: str) -> None:
    """What it is made into is never refused by the sanitiser."""
    assert markup.is_well_nested(markup.render_markdown(source))


def test_markdown_that_is_nested_too_deeply_is_shown_as_it_was_written() -> None:
    source = "*" * 400 + "a < b" + "*" * 400
    assert markup.render_markdown(source) == f"<p>{source.replace('<', '&lt;')}</p>"


@pytest.mark.parametrize(
    "given, kept",
    [
        ("<p>One<p>two", "<p>One</p><p>two</p>"),
        ("<ul><li>One<li>two</ul>", "<ul><li>One</li><li>two</li></ul>"),
        ("<b><i>a</b></i>", "<b><i>a</i></b>"),
    ],
)
def test_few_tags_that_are_badly_nested_are_put_right(
    given: str, kept: str, nodes: Nodes, node: TestNode, peer: FakePeer
) -> None:
    assert received(nodes, node, peer, content=given).content == kept


@pytest.mark.parametrize(
    "changes, kept",
    [
        ({"preferredUsername": "council@aldermoor.gov.uk"}, {"username": ""}),
        ({"preferredUsername": "parks-1"}, {"username": "parks-1"}),
        ({"name": "A\u202eB\n\x07C" + "D" * 400}, {"name": "AB C" + "D" * 294}),
        ({"name": "\u200b", "preferredUsername": "x"}, {}),
        ({"name": "a\u200db\u200cc\u200e\u200f"}, {"name": "a\u200db\u200cc\u200e\u200f"}),
        ({"name": "a\ufffeb\u2028c\u2066\ufeff"}, {"name": "ab c"}),
        ({"url": "https://aldermoor.gov.uk/"}, {"url": "https://brackwell.test/councils/odd"}),
    ],
)
def test_what_actors_call_themselves(
    changes: dict[str, Any], kept: dict[str, str], node: TestNode, peer: FakePeer
) -> None:
    sender = peer.actor("odd", **changes)
    document = peer.documents[sender.uri.removeprefix(f"https://{peer.host}")][1]
    with node.work() as work:
        actor = actors.upsert(work.session, ActorDocument.parse(document))
        assert {name: getattr(actor, name) for name in kept} == kept
        assert actor.name
        assert "@@" not in actor.address


def test_long_ids_fit_into_the_audit_log(nodes: Nodes, node: TestNode, peer: FakePeer) -> None:
    sender = peer.actor("a" * 1900)
    assert AuditEntry.by.type.length >= len(sender.uri)  # SQLite would not mind
    with node.work() as work:
        work.by = Principal.actor(sender.uri)
        work.audit("test.entry", sender.uri)
    with node.reading() as session:
        found = session.scalars(select(AuditEntry.by).where(AuditEntry.action == "test.entry"))
        assert found.one() == sender.uri
