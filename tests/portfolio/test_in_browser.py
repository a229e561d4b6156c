"""The portfolio in a real browser: nothing that axe-core finds, narrow and wide, and on paper."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext
from werkzeug.serving import BaseWSGIServer, make_server

from node.projects.details import Adopter, Details, Output
from node.testing.nodes import Nodes
from tests.journeys.looking import examine
from tests.portfolio.conftest import BINS
from tests.portfolio.places import publish, put, tell

PAGES = [
    "/portfolio",
    "/portfolio/timeline?from=2031-01",
    "/portfolio/calendar?month=2031-02",
    "/portfolio/map",
    "/portfolio/network",
    "/numbers",
    "/evidence",
    "/highlights",
    "/highlights?first-day=31&first-month=2&first-year=2031",
    "/councils/aldermoor",
]
OUTSIDE = "document.querySelector('.govuk-service-navigation').checkVisibility()"


@pytest.fixture
def server(nodes: Nodes) -> Iterator[BaseWSGIServer]:
    """A council with a little of everything, over plain http."""
    node = nodes.start("aldermoor", base_url="http://localhost")
    put(node, "south-west", "50.72", "-3.53")
    output = Output(token="x", title="A form", adopters=(Adopter("Nether Stowey Council"),))
    tell(node, publish(node, "Bins", BINS), changed="We tried it.")
    publish(node, "Forms that people can fill in", Details(outputs=(output,)), "live")
    running = make_server("127.0.0.1", 0, node.app, threaded=True)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", ["en", "cy"])
def test_every_page_can_be_read_by_everybody(
    language: str, browser: BrowserContext, server: BaseWSGIServer
) -> None:
    page = browser.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    for path in PAGES:
        joint = "&" if "?" in path else "?"
        page.goto(f"http://127.0.0.1:{server.port}{path}{joint}lang={language}")
        examine(page)
    assert [text for text in refused if "Content Security Policy" in text] == []


@pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)
def test_paper_has_the_picture_and_the_table_and_no_navigation(
    browser: BrowserContext, server: BaseWSGIServer
) -> None:
    page = browser.new_page()
    for path in ("/portfolio/timeline?from=2031-01", "/portfolio/map", "/numbers"):
        page.goto(f"http://127.0.0.1:{server.port}{path}")
        page.emulate_media(media="print")
        assert page.locator("svg[role=img]").first.is_visible()
        assert page.locator("table").first.is_visible()
        assert page.evaluate(OUTSIDE) is False


@pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)
@pytest.mark.browser(java_script_enabled=False, viewport={"width": 320, "height": 800})
def test_a_picture_scrolls_within_itself_by_the_keyboard(
    browser: BrowserContext, server: BaseWSGIServer
) -> None:
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/portfolio/timeline?from=2031-01")
    region = page.get_by_role("region", name="Timeline, January 2031 to December 2031")
    region.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    box = page.locator("svg[role=img]").bounding_box()
    assert box is not None
    assert box["width"] > 900
    assert box["x"] < 15, "it was moved to the left"
