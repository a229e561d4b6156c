"""The browser of the tests shows local pages only."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import BrowserContext


class Page(BaseHTTPRequestHandler):
    """Responds to every request with one page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<title>Neuadd</title><script>document.title += ' Moot'</script>")

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_local_page_is_shown(browser: BrowserContext, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    assert page.title() == "Neuadd Moot"


@pytest.mark.browser(java_script_enabled=False, viewport={"width": 320, "height": 640})
def test_marker_sets_options(browser: BrowserContext, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    assert page.title() == "Neuadd"
    assert page.viewport_size == {"width": 320, "height": 640}
