"""Feeds and exports: contents, visibility, and conditional requests."""

import csv
import json
from dataclasses import replace
from io import StringIO
from xml.etree.ElementTree import Element

import pytest
import yaml
from defusedxml.ElementTree import fromstring
from werkzeug.test import TestResponse

from node.councils.service import require_own
from node.importing.format_detection import read_projects
from node.projects import service
from node.projects.details import Adopter, Details, LinkKind, Output, ProjectLink
from node.projects.validation import ProjectInput
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor

ATOM = "{http://www.w3.org/2005/Atom}"
DETAILS = Details(
    tags=("waste", "Help desk", "bins"),
    technologies=("Python", "web"),
    contact_name="Mair Puw",
    contact_email="mair@aldermoor.example",
    links=(
        ProjectLink(LinkKind.repository, "https://code.example/bins"),
        ProjectLink(LinkKind.website, "https://bins.example"),
    ),
    outputs=(
        Output(
            title="Reminders",
            licence="MIT",
            url="https://code.example/bins",
            adopters=(Adopter("Brackwell Council"),),
        ),
    ),
)
MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
BINS = ProjectInput(
    "Bins & days",
    "Says <when> bins are emptied.",
    "beta",
    "For **every** household.",
    details=DETAILS,
    translations={"cy": {"title": "Biniau", "summary": "Yn dweud pryd."}},
)


def create(council: TestNode, *texts: ProjectInput, publish: bool = True) -> list[str]:
    """Create projects of the council. Returns their tokens."""
    with council.app.app_context(), council.work() as work:
        tokens = []
        for text in texts:
            project = service.create(work, require_own(work.session), text)
            if publish:
                service.publish(work, project)
            tokens.append(project.token)
    return tokens


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(scope="module")
def token(council: TestNode) -> str:
    """The token of `BINS`, among many other projects."""
    secret = replace(BINS, title="Secret thing", visibility="private")
    formula = replace(BINS, title="=1+1", phase="live", details=Details(), translations={})
    more = [replace(formula, title=f"More {number}") for number in range(24)]
    create(council, *more, formula, secret)
    create(council, replace(BINS, title="Draft thing"), publish=False)
    (token,) = create(council, BINS)
    writer = council.visitor("officer")
    writer.visit(f"/projects/{token}/updates/new")
    writer.submit("updates/new", changed="We **tried** it.\n\nMore.")
    return token


@pytest.fixture
def stranger(council: TestNode, token: str) -> Visitor:
    return council.visitor()


def atom(response: TestResponse) -> Element:
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/atom+xml"
    root: Element = fromstring(response.data)
    assert root.tag == f"{ATOM}feed"
    for name in ("id", "title", "updated", "author/name"):
        assert text_at(root, name)
    return root


def text_at(element: Element, path: str) -> str:
    child = element.find("/".join(f"{ATOM}{name}" for name in path.split("/")))
    assert child is not None, path
    return child.text or ""


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def hrefs(element: Element) -> dict[str, str]:
    return {link.attrib["rel"]: link.attrib["href"] for link in element.findall(f"{ATOM}link")}


def test_atom(stranger: Visitor, token: str) -> None:
    feed = atom(stranger.visit("/projects.atom"))
    entries = feed.findall(f"{ATOM}entry")
    assert text_at(entries[0], "title") == "Bins & days"
    assert text_at(entries[0], "summary") == "Says <when> bins are emptied."
    assert "<strong>every</strong>" in text_at(entries[0], "content")
    assert text_at(entries[0], "id").endswith(f"/projects/{token}")
    terms = [each.attrib["term"] for each in entries[0].findall(f"{ATOM}category")]
    assert terms == ["beta", "waste", "Help desk", "bins"]
    assert len(entries) == 20
    older = atom(stranger.visit(path_of(hrefs(feed)["next"])))
    assert len(older.findall(f"{ATOM}entry")) == 6
    assert "next" not in hrefs(older)


def test_private_projects_are_only_for_own_users(council: TestNode, stranger: Visitor) -> None:
    paths = ("/projects.csv", "/projects.json?page=2", "/projects.json", "/projects.atom")
    exports = [stranger.visit(path).text for path in (*paths, "/projects.feed.json", "/data.json")]
    assert not any("Secret thing" in text or "Draft thing" in text for text in exports)
    ours = council.visitor("officer").visit("/projects.csv")
    assert "Secret thing" in ours.text
    assert "private" in ours.headers["Cache-Control"]
    assert "Draft thing" not in ours.text


def test_json_feed(stranger: Visitor, token: str) -> None:
    feed = json.loads(stranger.visit("/projects.feed.json?phase=beta").data)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    (item,) = feed["items"]
    assert item["id"].endswith(f"/projects/{token}")
    assert item["title"] == "Bins & days"
    assert "next_url" not in feed
    assert stranger.page.mimetype == "application/feed+json"


def test_json_is_paginated(stranger: Visitor) -> None:
    first = json.loads(stranger.visit("/projects.json").data)
    assert (first["total"], first["pages"], len(first["projects"])) == (26, 2, 20)
    second = json.loads(stranger.visit(path_of(first["next"])).data)
    assert second["next"] is None
    titles = {each["title"] for each in first["projects"] + second["projects"]}
    assert len(titles) == 26
    assert first["projects"][0]["details"]["tags"] == ["waste", "Help desk", "bins"]


def test_csv_is_complete_and_harmless(stranger: Visitor) -> None:
    stranger.visit("/projects.csv")
    assert stranger.page.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(StringIO(stranger.page.data.decode("utf-8-sig"))))
    assert len(rows) == 26
    assert rows[0]["tags"] == "waste, Help desk, bins"
    assert rows[0]["repository"] == "https://code.example/bins"
    assert {row["title"] for row in rows if "1+1" in row["title"]} == {"'=1+1"}


def test_csv_export_can_be_imported(stranger: Visitor) -> None:
    imported = read_projects("projects.csv", stranger.visit("/projects.csv").data)
    bins = next(project for project in imported if project.text.title == "Bins & days")
    assert bins.text.summary == BINS.summary
    assert bins.text.details.tags == DETAILS.tags
    assert bins.text.details.links[0].url == "https://bins.example"
    assert bins.organisation
    assert "=1+1" in {project.text.title for project in imported}
    assert [note for project in imported for note in project.notes] == []


@pytest.mark.parametrize(
    "path",
    ["/projects.atom", "/projects.feed.json", "/projects.json", "/projects.csv", "/data.json"],
)
def test_conditional_requests(stranger: Visitor, path: str) -> None:
    first = stranger.visit(path)
    tag, since = first.headers["ETag"], first.headers["Last-Modified"]
    again = stranger.client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert stranger.client.get(path, headers={"If-Modified-Since": since}).status_code == 304
    assert stranger.client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_feed_of_council(stranger: Visitor) -> None:
    feed = atom(stranger.visit("/councils/aldermoor/projects.atom"))
    assert len(feed.findall(f"{ATOM}entry")) == 20
    assert stranger.visit("/councils/nobody/projects.atom").status_code == 404
    assert stranger.visit("/councils/99/projects.atom").status_code == 404


def test_feed_of_project_has_its_updates(stranger: Visitor, token: str) -> None:
    feed = atom(stranger.visit(f"/projects/{token}/updates.atom"))
    (entry,) = feed.findall(f"{ATOM}entry")
    assert text_at(entry, "title") == "We tried it."
    assert "<strong>tried</strong>" in text_at(entry, "content")


def test_feed_of_updates_can_be_filtered(council: TestNode, stranger: Visitor) -> None:
    (other,) = create(council, replace(BINS, title="Private thing", visibility="private"))
    officer = council.visitor("officer")
    officer.visit(f"/projects/{other}/updates/new")
    officer.submit("updates/new", changed="Only for us.")
    for query, titles in (
        ("", ["Bins & days: We tried it."]),
        ("?phase=beta&tag=waste", ["Bins & days: We tried it."]),
        ("?phase=live", []),
        ("?page=99999999999999999999", []),
    ):
        feed = atom(stranger.visit(f"/updates.atom{query}"))
        assert [text_at(each, "title") for each in feed.findall(f"{ATOM}entry")] == titles


def test_project_with_software_links_to_publiccode(
    council: TestNode, stranger: Visitor, token: str
) -> None:
    page = stranger.visit(f"/projects/{token}").text
    assert f'href="/projects/{token}/publiccode.yml"' in page
    sign_in_link = f'href="/sign-in?next=/projects/{token}"'
    assert sign_in_link in page
    assert sign_in_link not in council.visitor("officer").visit(f"/projects/{token}").text


@pytest.mark.parametrize(
    "page, feed",
    [
        ("/projects?phase=beta", "/updates.atom?phase=beta"),
        ("/projects?phase=beta", "/projects.atom?phase=beta"),
        ("/councils/aldermoor", "/councils/aldermoor/projects.atom"),
        ("/", "/projects.atom"),
    ],
)
def test_pages_link_to_their_feeds(stranger: Visitor, page: str, feed: str) -> None:
    assert 'rel="alternate" type="application/atom+xml"' in stranger.visit(page).text
    assert f'href="{feed}"' in stranger.text


def test_project_links_to_its_feed(stranger: Visitor, token: str) -> None:
    assert f'href="/projects/{token}/updates.atom"' in stranger.visit(f"/projects/{token}").text


def test_data_catalogue(stranger: Visitor) -> None:
    catalogue = json.loads(stranger.visit("/data.json").data)
    assert catalogue["@type"] == "Catalog"
    (dataset,) = catalogue["dataset"]
    assert dataset["title"].startswith("Digital projects of")
    for each in dataset["distribution"]:
        kind = stranger.visit(path_of(each["downloadURL"])).mimetype
        unregistered = {"@id": f"{MEDIA_TYPES}application/feed+json"}
        registered = each.get("mediaType", unregistered)
        assert registered["@id"] == f"{MEDIA_TYPES}{kind}"


def assert_valid(document: dict[str, object]) -> None:
    """Check the mandatory keys (publiccode.yml 0.5)."""
    assert document["publiccodeYmlVersion"] == "0.5"
    for name in ("name", "url"):
        assert document[name]
    assert set(document["platforms"]) <= {"web", "windows", "mac", "linux", "ios", "android"}  # type: ignore[call-overload]
    assert document["developmentStatus"] in {
        "concept",
        "development",
        "beta",
        "stable",
        "obsolete",
    }
    assert document["softwareType"] == "standalone/other"


def test_publiccode_is_exported(stranger: Visitor, token: str) -> None:
    response = stranger.visit(f"/projects/{token}/publiccode.yml")
    assert response.mimetype == "application/yaml"
    document = yaml.safe_load(response.data)
    assert_valid(document)
    assert document["url"] == "https://code.example/bins"
    assert document["legal"]["license"] == "MIT"
    assert document["usedBy"] == ["Brackwell Council"]
    assert document["categories"] == ["help-desk"], "only what the standard lists"
    assert document["dependsOn"] == {"open": [{"name": "Python"}]}
    assert document["maintenance"]["contacts"][0]["name"] == "Mair Puw"
    assert document["localisation"]["availableLanguages"] == ["cy", "en"]
    for text in document["description"].values():
        assert 150 <= len(text["longDescription"]) <= 10_000
        assert 1 <= len(text["shortDescription"]) <= 150
        assert text["features"]
    (imported,) = read_projects("publiccode.yml", response.data)
    assert imported.text.title == "Bins & days"
    assert imported.text.translations["cy"]["title"] == "Biniau"
    assert imported.text.phase == "beta"


def test_project_without_repository_has_no_publiccode(council: TestNode, token: str) -> None:
    (other,) = create(
        council, replace(BINS, title="No code", details=Details(), visibility="private")
    )
    officer = council.visitor("officer")
    assert officer.visit(f"/projects/{other}/publiccode.yml").status_code == 404
    assert council.visitor().visit(f"/projects/{other}/publiccode.yml").status_code == 404


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=99999999999", "phase=x", "origin=%00"])
def test_invalid_parameters_are_ignored(stranger: Visitor, query: str) -> None:
    for path in ("/projects.atom", "/projects.json", "/projects.csv", "/projects.feed.json"):
        assert stranger.visit(f"{path}?{query}").status_code == 200
