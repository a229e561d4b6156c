"""A real browser for tests: Debian's chromium, driven by Playwright, without external access."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright
from werkzeug.serving import make_server

from node.testing.nodes import TestNode
from node.testing.requirements import end_as_not_run

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",  # Chromium needs it to run as root. It opens our own pages only.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
# Matched inside the browser's driver: a callback for every file would be slow.
EXTERNAL_URL = re.compile(r"^(?!https?://(localhost|127\.0\.0\.1)(:[0-9]+)?/)")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of this run."""
    program = shutil.which("chromium")
    if program is None:
        end_as_not_run("there is no chromium on this machine")
    try:
        playwright = sync_playwright().start()
    except Exception as error:  # noqa: BLE001 -- it raises nothing narrower
        end_as_not_run(f"Playwright does not start: {error}")
    launched = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_ARGUMENTS))
    yield launched
    launched.close()
    playwright.stop()


@pytest.fixture
def open_page(browser: BrowserContext) -> Iterator[Callable[[TestNode, str], Page]]:
    """Opens a page of a node in the browser: `page = open_page(node, "/projects")`."""
    with ExitStack() as servers:

        def open_in_browser(node: TestNode, path: str) -> Page:
            server = make_server("localhost", 0, _as_public_app(node), threaded=True)
            thread = Thread(target=server.serve_forever, daemon=True)
            thread.start()
            servers.callback(thread.join)
            servers.callback(server.server_close)
            servers.callback(server.shutdown)
            page = browser.new_page()
            page.goto(f"http://localhost:{server.port}{path}")
            return page

        yield open_in_browser


def _as_public_app(node: TestNode) -> Any:
    """The application of a node, with requests changed to its public host and scheme."""

    def application(environ: dict[str, Any], start: Any) -> Any:
        return node.app(environ | {"HTTP_HOST": node.host, "wsgi.url_scheme": "https"}, start)

    return application


@pytest.fixture
def browser(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[BrowserContext]:
    """A new browser profile with British locale. Fails the test if a page requests anything from
    another machine. `@pytest.mark.browser(viewport=…)` sets Playwright's options.
    """
    external_requests: list[str] = []

    def refuse(route: Route) -> None:
        external_requests.append(route.request.url)
        route.abort()

    marker = request.node.get_closest_marker("browser")
    options = {"locale": "en-GB", "timezone_id": "Europe/London"} | (
        marker.kwargs if marker else {}
    )
    with chromium.new_context(**options) as context:
        context.route(EXTERNAL_URL, refuse)
        yield context
    if external_requests:
        pytest.fail(f"a page requested {', '.join(external_requests)}")
