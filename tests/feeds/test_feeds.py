"""What programs read: each form has what its reader may see, and is asked for again cheaply."""

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


def made(council: TestNode, *texts: ProjectInput, publish: bool = True) -> list[str]:
    """Projects of the council, and their tokens."""
    with council.app.app_context(), council.work() as work:
        found = []
        for text in texts:
            project = service.create(work, require_own(work.session), text)
            if publish:
                service.publish(work, project)
            found.append(project.token)
    return found


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(scope="module")
def token(council: TestNode) -> str:
    """That of the project that is looked for."""
    secret = replace(BINS, title="Secret thing", visibility="private")
    formula = replace(BINS, title="=1+1", phase="live", details=Details(), translations={})
    more = [replace(formula, title=f"More {number}") for number in range(24)]
    made(council, *more, formula, secret)
    made(council, replace(BINS, title="Draft thing"), publish=False)
    (found,) = made(council, BINS)
    writer = council.visitor("officer")
    writer.visit(f"/projects/{found}/updates/new")
    writer.submit("updates/new", changed="We **tried** it.\n\nMore.")
    return found


@pytest.fixture
def stranger(council: TestNode, token: str) -> Visitor:
    return council.visitor()


def atom(answer: TestResponse) -> Element:
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/atom+xml"
    root: Element = fromstring(answer.data)
    assert root.tag == f"{ATOM}feed"
    for name in ("id", "title", "updated", "author/name"):
        assert text_at(root, name)
    return root


def text_at(element: Element, path: str) -> str:
    found = element.find("/".join(f"{ATOM}{name}" for name in path.split("/")))
    assert found is not None, path
    return found.text or ""


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


def test_only_what_everybody_may_see(council: TestNode, stranger: Visitor) -> None:
    paths = ("/projects.csv", "/projects.json?page=2", "/projects.json", "/projects.atom")
    said = [stranger.visit(path).text for path in (*paths, "/projects.feed.json", "/data.json")]
    assert not any("Secret thing" in each or "Draft thing" in each for each in said)
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


def test_plain_json_from_page_to_page(stranger: Visitor) -> None:
    first = json.loads(stranger.visit("/projects.json").data)
    assert (first["total"], first["pages"], len(first["projects"])) == (26, 2, 20)
    second = json.loads(stranger.visit(path_of(first["next"])).data)
    assert second["next"] is None
    titles = {each["title"] for each in first["projects"] + second["projects"]}
    assert len(titles) == 26
    assert first["projects"][0]["details"]["tags"] == ["waste", "Help desk", "bins"]


def test_csv_is_whole_and_harmless(stranger: Visitor) -> None:
    stranger.visit("/projects.csv")
    assert stranger.page.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(StringIO(stranger.page.data.decode("utf-8-sig"))))
    assert len(rows) == 26
    assert rows[0]["tags"] == "waste, Help desk, bins"
    assert rows[0]["repository"] == "https://code.example/bins"
    assert {row["title"] for row in rows if "1+1" in row["title"]} == {"'=1+1"}


def test_what_is_exported_can_be_imported(stranger: Visitor) -> None:
    found = read_projects("projects.csv", stranger.visit("/projects.csv").data)
    bins = next(each for each in found if each.text.title == "Bins & days")
    assert bins.text.summary == BINS.summary
    assert bins.text.details.tags == DETAILS.tags
    assert bins.text.details.links[0].url == "https://bins.example"
    assert bins.organisation
    assert "=1+1" in {each.text.title for each in found}
    assert [note for each in found for note in each.notes] == []


@pytest.mark.parametrize(
    "path",
    ["/projects.atom", "/projects.feed.json", "/projects.json", "/projects.csv", "/data.json"],
)
def test_what_did_not_change_is_not_sent_again(stranger: Visitor, path: str) -> None:
    first = stranger.visit(path)
    tag, since = first.headers["ETag"], first.headers["Last-Modified"]
    again = stranger.client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert stranger.client.get(path, headers={"If-Modified-Since": since}).status_code == 304
    assert stranger.client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_the_feed_of_a_council(stranger: Visitor) -> None:
    feed = atom(stranger.visit("/councils/aldermoor/projects.atom"))
    assert len(feed.findall(f"{ATOM}entry")) == 20
    assert stranger.visit("/councils/nobody/projects.atom").status_code == 404
    assert stranger.visit("/councils/99/projects.atom").status_code == 404


def test_the_feed_of_a_project_has_its_updates(stranger: Visitor, token: str) -> None:
    feed = atom(stranger.visit(f"/projects/{token}/updates.atom"))
    (entry,) = feed.findall(f"{ATOM}entry")
    assert text_at(entry, "title") == "We tried it."
    assert "<strong>tried</strong>" in text_at(entry, "content")


def test_one_feed_has_the_updates_of_all_or_of_those_asked_for(
    council: TestNode, stranger: Visitor
) -> None:
    (other,) = made(council, replace(BINS, title="Told to us alone", visibility="private"))
    officer = council.visitor("officer")
    officer.visit(f"/projects/{other}/updates/new")
    officer.submit("updates/new", changed="Nobody else reads this.")
    for asked, titles in (
        ("", ["Bins & days: We tried it."]),
        ("?phase=beta&tag=waste", ["Bins & days: We tried it."]),
        ("?phase=live", []),
        ("?page=99999999999999999999", []),
    ):
        feed = atom(stranger.visit(f"/updates.atom{asked}"))
        assert [text_at(each, "title") for each in feed.findall(f"{ATOM}entry")] == titles


def test_software_names_its_publiccode(council: TestNode, stranger: Visitor, token: str) -> None:
    page = stranger.visit(f"/projects/{token}").text
    assert f'href="/projects/{token}/publiccode.yml"' in page
    way_in = f'href="/sign-in?next=/projects/{token}"'
    assert way_in in page
    assert way_in not in council.visitor("officer").visit(f"/projects/{token}").text


@pytest.mark.parametrize(
    "page, feed",
    [
        ("/projects?phase=beta", "/updates.atom?phase=beta"),
        ("/projects?phase=beta", "/projects.atom?phase=beta"),
        ("/councils/aldermoor", "/councils/aldermoor/projects.atom"),
        ("/", "/projects.atom"),
    ],
)
def test_pages_name_their_feeds(stranger: Visitor, page: str, feed: str) -> None:
    assert 'rel="alternate" type="application/atom+xml"' in stranger.visit(page).text
    assert f'href="{feed}"' in stranger.text


def test_a_project_names_its_feed(stranger: Visitor, token: str) -> None:
    assert f'href="/projects/{token}/updates.atom"' in stranger.visit(f"/projects/{token}").text


def test_the_catalogue_of_data(stranger: Visitor) -> None:
    found = json.loads(stranger.visit("/data.json").data)
    assert found["@type"] == "Catalog"
    (dataset,) = found["dataset"]
    assert dataset["title"].startswith("Digital projects of")
    for each in dataset["distribution"]:
        kind = stranger.visit(path_of(each["downloadURL"])).mimetype
        unregistered = {"@id": f"{MEDIA_TYPES}application/feed+json"}
        registered = each.get("mediaType", unregistered)
        assert registered["@id"] == f"{MEDIA_TYPES}{kind}"


# What the standard says of each key that has to be there (publiccode.yml 0.5).
def assert_valid(document: dict[str, object]) -> None:
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
    answer = stranger.visit(f"/projects/{token}/publiccode.yml")
    assert answer.mimetype == "application/yaml"
    document = yaml.safe_load(answer.data)
    assert_valid(document)
    assert document["url"] == "https://code.example/bins"
    assert document["legal"]["license"] == "MIT"
    assert document["usedBy"] == ["Brackwell Council"]
    assert document["categories"] == ["help-desk"], "only what the standard lists"
    assert document["dependsOn"] == {"open": [{"name": "Python"}]}
    assert document["maintenance"]["contacts"][0]["name"] == "Mair Puw"
    assert document["localisation"]["availableLanguages"] == ["cy", "en"]
    for said in document["description"].values():
        assert 150 <= len(said["longDescription"]) <= 10_000
        assert 1 <= len(said["shortDescription"]) <= 150
        assert said["features"]
    (back,) = read_projects("publiccode.yml", answer.data)
    assert back.text.title == "Bins & days"
    assert back.text.translations["cy"]["title"] == "Biniau"
    assert back.text.phase == "beta"


def test_a_project_without_a_repository_has_no_publiccode(council: TestNode, token: str) -> None:
    (other,) = made(
        council, replace(BINS, title="No code", details=Details(), visibility="private")
    )
    officer = council.visitor("officer")
    assert officer.visit(f"/projects/{other}/publiccode.yml").status_code == 404
    assert council.visitor().visit(f"/projects/{other}/publiccode.yml").status_code == 404


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=99999999999", "phase=x", "origin=%00"])
def test_odd_questions(stranger: Visitor, query: str) -> None:
    for path in ("/projects.atom", "/projects.json", "/projects.csv", "/projects.feed.json"):
        assert stranger.visit(f"{path}?{query}").status_code == 200
