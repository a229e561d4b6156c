"""A project has one representation, wherever it stands."""

import json
from typing import Any

import pytest

from federation.vocabulary import ProjectDocument, without_context
from node.access.visibility import Visibility
from node.projects.models import ProjectState
from node.testing.fake_peer import ACTIVITY_JSON, FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.visibility.town import change, signed_get, write


@pytest.fixture
def here(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def peer(nodes: Nodes, here: TestNode) -> FakeActor:
    """A follower that `here` allowed by name."""
    follower = FakePeer.join(nodes, "brackwell.test", here).actor("brackwell")
    follower.send(follower.build_activity("Follow", here.council_uri), here)
    nodes.run_until_idle()
    return follower


def text(document: dict[str, Any]) -> str:
    return json.dumps(without_context(document), ensure_ascii=False)


@pytest.mark.parametrize("visibility", [Visibility.public, Visibility.peers])
def test_the_project_is_the_same_in_what_is_sent_at_its_id_and_in_the_collections(
    visibility: Visibility, nodes: Nodes, here: TestNode, peer: FakeActor
) -> None:
    token = write(here, "Missed bins", visibility, ProjectState.published)

    def read(path: str) -> dict[str, Any]:
        found = signed_get(here, peer, path).get_json(force=True)
        assert isinstance(found, dict)
        return found

    def everywhere() -> set[str]:
        nodes.run_until_idle()
        listed = read("/councils/aldermoor/projects?after=0")["orderedItems"]
        (page,) = [one for one in listed if one["type"] == "Article"]
        said = [
            one["object"]
            for one in read("/councils/aldermoor/outbox?page=1")["orderedItems"]
            if one["type"] in {"Create", "Update"} and one["object"]["type"] == "Article"
        ]
        sent = [
            one["object"]
            for _headers, one in peer.peer.received
            if one["type"] in {"Create", "Update"} and one["object"]["type"] == "Article"
        ]
        return {text(one) for one in (page, said[0], sent[-1], read(f"/projects/{token}"))}

    assert len(everywhere()) == 1
    first = everywhere()
    change(here, token, visibility)
    assert len(everywhere()) == 1
    assert everywhere() != first


def test_the_whole_project_document_is_linked_and_says_what_the_article_says(
    here: TestNode,
) -> None:
    token = write(here, "Missed bins", Visibility.public, ProjectState.published)
    client = here.app.test_client()
    article = client.get(f"/projects/{token}", headers={"Accept": ACTIVITY_JSON}).get_json(
        force=True
    )
    (link,) = [tag for tag in article["tag"] if tag["type"] == "Link"]
    assert link["mediaType"].startswith("application/ld+json")
    path = link["href"].removeprefix(here.node.settings.base_url)
    answer = client.get(path, headers={"Accept": ACTIVITY_JSON})
    assert (answer.status_code, answer.mimetype) == (200, ACTIVITY_JSON)
    document = ProjectDocument.parse(answer.get_json(force=True))
    assert (document.id, document.project) == (link["href"], article["id"])
    assert (document.name, document.content) == (article["name"], article["content"])
    assert document.details.revision == article["revision"]
    page = client.get(path, headers={"Accept": "text/html"})
    assert page.headers["Location"] == f"/projects/{token}"


def test_the_language_of_the_text_is_said(here: TestNode) -> None:
    visitor = here.visitor("officer")
    visitor.visit("/projects/new")
    visitor.submit(
        "new",
        title="Biniau",
        summary="Casglu biniau.",
        phase="alpha",
        brief="Bore da.",
        language="cy",
        visibility="public",
        then="publish",
    )
    path = visitor.page.request.path
    article = (
        here.app.test_client().get(path, headers={"Accept": ACTIVITY_JSON}).get_json(force=True)
    )
    assert article["nameMap"] == {"cy": "Biniau"}
    assert article["contentMap"] == {"cy": article["content"]}
    assert 'lang="cy"' in visitor.text
