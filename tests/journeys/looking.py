"""Looking at a page as it is: on a small phone and a large screen, and with axe-core."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.accessibility.structure import structure

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (320, 1280)
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
STYLES = """[...document.querySelectorAll("link[rel=stylesheet]")].map(
    link => link.getAttribute("href"))"""
VIOLATIONS = """rules => axe.run({runOnly: rules, resultTypes: ["violations"]}).then(
    found => found.violations.map(one => [one.id, one.nodes[0].html])
)"""

# The parts of pages that were examined in this process, at all widths.
_examined: set[tuple[object, object]] = set()


def examine(page: Page) -> None:
    """Fails where the page is wider than the screen, or where axe-core finds anything.

    It is examined with axe-core unless it is built, and styled, as pages before it.
    """
    before = page.viewport_size
    styles = tuple(page.evaluate(STYLES))
    parts = {(styles, part) for part in structure(page.content())}
    is_new = not parts <= _examined
    if is_new:
        page.evaluate(Axe().axe_script)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(WIDER) <= 0, f"{page.url} scrolls sideways at {width} pixels"
        if is_new:
            wrong = page.evaluate(VIOLATIONS, RULES)
            assert not wrong, f"{page.url} at {width} pixels: {wrong}"
    _examined.update(parts)
    if before:
        page.set_viewport_size(before)
