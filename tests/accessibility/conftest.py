"""All pages of one council, read once for all tests."""

import pytest

from node.testing.nodes import Nodes
from tests.accessibility.crawling import Beginnings, Crawl
from tests.accessibility.town import build

ALL = "/"
# Who reads what, in which language: each page is read in both, and by whoever has most on it.
READINGS: tuple[tuple[str | None, str, Beginnings], ...] = (
    (None, "en", ALL),
    (None, "cy", ALL),
    ("operator", "en", ALL),
    ("operator", "cy", ("/operator", "/moderation", "/councils/place")),
    ("officer", "cy", ALL),
    ("coordinator", "en", ("/desk", "/projects/<token>", "/notices")),
)


@pytest.fixture(scope="module")
def crawl(lasting_nodes: Nodes) -> Crawl:
    node = build(lasting_nodes)
    read = Crawl(node)
    visitors = {role: node.visitor(role) for role, _language, _beginning in READINGS}
    for role, language, beginning in READINGS:
        read.read_as(role or "everybody", visitors[role], language, beginning)
    fresh = Crawl(lasting_nodes.start("fernhollow"))
    fresh.read_as("a fresh node", fresh.node.visitor("operator"), "en", ALL)
    read.pages += fresh.pages
    return read
