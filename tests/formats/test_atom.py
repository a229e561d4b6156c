"""Feeds are valid Atom: checked by our own grammar, as no package has that of RFC 4287, appendix B,
and for the rules of the RFC that a grammar cannot express.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from node.testing.visitor import Visitor

# These tests do not depend on the database.
pytestmark = pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True)

GRAMMAR = etree.RelaxNG(file=Path(__file__).with_name("atom.rng"))
ATOM = {"": "http://www.w3.org/2005/Atom"}
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def errors(document: bytes) -> list[str]:
    """The rules of RFC 4287 that a feed breaks."""
    feed = etree.fromstring(document)
    if not GRAMMAR.validate(feed):
        return [str(each) for each in GRAMMAR.error_log]
    entries = feed.findall("entry", ATOM)
    problems = [problem for element in (feed, *entries) for problem in wrong_links(element)]
    if [each.get("rel") for each in feed.findall("link", ATOM)].count("self") != 1:
        problems.append("A feed should have a link to itself (4.1.1).")
    if any(
        count > 1 for count in Counter(each.findtext("id", None, ATOM) for each in entries).values()
    ):
        problems.append("Two entries have one id (4.1.1).")
    for each in entries:
        relations = {link.get("rel", "alternate") for link in each.findall("link", ATOM)}
        if each.find("content", ATOM) is None and "alternate" not in relations:
            problems.append("An entry has neither content nor a page (4.1.2).")
    return problems


def wrong_links(parent: Any) -> list[str]:
    links = [
        (link.get("rel", "alternate"), link.get("type"), link.get("hreflang"))
        for link in parent.findall("link", ATOM)
    ]
    return ["Two links lead to the same (4.1.1, 4.1.2)."] if len(links) > len(set(links)) else []


@pytest.mark.parametrize(
    "path",
    ["/projects.atom", "/updates.atom", "/projects/{}/updates.atom", "/projects.atom?phase=live"],
)
def test_feeds_are_valid(stranger: Visitor, token: str, path: str) -> None:
    response = stranger.visit(path.format(token))
    assert response.mimetype == "application/atom+xml"
    assert errors(response.data) == []
    feed = etree.fromstring(response.data)
    assert bool(feed.findall("entry", ATOM)) == ("live" not in path)
    for each in (feed, *feed.findall("entry", ATOM)):
        assert each.get(LANGUAGE)
        assert each.findtext("title", None, ATOM)
        assert each.findtext("id", "", ATOM).startswith("https://")
        assert all(link.get("href").startswith("https://") for link in each.findall("link", ATOM))


# Section of the RFC, a pattern found in a real feed, and its invalid replacement.
WRONG = [
    ("2", r'xml:lang="en"', 'xml:lang="English language"'),
    ("2", r"<feed ", '<feed xmlns:x="urn:x" x:colour="green" '),
    ("2", r"2005/Atom", "2005/atom"),
    ("3.1", r"<title>", "<title type='markdown'>"),
    ("3.1", r"<title>", "<title><b/>"),
    ("3.2", r"<author><name>[^<]*</name>", "<author>"),
    ("3.2", r"<author><name>[^<]*", "<author><name>"),
    ("3.2", r"(<author>)(<name>[^<]*</name>)", r"\1\2\2"),
    ("3.3", r"(<updated>[^T]*)T", r"\1t"),
    ("3.3", r"(<updated>[^<]*?)(Z|\+[^<]*)<", r"\1<"),
    ("3.3", r"<updated>[^<]*", "<updated>yesterday"),
    ("3.3", r"<published>[^<]*", "<published>2030-02-30T00:00:00Z"),
    ("4.1.1", r"<author>.*?</author>", ""),
    ("4.1.1", r"(<id>[^<]*</id>)", ""),
    ("4.1.1", r"(<id>[^<]*</id>)", r"\1\1"),
    ("4.1.1", r"<title>[^<]*</title>", ""),
    ("4.1.1", r"(<title>[^<]*</title>)", r"\1\1"),
    ("4.1.1", r"<updated>[^<]*</updated>", ""),
    ("4.1.1", r"(<updated>[^<]*</updated>)", r"\1\1"),
    ("4.1.1", r"(<generator>[^<]*</generator>)", r"\1\1"),
    ("4.1.1", r"(<generator>[^<]*</generator>)(.*)(</feed>)", r"\2\1\3"),
    ("4.1.1", r'<link rel="self"', '<link rel="via"'),
    ("4.1.1", r'(<link rel="alternate" [^>]*>)', r"\1\1"),
    ("4.1.1", r"(<entry.*?</entry>)", r"\1\1"),
    ("4.1.1", r"<generator>", "<published>2030-02-01T00:00:00Z</published><generator>"),
    ("4.1.2", r"(<entry[^>]*>)<id>[^<]*</id>", r"\1"),
    ("4.1.2", r"(<entry[^>]*>.*?)<title>[^<]*</title>", r"\1"),
    ("4.1.2", r"(<entry[^>]*>.*?)<updated>[^<]*</updated>", r"\1"),
    ("4.1.2", r"(<published>[^<]*</published>)", r"\1\1"),
    ("4.1.2", r"(<summary>[^<]*</summary>)", r"\1\1"),
    ("4.1.2", r"(<rights>[^<]*</rights>)", r"\1\1"),
    ("4.1.2", r"(<content.*?</content>)", r"\1\1"),
    ("4.1.2", r'(<entry.*?)<link rel="alternate"[^>]*>(.*?)<content.*?</content>', r"\1\2"),
    ("4.1.2", r'(<entry.*?)(<link rel="alternate"[^>]*>)', r"\1\2\2"),
    ("4.1.2", r"<summary>", "<generator>Other</generator><summary>"),
    ("4.1.3", r'type="html"', 'type="HTML"'),
    ("4.1.3", r' type="html"', ""),
    ("4.1.3", r'<content type="html">', '<content type="html"><p/>'),
    ("4.2.2", r'<category term="[^"]*"', "<category"),
    ("4.2.2", r'<category term="[^"]*"', '<category term=""'),
    ("4.2.2", r"<category ([^>]*?) ?/>", r"<category \1>waste</category>"),
    ("4.2.4", r"<generator>[^<]*", "<generator>"),
    ("4.2.6", r"<id>https:", "<id>"),
    ("4.2.6", r"<id>[^<]*", "<id>"),
    ("4.2.7", r'<link rel="self" href="[^"]*"', '<link rel="self"'),
    ("4.2.7", r'href="https://', 'href="not an address '),
    ("4.2.7", r'rel="license"', 'rel="its licence"'),
    ("4.2.7", r'type="text/html"', 'type="page"'),
    ("4.2.7", r"<link ([^>]*?) ?/>", r"<link \1>here</link>"),
    ("5", r"<generator>", "<colour/><generator>"),
]


@pytest.mark.parametrize("section, pattern, replacement", WRONG)
def test_invalid_feed_is_detected(
    stranger: Visitor, section: str, pattern: str, replacement: str
) -> None:
    document = stranger.visit("/projects.atom").text.partition("?>")[2]
    wrong, changes = re.subn(pattern, replacement, document, count=1, flags=re.DOTALL)
    assert changes == 1
    assert errors(wrong.encode()), section
