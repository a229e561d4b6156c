"""What the tests of updates, comments, reactions and projects' actors have in common."""

import html
import json
from typing import Any

from federation.addressing import PUBLIC_COLLECTION
from node.testing.fake_peer import FakeActor
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor

AS2 = {"Accept": "application/activity+json"}


def read(node: TestNode, address: str) -> dict[str, Any]:
    """The document at an address of a node, by its path or whole."""
    path = address.removeprefix(node.node.settings.base_url)
    answer = node.app.test_client().get(path, headers=AS2)
    assert answer.status_code in {200, 410}, (address, answer.status)
    found = json.loads(answer.data)
    assert isinstance(found, dict)
    return found


def write_update(officer: Visitor, project: str, **said: str) -> str:
    """Write an update of the project at a path; returns its id's path."""
    officer.visit(f"{project}/updates/new")
    page = officer.submit("updates/new", **{"changed": "", "next": "", "needs": ""} | said)
    assert page.status_code == 200, page.text
    return page.text.rpartition('href="/updates/')[0].rpartition('href="/updates/')[2]


def copy_of(node: TestNode, title: str) -> str:
    """The path of the page on which a node shows a project that it has."""
    text = node.visitor().visit("/projects").text
    before = html.unescape(text).partition(f">{title}<")[0]
    return "/projects/" + before.rpartition('href="/projects/')[2].partition('"')[0]


def note(
    author: FakeActor, about: str, text: str = "<p>We do that too.</p>", **more: Any
) -> dict[str, Any]:
    """A public answer of somebody elsewhere."""
    return {
        "id": author.peer.new_id("notes"),
        "type": "Note",
        "attributedTo": author.uri,
        "inReplyTo": about,
        "content": text,
        "to": [PUBLIC_COLLECTION],
        "cc": [],
        "published": "2026-11-20T10:00:00Z",
    } | more


def say(
    nodes: Nodes, author: FakeActor, node: TestNode, kind: str, about: Any, **more: Any
) -> None:
    """An activity of somebody elsewhere that the node takes and acts on."""
    assert author.send(author.build_activity(kind, about, **more), node).status_code == 202
    nodes.run_until_idle()
