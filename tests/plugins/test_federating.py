"""Documents and activities of a plugin's types, between two nodes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import select, update

from node import api
from node.api import Document, Work
from node.database.tables import now
from node.plugin_api.hooks import open_plugin_work
from node.plugin_documents.models import PluginDocument
from node.projects import service as projects
from node.projects.models import Project
from node.testing.nodes import Nodes, TestNode
from tests.federation.converging import (
    compare,
    comparison,
    count_requests,
    forget_deliveries,
)

from .conftest import Install

CODE = """
RECEIVED = []

@hookimpl
def register_documents():
    return [DocumentType("OrchardReport", "A report", (
        DocumentField("about", "line", is_required=True, max_length=100),
        DocumentField("words", "html", max_length=1000),
        DocumentField("apples", "number"),
        DocumentField("picked_on", "day"),
        DocumentField("more", "json", max_length=2000),
    ))]

@hookimpl
def document_received(document, work):
    RECEIVED.append(("received", document))
    work.audit("heard", document.id)

@hookimpl
def document_withdrawn(document, work):
    RECEIVED.append(("withdrawn", document.id))

@hookimpl
def register_activities(): return ["Offer"]

@hookimpl
def activity_received(activity, work):
    RECEIVED.append(("activity", activity))
    return activity.council is not None
"""
REPORT = Document(
    "OrchardReport",
    "Apples of 2026",
    {
        "about": "All trees",
        "words": "<p>Many<script>alert(1)</script></p>",
        "apples": 12,
        "picked_on": "2026-10-01",
        "more": {"trees": [1, 2], "ripe": True},
    },
)

FOR_ALL = Document("OrchardReport", "For all", {"about": "Trees"}, visibility="public")


@pytest.fixture
def received(install: Install) -> list[tuple[str, Any]]:
    """What the plugin was told, on every node that has it."""
    install("orchard", CODE)
    return import_module("plugin_orchard").RECEIVED  # type: ignore[no-any-return]


@pytest.fixture
def pair(received: list[Any], nodes: Nodes) -> tuple[TestNode, TestNode]:
    """Two that follow each other, both with the plugin."""
    return nodes.pair(plugins=("orchard",))


def in_orchard(one: TestNode, act: Callable[[Work], Any]) -> Any:
    with one.work() as work, open_plugin_work(work, "orchard") as part:
        return act(part)


def test_document_received(
    pair: tuple[TestNode, TestNode], received: list[tuple[str, Any]], nodes: Nodes
) -> None:
    """Published, changed, unchanged and withdrawn; a follower that comes late reads it."""
    here, there = pair
    early = in_orchard(here, lambda work: api.publish(work, REPORT))
    there.follow(here)
    nodes.run_until_idle()
    ((kind, told),) = received
    assert kind == "received"
    assert told.id == early.id
    assert told.fields == {
        "about": "All trees",
        "words": "<p>Many</p>",
        "apples": 12,
        "picked_on": early.fields["picked_on"],
        "more": {"trees": [1, 2], "ripe": True},
    }
    assert (told.council.host, told.visibility, told.is_local) == (here.host, "peers", False)
    received.clear()

    changed = Document("OrchardReport", "More apples", {"about": "All trees"}, id=early.id)
    in_orchard(here, lambda work: api.publish(work, changed))
    in_orchard(here, lambda work: api.publish(work, changed))
    nodes.run_until_idle()
    assert [(kind, told.name) for kind, told in received] == [("received", "More apples")]
    found = in_orchard(there, lambda work: api.documents(work, "OrchardReport"))
    assert [one.name for one in found] == ["More apples"]


def test_document_withdrawn(
    pair: tuple[TestNode, TestNode], received: list[tuple[str, Any]], nodes: Nodes
) -> None:
    """By the plugin; and by the node, once fewer may see the project that it is about."""
    here, there = pair
    there.follow(here)
    token = here.publish("Apple trees")
    with here.reading() as session:
        about = session.scalars(select(Project.uri)).one()
    one = in_orchard(here, lambda work: api.publish(work, REPORT))
    of_project = replace(REPORT, project_uri=about)
    two = in_orchard(here, lambda work: api.publish(work, of_project))
    nodes.run_until_idle()
    assert {told.id for _kind, told in received} == {one.id, two.id}
    received.clear()
    in_orchard(here, lambda work: api.withdraw(work, one.id))
    nodes.run_until_idle()
    assert received == [("withdrawn", one.id)]
    received.clear()
    with here.work() as work:
        projects.delete(work, projects.get_for_update(work.session, token))
    nodes.run_until_idle()
    assert in_orchard(there, lambda work: api.documents(work, "OrchardReport")) == []
    again = in_orchard(here, lambda work: api.publish(work, replace(REPORT, id=one.id)))
    assert again.id != one.id


def test_activity_received(
    pair: tuple[TestNode, TestNode], received: list[tuple[str, Any]], nodes: Nodes
) -> None:
    here, there = pair
    there.follow(here)
    nodes.run_until_idle()
    offered = {"type": "Note", "content": "Apples"}
    sent = in_orchard(
        there, lambda work: api.send_activity(work, "Offer", here.council_uri, offered)
    )
    nodes.run_until_idle()
    ((kind, told),) = received
    assert (kind, told.id, told.type, told.host) == ("activity", sent, "Offer", there.host)
    assert told.document["object"]["content"] == "Apples"


def test_a_document_is_for_whoever_may_see_it(
    pair: tuple[TestNode, TestNode], nodes: Nodes
) -> None:
    here, _ = pair
    for_all = Document("OrchardReport", "For all", {"about": "Trees"}, visibility="public")
    public = in_orchard(here, lambda work: api.publish(work, for_all))
    for_peers = in_orchard(here, lambda work: api.publish(work, REPORT))
    asking = {"Accept": "application/activity+json"}
    client = here.app.test_client()
    shown = client.get(public.id.removeprefix(f"https://{here.host}"), headers=asking).get_json(
        True
    )
    assert shown["type"] == "moothall:OrchardReport"
    assert shown["details"] == {"about": "Trees"}
    assert shown["to"] == ["https://www.w3.org/ns/activitystreams#Public"]
    path = for_peers.id.removeprefix(f"https://{here.host}")
    assert client.get(path, headers=asking).status_code == 404
    in_orchard(here, lambda work: api.withdraw(work, public.id))
    gone = client.get(public.id.removeprefix(f"https://{here.host}"), headers=asking)
    assert (gone.status_code, gone.get_json(True)["type"]) == (410, "Tombstone")


def test_a_node_without_the_plugin_ignores_it(
    received: list[Any], nodes: Nodes, install: Install
) -> None:
    here = nodes.start("aldermoor", plugins=("orchard",))
    there = nodes.start("brackwell", plugins=())
    here.allow(there)
    there.allow(here)
    there.follow(here)
    nodes.run_until_idle()
    in_orchard(here, lambda work: api.publish(work, REPORT))
    nodes.run_until_idle()
    with there.reading() as session:
        assert session.scalars(select(PluginDocument)).all() == []
    assert received == []


def test_documents_that_no_delivery_brings_are_found_by_comparing(
    pair: tuple[TestNode, TestNode], received: list[tuple[str, Any]], nodes: Nodes
) -> None:
    """One was not brought, one changed, one withdrawn; nothing is sent again, and nobody asks."""
    here, there = pair
    there.follow(here)
    nodes.run_until_idle()

    def publish(name: str) -> api.DocumentInfo:
        made = replace(FOR_ALL, name=name)
        told: api.DocumentInfo = in_orchard(here, lambda work: api.publish(work, made))
        return told

    changed, withdrawn, narrowed = (publish(name) for name in ("changed", "withdrawn", "narrowed"))
    nodes.run_until_idle()
    publish("missed")
    in_orchard(here, lambda work: api.publish(work, replace(FOR_ALL, name="new", id=changed.id)))
    in_orchard(here, lambda work: api.withdraw(work, withdrawn.id))
    in_orchard(
        here,
        lambda work: api.publish(work, replace(REPORT, name="for peers", id=narrowed.id)),
    )
    forget_deliveries(here)
    received.clear()
    compare(nodes, there)
    found = in_orchard(there, lambda work: api.documents(work, "OrchardReport"))
    assert {one.name: one.visibility for one in found} == {
        "missed": "public",
        "new": "public",
        "for peers": "peers",
    }
    assert ("withdrawn", withdrawn.id) in received
    assert comparison(there).agreed_at is not None
    asked = count_requests(nodes, here)
    compare(nodes, there)
    digest = f"/councils/{here.name}/projects/digest"
    assert asked == [f"GET {digest}"], "where nothing differs, one question is enough"
    # A stranger hears of what everybody may read alone.
    told = here.app.test_client().get(
        f"{digest}/documents/OrchardReport", headers={"Accept": "application/activity+json"}
    )
    assert told.get_json(True)["totalItems"] == 2


def test_a_document_that_does_not_fit_here_is_not_asked_for_again_and_again(
    pair: tuple[TestNode, TestNode], nodes: Nodes
) -> None:
    """Another council may have a newer plugin."""
    here, there = pair
    there.follow(here)
    one = in_orchard(here, lambda work: api.publish(work, REPORT))
    with here.work() as work:
        work.session.execute(update(PluginDocument).values(fields={"about": "x" * 200}))
    forget_deliveries(here)
    nodes.run_until_idle()
    asked = count_requests(nodes, here)
    compare(nodes, there)
    assert [line for line in asked if line.endswith(one.id.rpartition("/")[2])] == [
        f"GET {one.id.removeprefix(f'https://{here.host}')}"
    ]
    assert comparison(there).due_at > now() + timedelta(hours=1)
