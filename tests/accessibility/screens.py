"""A browser in which pages are shown one after the other, and examined.

A page is put in the place of the one before it, with the house's styles and GOV.UK's script as they
are: to load each anew would take several times as long. Journeys load pages as everybody does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Route

from node.testing.nodes import TestNode
from tests.accessibility.structure import structure
from tests.journeys.looking import RULES

NARROW, WIDE = 320, 1280
SHOW = """async ([text, zoomed]) => {
    const next = new DOMParser().parseFromString(text, "text/html"), root = document.documentElement
    const links = () => [...document.querySelectorAll("link[rel=stylesheet]")]
    const address = link => link.getAttribute("href")
    const wanted = [...next.querySelectorAll("link[rel=stylesheet]")].map(address)
    for (const missing of wanted.filter(one => !links().some(link => address(link) === one))) {
        const link = Object.assign(document.createElement("link"), {rel: "stylesheet"})
        const loaded = new Promise(resolve => { link.onload = resolve })
        link.setAttribute("href", missing)
        document.head.append(link)
        await loaded
    }
    // Not those of the links: what is enabled there is loaded again, some time later.
    for (const link of links()) link.sheet.disabled = !wanted.includes(address(link))
    root.lang = next.documentElement.lang
    document.title = next.title
    root.replaceChild(document.adoptNode(next.body), document.body)
    document.body.classList.add("js-enabled", "govuk-frontend-supported")
    window.frontend.initAll()
    const tooWide = () => document.scrollingElement.scrollWidth - root.clientWidth
    const wider = [tooWide()]
    // Tables and pictures have two dimensions.
    if (zoomed && !document.querySelector("main :is(table, svg, .board)")) {
        root.style.fontSize = "200%"
        wider.push(tooWide())
        root.style.fontSize = ""
    }
    return wider
}"""
EXAMINE = """([tags, colours]) => axe.run({
    runOnly: tags, rules: {"target-size": {enabled: true}, "color-contrast": {enabled: colours}},
    resultTypes: ["violations"], preload: false, iframes: false,
}).then(found => found.violations.map(
    one => `${one.id}: ${one.nodes.map(node => node.html.slice(0, 200)).slice(0, 3).join(" | ")}`
))"""
SCRIPT = re.compile(r'from "([^"]*govuk-frontend[^"]*)"')


@dataclass
class Screens:
    """A phone and a large screen. `seen` are the parts of pages that were examined."""

    context: BrowserContext
    node: TestNode
    seen: set[tuple[str, object]] = field(default_factory=set)

    def __post_init__(self) -> None:
        base = self.node.node.settings.base_url
        self.context.route(f"{base}/**", self._answer)
        client = self.node.app.test_client()
        script = SCRIPT.search(client.get("/", headers={"Accept": "text/html"}).text)
        assert script, "pages use GOV.UK's script"
        self.pages = {}
        for width in (NARROW, WIDE):
            page = self.pages[width] = self.context.new_page()
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(f"{base}/accessibility")
            page.evaluate(Axe().axe_script)
            page.evaluate("async from => { window.frontend = await import(from) }", script[1])

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(self.node.node.settings.base_url)
        answer = self.node.app.test_client().get(path, headers={"Accept": "text/html"})
        route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.data)
        answer.close()

    def wrong(self, text: str, language: str) -> Iterator[str]:
        """What is wrong with a page: wider than a screen, or anything that axe-core finds.

        It is examined with axe-core unless it is built as pages before it.
        """
        parts = structure(text)
        is_new = not {(language, part) for part in parts} <= self.seen
        # Colours are the same in both languages, and take axe-core as long as all the rest.
        colours = not {part for _language, part in self.seen} >= parts
        self.seen |= {(language, part) for part in parts}
        for width, page in self.pages.items():
            wider, *zoomed = page.evaluate(SHOW, [text, width == WIDE])
            if wider > 0:
                yield f"scrolls sideways at {width} pixels, by {wider}"
            if zoomed and zoomed[0] > 0:
                yield f"scrolls sideways with text of twice the size, by {zoomed[0]}"
            # One language on each: both screens see every page, and both languages.
            if is_new and width == (WIDE if language == "en" else NARROW):
                yield from page.evaluate(EXAMINE, [RULES, colours])
