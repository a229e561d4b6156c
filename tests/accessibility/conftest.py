"""All pages of one council in a language, read once for all tests."""

import pytest

from node.testing.nodes import Nodes
from tests.accessibility.crawling import Beginnings, Crawl
from tests.accessibility.town import build

ALL = "/"
# Who reads what in which language: whoever has most on a page.
READINGS: dict[str, tuple[tuple[str | None, Beginnings], ...]] = {
    "en": (
        (None, ALL),
        ("operator", ALL),
        ("coordinator", ("/desk", "/projects/<token>", "/notices")),
        ("officer", ("/account/profile",)),  # who chose to be seen
    ),
    "cy": (
        (None, ALL),
        ("operator", ("/operator", "/moderation", "/councils/place")),
        ("officer", ALL),
    ),
}


@pytest.fixture(scope="module")
def crawl(request: pytest.FixtureRequest, lasting_nodes: Nodes) -> Crawl:
    language: str = request.param
    node = build(lasting_nodes)
    read = Crawl(node)
    visitors = {role: node.visitor(role) for role, _beginning in READINGS[language]}
    for role, beginning in READINGS[language]:
        read.read_as(role or "everybody", visitors[role], language, beginning)
    if language == "en":
        fresh = Crawl(lasting_nodes.start("fernhollow"))
        fresh.read_as("a fresh node", fresh.node.visitor("operator"), language, ALL)
        read.pages += fresh.pages
    return read
