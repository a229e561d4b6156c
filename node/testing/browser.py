"""A real browser for tests: Debian's chromium, driven by Playwright, kept on the machine."""

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
    "--no-sandbox",  # Chromium refuses to run as root otherwise. It sees our own pages alone.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
# Told apart inside the browser's driver: to ask this process about every file takes its time.
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
    running = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_ARGUMENTS))
    yield running
    running.close()
    playwright.stop()


@pytest.fixture
def open_page(browser: BrowserContext) -> Iterator[Callable[[TestNode, str], Page]]:
    """A page of a node in the browser: `page = open_page(one, "/projects")`."""
    with ExitStack() as servers:

        def open_one(one: TestNode, path: str) -> Page:
            server = make_server("localhost", 0, _with_own_host(one), threaded=True)
            thread = Thread(target=server.serve_forever, daemon=True)
            thread.start()
            servers.callback(thread.join)
            servers.callback(server.server_close)
            servers.callback(server.shutdown)
            page = browser.new_page()
            page.goto(f"http://localhost:{server.port}{path}")
            return page

        yield open_one


def _with_own_host(one: TestNode) -> Any:
    """The application of a node, which is asked at its own address wherever it listens."""

    def asked(environ: dict[str, Any], start: Any) -> Any:
        return one.app(environ | {"HTTP_HOST": one.host, "wsgi.url_scheme": "https"}, start)

    return asked


@pytest.fixture
def browser(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own, for British readers. It fails the test that lets a page ask
    for anything off the machine. `@pytest.mark.browser(viewport=…)` sets Playwright's options.
    """
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    marker = request.node.get_closest_marker("browser")
    options = {"locale": "en-GB", "timezone_id": "Europe/London"} | (
        marker.kwargs if marker else {}
    )
    with chromium.new_context(**options) as context:
        context.route(EXTERNAL_URL, refuse)
        yield context
    if asked:
        pytest.fail(f"a page asked for {', '.join(asked)}")
