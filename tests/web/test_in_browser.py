"""The pages in a real browser: no accessibility failings, and nothing wider than a small phone."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext
from werkzeug.serving import BaseWSGIServer, make_server

from node.testing.nodes import PASSWORD, Nodes, role_email
from tests.journeys.looking import examine

# What the database is has nothing to do with it.
pytestmark = pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)

LANGUAGES = pytest.mark.parametrize("language", ["en", "cy"])
READING = [
    "/",
    "/projects",
    "/portfolio",
    "/portfolio/calendar",
    "/councils",
    "/councils/aldermoor",
    "/api",
    "/sign-in",
    "/nothing",
]
WRITING = [
    "/desk",
    "/notices",
    "/account/profile",
    "/projects/new",
    "/projects/drafts",
    "/councils/follow",
    "/operator/deliveries",
    "/operator/peers",
    "/operator/refusals",
]


@pytest.fixture
def server(nodes: Nodes) -> Iterator[BaseWSGIServer]:
    """A node that answers on loopback, over plain http."""
    node = nodes.start("aldermoor", base_url="http://localhost")
    running = make_server("127.0.0.1", 0, node.app, threaded=True)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@LANGUAGES
def test_what_everybody_reads(
    browser: BrowserContext, server: BaseWSGIServer, language: str
) -> None:
    page = browser.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    for path in READING:
        page.goto(f"http://127.0.0.1:{server.port}{path}?lang={language}")
        assert page.locator("html").get_attribute("lang") == language
        examine(page)
    assert [text for text in refused if "Content Security Policy" in text] == []


@LANGUAGES
def test_what_people_of_the_council_use(
    browser: BrowserContext, server: BaseWSGIServer, language: str
) -> None:
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/sign-in")
    page.get_by_label("Email address").fill(role_email("operator", "aldermoor"))
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()
    for path in WRITING:
        page.goto(f"http://127.0.0.1:{server.port}{path}?lang={language}")
        assert page.locator("html").get_attribute("lang") == language
        examine(page)


@pytest.mark.browser(java_script_enabled=False, viewport={"width": 320, "height": 800})
def test_the_menu_is_there_without_a_script(
    browser: BrowserContext, server: BaseWSGIServer
) -> None:
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/")
    assert page.get_by_role("link", name="Councils", exact=True).is_visible()
    assert page.get_by_role("link", name="Sign in").is_visible()
