"""Looking at a page as it is: on a small phone and a large screen, and with axe-core."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (320, 1280)
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
VIOLATIONS = """rules => axe.run({runOnly: rules, resultTypes: ["violations"]}).then(
    found => found.violations.map(one => [one.id, one.nodes[0].html])
)"""


def examine(page: Page) -> None:
    """Fails where the page is wider than the screen, or where axe-core finds anything."""
    before = page.viewport_size
    page.evaluate(Axe().axe_script)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(WIDER) <= 0, f"{page.url} scrolls sideways at {width} pixels"
        wrong = page.evaluate(VIOLATIONS, RULES)
        assert not wrong, f"{page.url} at {width} pixels: {wrong}"
    if before:
        page.set_viewport_size(before)
