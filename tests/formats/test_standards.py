"""What programs read keeps to the standard of its format."""

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import pyshacl
import pytest
import yaml
from defusedxml.ElementTree import fromstring
from icalendar import Calendar
from rdflib import Graph

from node.councils.service import require_own
from node.feeds.publiccode import CATEGORIES
from node.projects import service
from node.projects.details import Adopter, Details, Link, LinkKind, Output
from node.projects.writing import Text
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor

# What the database is has nothing to do with it.
pytestmark = pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True)

SHAPES = Path(__file__).with_name("dcat_ap.ttl")
ATOM = "{http://www.w3.org/2005/Atom}"
LONG = "Wythnos casglu’r biniau; a, b\\c a dŵr, te a choffi"
TEXT = Text(
    LONG,
    "Says <when> bins are emptied & why.",
    "beta",
    "For **every** household.",
    details=Details(
        tags=("waste", "Content management"),
        technologies=("Python", "web"),
        starts_on=date(2030, 1, 1),
        ends_on=date(2030, 2, 28),
        links=(Link(LinkKind.repository, "https://code.example/bins"),),
        outputs=(Output(title="Reminders", licence="MIT", adopters=(Adopter("Brackwell"),)),),
    ),
    translations={"cy": {"title": "Biniau", "summary": "Yn dweud pryd."}},
)
# Keys of publiccode.yml 0.5 that are mandatory, and all that may stand beside them.
MANDATORY = {
    *("publiccodeYmlVersion", "name", "url", "platforms", "developmentStatus", "softwareType"),
    *("description", "legal", "maintenance", "localisation"),
}
OPTIONAL = {
    *("applicationSuite", "landingURL", "isBasedOn", "softwareVersion", "releaseDate", "logo"),
    *("categories", "usedBy", "roadmap", "intendedAudience", "dependsOn", "organisation"),
}
STATUSES = {"concept", "development", "beta", "stable", "obsolete"}
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


@pytest.fixture(scope="module")
def token(council: TestNode) -> str:
    with council.app.app_context(), council.work() as work:
        project = service.create(work, require_own(work.session), TEXT)
        service.publish(work, project)
        token = project.token
    officer = council.visitor("officer")
    officer.visit(f"/projects/{token}/updates/new")
    officer.submit("updates/new", changed="We **tried** it.\n\nMore.")
    return token


@pytest.fixture
def stranger(council: TestNode, token: str) -> Visitor:
    return council.visitor()


def violations(document: str) -> str:
    """What DCAT-AP says is wrong; "" for nothing."""
    data = Graph().parse(data=document, format="json-ld")
    assert len(data) > 20
    conforms, _graph, report = pyshacl.validate(data, shacl_graph=Graph().parse(SHAPES))
    return "" if conforms else str(report)


# rdflib's own reader of JSON-LD uses what rdflib has deprecated.
@pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning:rdflib")
@pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning:pyshacl")
def test_the_catalogue_of_data_is_dcat_ap(stranger: Visitor) -> None:
    text = stranger.visit("/data.json").text
    assert violations(text) == ""
    # The shapes see what is wrong.
    for name, wrong in (("license", "a licence"), ("format", "CSV"), ("accessURL", None)):
        document = json.loads(text)
        document["dataset"][0]["distribution"][0][name] = wrong
        assert violations(json.dumps(document)), name
    for name, nothing in (("description", None), ("publisher", []), ("modified", "yesterday")):
        document = json.loads(text) | {name: nothing}
        assert violations(json.dumps(document)), name


def only(element: Element, name: str) -> str:
    (found,) = element.findall(f"{ATOM}{name}")
    assert found.text
    return found.text


@pytest.mark.parametrize(
    "path",
    ["/projects.atom", "/updates.atom", "/projects/{}/updates.atom", "/projects.atom?phase=live"],
)
def test_feeds_are_atom(stranger: Visitor, token: str, path: str) -> None:
    """RFC 4287, sections 4.1.1 to 4.2.15."""
    answer = stranger.visit(path.format(token))
    feed: Element = fromstring(answer.data)
    assert feed.tag == f"{ATOM}feed"
    assert answer.mimetype == "application/atom+xml"
    entries = feed.findall(f"{ATOM}entry")
    assert bool(entries) == ("live" not in path)
    for each in (feed, *entries):
        assert urlsplit(only(each, "id")).scheme == "https"
        assert only(each, "title")
        assert RFC_3339.fullmatch(only(each, "updated"))
        assert all(author.findtext(f"{ATOM}name") for author in each.findall(f"{ATOM}author"))
        for name in ("published", "rights", "summary", "content", "subtitle", "generator"):
            assert len(each.findall(f"{ATOM}{name}")) <= 1
        links = [link.attrib for link in each.findall(f"{ATOM}link")]
        assert all(urlsplit(link["href"]).scheme == "https" for link in links)
        kinds = [(link["rel"], link.get("type"), link.get("hreflang")) for link in links]
        assert len(kinds) == len(set(kinds))
        assert all(category.attrib["term"] for category in each.findall(f"{ATOM}category"))
    assert feed.find(f"{ATOM}author") is not None
    assert [link.attrib["rel"] for link in feed.findall(f"{ATOM}link")].count("self") == 1
    ids = [only(each, "id") for each in entries]
    assert len(ids) == len(set(ids))
    for each in entries:
        content = each.find(f"{ATOM}content")
        assert content is not None
        assert content.attrib["type"] == "html"
        assert len(content) == 0


@pytest.mark.parametrize("path", ["/calendar.ics", "/projects/{}/calendar.ics"])
def test_calendars_are_icalendar(stranger: Visitor, token: str, path: str) -> None:
    """RFC 5545: section 3.1 of lines, 3.6 of what a calendar and its events must have."""
    answer = stranger.client.get(path.format(token))
    assert answer.mimetype == "text/calendar"
    assert answer.data.endswith(b"\r\n")
    lines = answer.data.split(b"\r\n")
    assert all(len(line) <= 75 and b"\n" not in line for line in lines)
    assert any(line.startswith(b" ") for line in lines), "a long title is folded"
    calendar: Any = Calendar.from_ical(answer.data)
    assert calendar["VERSION"] == "2.0"
    assert calendar["PRODID"]
    events = calendar.walk("VEVENT")
    assert len(events) >= 2
    assert [each.errors for each in events] == [[] for _ in events]
    uids = [str(each["UID"]) for each in events]
    assert len(uids) == len(set(uids))
    for each in events:
        assert isinstance(each["DTSTAMP"].dt, datetime)
        assert each["DTSTAMP"].dt.tzinfo is not None
        starts = each["DTSTART"].dt
        assert "DTEND" not in each or each["DTEND"].dt > starts
        assert LONG in str(each["SUMMARY"])


def test_publiccode_keeps_to_its_schema(stranger: Visitor, token: str) -> None:
    document = yaml.safe_load(stranger.visit(f"/projects/{token}/publiccode.yml").data)
    assert MANDATORY <= set(document) <= MANDATORY | OPTIONAL
    assert document["publiccodeYmlVersion"] == "0.5"
    assert document["developmentStatus"] in STATUSES
    assert document["categories"] == ["content-management"]
    assert set(document["categories"]) <= CATEGORIES
    assert document["platforms"]
    for name in ("url", "landingURL"):
        assert urlsplit(document[name]).scheme == "https"
    for said in document["description"].values():
        assert 1 <= len(said["shortDescription"]) <= 150
        assert "\n" not in said["shortDescription"]
        assert 150 <= len(said["longDescription"]) <= 10_000
        assert all(len(each) <= 100 for each in said["features"])
    assert document["maintenance"]["type"] in {"internal", "contract", "community", "none"}
    assert all(each["name"] for each in document["maintenance"]["contacts"])
    assert isinstance(document["localisation"]["localisationReady"], bool)
    assert document["localisation"]["availableLanguages"]
