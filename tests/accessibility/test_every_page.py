"""Every page of a node can be used by everybody: WCAG 2.2 AA as far as a program can tell."""

import pytest
from playwright.sync_api import BrowserContext

from node.web.redirects import REDIRECTS
from tests.accessibility import markup
from tests.accessibility.crawling import NO_PAGES, Crawl, Page
from tests.accessibility.screens import Screens
from tests.accessibility.structure import structure
from tests.visibility.crawling import addresses_by_route

# What the database is has nothing to do with it. Welsh pages are read at night.
pytestmark = [
    pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True),
    pytest.mark.parametrize(
        "crawl", ["en", pytest.param("cy", marks=pytest.mark.nightly)], indirect=True
    ),
]

# Where a browser gets no page: what is for other servers, or leads people on to another address.
NO_ANSWER = {
    *REDIRECTS,
    "/favicon.ico",
    "/robots.txt",
    "/activities/<token>",
    "/alike/<token>",
    "/comments/<token>",
    "/councils/<slug>/followers",
    "/councils/<slug>/followers_synchronization",
    "/councils/<slug>/inbox",
    "/councils/<slug>/outbox",
    "/councils/<slug>/projects",
    "/councils/<slug>/projects/conversations",
    "/documents/<token>",
    "/first-run",  # of a node that is not set up yet: a journey examines it
    "/officers/<username>/followers",
    "/officers/<username>/inbox",
    "/officers/<username>/outbox",
    "/operator/shared.csv",
    "/peers.csv",
    "/peers.json",
    "/projects/<token>/context",
    "/projects/<token>/document",
    "/projects/<token>/group",
    "/projects/<token>/group/followers",
    "/projects/<token>/group/inbox",
    "/projects/<token>/group/outbox",
    "/councils/<slug>/featured",
    "/councils/<slug>/following",
    "/officers/<username>/featured",
    "/officers/<username>/following",
    "/projects/<token>/group/featured",
    "/projects/<token>/group/following",
    "/projects/<token>/likes",
    "/projects/<token>/shares",
}


# Forms that only look for something, so that nothing is wrong with what is asked.
NEVER_WRONG = {"/operator/shared", "/projects/<token>/history/compare", "/reuse", "/services"}


def most_first(page: Page) -> int:
    """Few pages are examined where those of many parts come first."""
    return -len(structure(page.text))


def test_every_route_for_people_was_read(crawl: Crawl) -> None:
    routes = {route for route in addresses_by_route(crawl.node) if not route.startswith(NO_PAGES)}
    assert routes - crawl.answered - NO_ANSWER == set()


def test_every_page_is_html_as_the_standard_has_it(crawl: Crawl) -> None:
    seen: set[object] = set()
    wrong = []
    for page in sorted(crawl.pages, key=most_first):
        parts = structure(page.text)
        if not parts <= seen:  # what is built as pages before it needs no closer look
            seen |= parts
            wrong += [f"{page}: {error}" for error in markup.errors(page.text)]
    assert wrong == []


def test_nothing_is_wrong_with_any_page(crawl: Crawl, browser: BrowserContext) -> None:
    screens = Screens(browser, crawl.node)
    wrong = [
        f"{page}: {what}"
        for page in sorted(crawl.pages, key=most_first)
        for what in screens.wrong(page.text, page.language)
    ]
    assert wrong == []


def test_nothing_is_wrong_where_a_form_says_what_is_wrong(
    crawl: Crawl, browser: BrowserContext
) -> None:
    screens = Screens(browser, crawl.node)
    wrong = []
    answers = list(crawl.send_wrong())
    said_so = {route for route, page in answers if "govuk-error-summary" in page.text}
    for page in sorted((page for _route, page in answers), key=most_first):
        wrong += [f"{page}: {error}" for error in markup.errors(page.text)]
        wrong += [f"{page}: {what}" for what in screens.wrong(page.text, page.language)]
    assert wrong == []
    assert {route for route, _language in crawl.forms} - said_so - NEVER_WRONG == set()
