"""What other servers read of a node: WebFinger, NodeInfo, actors, collections (musts 1 to 5)."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from federation.addressing import PUBLIC_COLLECTION
from federation.vocabulary import ActorDocument, create
from node.access.viewer import Viewer
from node.councils import service as councils
from node.federating.outbound import outbox
from node.projects import service as projects
from node.projects.validation import ProjectInput
from node.testing.nodes import Nodes, TestNode

AS2 = "application/activity+json"
LD = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


def get(node: TestNode, address: str, accept: str = AS2) -> TestResponse:
    return node.app.test_client().get(address, headers={"Accept": accept})


def read(node: TestNode, address: str) -> dict[str, Any]:
    answer = get(node, address)
    assert answer.status_code == 200, address
    found = json.loads(answer.data)
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def node(lasting_nodes: Nodes) -> TestNode:
    """A council with more projects than stand on a page of its outbox."""
    one = lasting_nodes.start("aldermoor")
    with one.work() as work:
        own = councils.require_own(work.session)
        for number in range(25):
            text = ProjectInput(f"Project {number}", "A short sentence.", "alpha", "It is needed.")
            projects.publish(work, projects.create(work, own, text))
        projects.create(work, own, ProjectInput("A draft", "A short sentence.", "alpha", ""))
    return one


@pytest.mark.parametrize(
    "about, leads_to",
    [
        ("https://aldermoor.test/projects/1", "https://aldermoor.test/projects/1"),
        ("https://aldermoor.test.evil.example/projects/1", "/"),
        ("https://brackwell.test/projects/1", "/"),
    ],
)
def test_readers_of_an_activity_are_led_to_what_it_is_about_on_this_node_only(
    about: str, leads_to: str, nodes: Nodes
) -> None:
    node = nodes.start("aldermoor")
    address = f"{node.node.settings.base_url}/activities/1"
    with node.work() as work:
        actor = councils.require_own(work.session).actor
        outbox.publish(work, actor, create(address, actor.uri, about, to=[PUBLIC_COLLECTION]))
    answer = get(node, address, BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (302, leads_to)


@pytest.mark.parametrize("name", ["aldermoor", "node"])
def test_must_1_webfinger_names_the_actor(name: str, node: TestNode) -> None:
    resource = f"acct:{name}@{node.host}"
    answer = get(node, f"/.well-known/webfinger?resource={resource}", "*/*")
    assert (answer.status_code, answer.content_type) == (200, "application/jrd+json")
    found = json.loads(answer.data)
    assert found["subject"] == resource
    (link,) = [item for item in found["links"] if item["rel"] == "self"]
    assert link["type"] == AS2
    actor = read(node, link["href"])
    assert actor["id"] == link["href"]
    assert actor["preferredUsername"] == name


@pytest.mark.parametrize(
    "query, status",
    [
        ("?resource=acct:nobody@aldermoor.test", 404),
        ("?resource=acct:aldermoor@elsewhere.test", 404),
        ("?resource=acct:aldermoor", 400),
        ("?resource=", 400),
        ("?resource=%00", 400),
        ("", 400),
        ("?resource=" + "a" * 3000, 400),
    ],
)
def test_must_1_webfinger_of_what_is_not_here(query: str, status: int, node: TestNode) -> None:
    assert get(node, f"/.well-known/webfinger{query}", "*/*").status_code == status


def test_must_2_nodeinfo_in_both_versions(node: TestNode) -> None:
    links = {item["rel"]: item["href"] for item in read(node, "/.well-known/nodeinfo")["links"]}
    base = node.node.settings.base_url
    assert links["https://www.w3.org/ns/activitystreams#Application"] == f"{base}/actor"
    for version in ("2.0", "2.1"):
        address = links[f"http://nodeinfo.diaspora.software/ns/schema/{version}"]
        found = read(node, address)
        assert found["version"] == version
        assert found["software"]["name"] == "moothall"
        assert found["protocols"] == ["activitypub"]
        assert found["openRegistrations"] is False
        assert found["usage"]["localPosts"] == 25
    assert get(node, "/nodeinfo/9").status_code == 404


@pytest.mark.parametrize(
    "path, kind", [("/councils/aldermoor", "Organization"), ("/actor", "Application")]
)
def test_must_3_an_actor_is_who_webfinger_says(path: str, kind: str, node: TestNode) -> None:
    found = read(node, path)
    base = node.node.settings.base_url
    assert (found["id"], found["type"]) == (f"{base}{path}", kind)
    assert found["endpoints"]["sharedInbox"] == f"{base}/inbox"
    assert found["inbox"] == f"{base}{path}/inbox"
    for name in ("outbox", "followers", "projects"):
        if kind == "Organization":
            assert read(node, f"{path}/{name}")["id"] == found[name] == f"{base}{path}/{name}"
        else:
            assert name not in found
    key = found["publicKey"]
    assert key["owner"] == found["id"]
    assert key["id"] == f"{found['id']}#main-key"
    assert "PRIVATE" not in json.dumps(found)
    assert ActorDocument.parse(found).public_keys[0].key_id == key["id"]


def project(node: TestNode) -> str:
    first = read(node, read(node, "/councils/aldermoor/projects")["first"])
    return str(urlsplit(first["orderedItems"][0]["id"]).path)


def test_must_4_documents_and_pages_stand_at_one_address(node: TestNode) -> None:
    for path in ("/councils/aldermoor", project(node)):
        for accept in (AS2, LD):
            answer = get(node, path, accept)
            assert (answer.status_code, answer.mimetype) == (200, AS2)
            assert "Accept" in answer.headers["Vary"]
        for accept in (BROWSER, "text/html", "*/*", ""):
            answer = get(node, path, accept)
            assert (answer.status_code, answer.mimetype) == (200, "text/html")
            assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize("accept", [BROWSER, "text/html"])
def test_must_4_a_browser_never_gets_json(accept: str, node: TestNode) -> None:
    addresses = ("/actor", "/councils/aldermoor", "/projects", project(node))
    for path in addresses:
        assert get(node, path, accept).mimetype == "text/html"


@pytest.mark.parametrize("name", ["outbox", "projects", "followers"])
def test_must_5_collections_count_what_is_in_them_and_stay_on_their_host(
    name: str, node: TestNode
) -> None:
    collection = read(node, f"/councils/aldermoor/{name}")
    assert collection["type"] == "OrderedCollection"
    assert type(collection["totalItems"]) is int
    seen: list[str] = []
    address = collection.get("first")
    while address:
        assert urlsplit(address).netloc == node.host
        page = read(node, address)
        assert (page["id"], page["partOf"]) == (address, collection["id"])
        seen += [item["id"] for item in page["orderedItems"]]
        address = page.get("next")
    assert len(seen) == len(set(seen))
    if name != "followers":
        assert len(seen) == collection["totalItems"] == 25


def test_an_activity_can_be_read_by_its_id(node: TestNode) -> None:
    page = read(node, read(node, "/councils/aldermoor/outbox")["first"])
    activity = page["orderedItems"][0]
    found = read(node, activity["id"])
    assert found["object"] == activity["object"]
    assert get(node, "/activities/none").status_code == 404


def test_a_draft_is_nobody_elses_business(node: TestNode) -> None:
    with node.reading() as session:
        officer = Viewer(is_local_user=True, may_see_drafts=True)
        page = projects.list_page(session, projects.ProjectFilter(viewer=officer, drafts_only=True))
        path = f"/projects/{page.rows[0].token}"
    assert get(node, path).status_code == 404
    assert get(node, path, BROWSER).status_code == 404
