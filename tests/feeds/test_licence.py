"""The licence of public projects and updates, on pages, in feeds, exports and documents."""

import csv
import json
import re
from io import StringIO
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from sqlalchemy import select

from node.councils.service import require_own
from node.projects import service
from node.projects.models import Project
from node.projects.validation import ProjectInput
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from tests.refusals.test_belief import article, followed, send

ATOM = "{http://www.w3.org/2005/Atom}"
OGL = "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
BY = "https://creativecommons.org/licenses/by/4.0/"
BY_NAME = "Creative Commons Attribution 4.0 International licence"
NAME = "Open Government Licence v3.0"
NOTICE = "All content is available under the"


def published(council: TestNode, title: str, visibility: str = "public") -> str:
    """The token of a new project with one update."""
    with council.app.app_context(), council.work() as work:
        text = ProjectInput(title, "Trees by bus stops.", "beta", "", visibility=visibility)
        project = service.create(work, require_own(work.session), text)
        service.publish(work, project)
        token = project.token
    officer = council.visitor("officer")
    officer.visit(f"/projects/{token}/updates/new")
    officer.submit("updates/new", changed="We planted one.")
    return token


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(scope="module")
def token(council: TestNode) -> str:
    return published(council, "Shade")


@pytest.fixture(scope="module")
def private(council: TestNode) -> str:
    return published(council, "Not for all", "private")


@pytest.fixture
def stranger(council: TestNode, token: str) -> Visitor:
    return council.visitor()


def entries(feed: bytes) -> list[Element]:
    elements: list[Element] = fromstring(feed).findall(f"{ATOM}entry")
    return elements


def rows(visitor: Visitor) -> list[dict[str, str]]:
    table = visitor.visit("/projects.csv").data.decode("utf-8-sig")
    return list(csv.DictReader(StringIO(table)))


def test_page_of_project(stranger: Visitor, token: str) -> None:
    page = stranger.visit(f"/projects/{token}").text
    assert NOTICE in page
    assert f'href="{OGL}" rel="license">{NAME}</a>' in page
    assert NOTICE not in stranger.visit("/projects").text
    welsh = stranger.client.get(f"/projects/{token}", headers={"Accept-Language": "cy"})
    assert "Trwydded yr holl gynnwys, oni nodir yn wahanol" in welsh.text


def test_feeds(stranger: Visitor, token: str) -> None:
    for path in ("/projects.atom", "/updates.atom", f"/projects/{token}/updates.atom"):
        (entry,) = entries(stranger.visit(path).data)
        assert entry.findtext(f"{ATOM}rights") == NAME
        links = {each.attrib["rel"]: each.attrib["href"] for each in entry.findall(f"{ATOM}link")}
        assert links["license"] == OGL
    (item,) = json.loads(stranger.visit("/projects.feed.json").data)["items"]
    assert item["_licence"] == {"name": NAME, "url": OGL}


def test_exports(stranger: Visitor) -> None:
    (project,) = json.loads(stranger.visit("/projects.json").data)["projects"]
    assert project["content_licence"] == OGL
    assert [row["content licence"] for row in rows(stranger)] == [OGL]
    catalogue = json.loads(stranger.visit("/data.json").data)
    (dataset,) = catalogue["dataset"]
    assert {each["license"]["@id"] for each in dataset["distribution"]} == {OGL}
    assert catalogue["license"]["@id"] == OGL


def test_documents_for_other_servers(stranger: Visitor, token: str) -> None:
    for path in ("", "/document", "/context?page=1"):
        response = stranger.client.get(
            f"/projects/{token}{path}", headers={"Accept": "application/activity+json"}
        )
        document = response.get_json()
        for each in document.get("orderedItems", document.get("items", [document])):
            assert each["license"] == OGL, path
        assert {"@id": "http://schema.org/license", "@type": "@id"} in [
            term.get("license") for term in document["@context"] if isinstance(term, dict)
        ]


def test_private_projects_have_no_licence(council: TestNode, token: str, private: str) -> None:
    officer = council.visitor("officer")
    assert NOTICE not in officer.visit(f"/projects/{private}").text
    licences = {row["title"]: row["content licence"] for row in rows(officer)}
    assert licences == {"Shade": OGL, "Not for all": ""}
    officer.visit(f"/projects/{private}/updates.atom")
    (entry,) = entries(officer.page.data)
    assert entry.find(f"{ATOM}rights") is None


def test_licence_is_a_setting(lasting_nodes: Nodes) -> None:
    council = lasting_nodes.start("brackwell", content_licence="CC0-1.0")
    token = published(council, "Benches")
    page = council.visitor().visit(f"/projects/{token}").text
    assert "CC0 1.0 Universal public domain dedication" in page


def test_other_councils_licence_stays_with_its_text(nodes: Nodes) -> None:
    here, there = nodes.start("aldermoor"), nodes.start("brackwell", content_licence="CC-BY-4.0")
    here.allow(there)
    there.allow(here)
    here.follow(there)
    nodes.run_until_idle()
    token = published(there, "Benches")
    nodes.run_until_idle()
    reader = here.visitor()
    assert stated_licence(reader, "Benches") == (BY, BY_NAME)
    for path in ("/projects.atom", "/updates.atom"):
        (entry,) = entries(reader.visit(path).data)
        assert entry.findtext(f"{ATOM}rights") == BY_NAME
    writer = there.visitor("officer")
    writer.visit(f"/projects/{token}/delete")
    writer.submit("delete")
    nodes.run_until_idle()
    with here.reading() as session:
        assert session.scalars(select(Project.licence)).all() == [None]


def test_licences_that_other_servers_state(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    sender = followed(here, FakePeer.join(nodes, "cedarholt.test", here))
    unknown, plain = "https://licences.example/ours", BY.replace("https", "http").rstrip("/")
    uri = sender.peer.new_id("projects")
    for stated, expected in {
        plain: (plain, BY_NAME),
        "CC-BY-4.0": (BY, BY_NAME),
        unknown: (unknown, unknown),
        "javascript:alert(1)": ("", ""),
        "All rights reserved": ("", ""),
        None: ("", ""),
    }.items():
        project = article(sender, "Benches", uri, license=stated, visibility="public")
        assert send(nodes, sender, sender.build_activity("Update", project), here) == "done"
        assert stated_licence(here.visitor(), "Benches") == expected, stated


def stated_licence(reader: Visitor, title: str) -> tuple[str, str]:
    """URL and name of the licence on the page of another council's project. The exports have
    them as well, and our own licence is nowhere.
    """
    (project,) = json.loads(reader.visit("/projects.json").data)["projects"]
    address = project["content_licence"] or ""
    assert [row["content licence"] for row in rows(reader)] == [address]
    (item,) = json.loads(reader.visit("/projects.feed.json").data)["items"]
    assert item.get("_licence", {"url": ""})["url"] == address
    page = reader.visit(f"/projects/{project['token']}").text
    assert title in page
    assert NOTICE not in page
    assert OGL not in page
    link = re.search(r'href="([^"]*)" rel="license nofollow noopener">([^<]*)<', page)
    assert (link[1] if link else "") == address
    return (link[1], link[2]) if link else ("", "")
