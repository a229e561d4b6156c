"""What the tests of the portfolio start from, and how they look at pictures."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

from node.access.visibility import Visibility
from node.councils import own_location
from node.councils import service as councils
from node.projects import service as projects
from node.projects.details import Details
from node.projects.validation import ProjectInput
from node.testing.nodes import TestNode
from node.updates import service as updates

SVG = "{http://www.w3.org/2000/svg}"


def publish(
    node: TestNode,
    title: str,
    said: Details | None = None,
    phase: str = "alpha",
    visibility: Visibility = Visibility.public,
) -> str:
    """A published project of the node's council; its token."""
    with node.work() as work:
        text = ProjectInput(title, f"About {title}.", phase, "Because.", visibility.value)
        text = replace(text, details=said or Details())
        project = projects.create(work, councils.require_own(work.session), text)
        projects.publish(work, project)
        return project.token


def tell(node: TestNode, token: str, **words: str) -> None:
    """An update of a project."""
    with node.work() as work:
        updates.create(
            work, projects.get_for_update(work.session, token), updates.UpdateInput(**words)
        )


def put(node: TestNode, region: str, latitude: str = "", longitude: str = "") -> None:
    """Say where the node's council is."""
    with node.work() as work:
        own_location.set_location(work, own_location.LocationInput(region, latitude, longitude))


def day(text: str) -> date:
    return date.fromisoformat(text)


class _Pictures(HTMLParser):
    """Finds the pictures of a page, as they are written."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._lines = page.splitlines(keepends=True)
        self._began: int | None = None
        self.feed(page)

    def _at(self) -> int:
        line, column = self.getpos()
        return sum(map(len, self._lines[: line - 1])) + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "svg" and ("role", "img") in attrs:
            self._began = self._at()

    def handle_endtag(self, tag: str) -> None:
        if tag == "svg" and self._began is not None:
            self.found.append("".join(self._lines)[self._began : self._at()] + "</svg>")
            self._began = None


def pictures(page: str) -> list[ET.Element]:
    """The pictures of a page: each is well-formed, and names its title and description."""
    made = []
    for source in _Pictures(page).found:
        named = source.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
        svg = ET.fromstring(named)
        title, about = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
        assert title is not None
        assert about is not None
        assert title.text
        assert about.text
        assert svg.get("aria-labelledby") == f"{title.get('id')} {about.get('id')}"
        made.append(svg)
    return made


def words(svg: ET.Element) -> str:
    """All that stands written in a picture."""
    return " ".join("".join(text.itertext()) for text in svg.iter(f"{SVG}text"))


def table(page: str) -> str:
    """The tables of a page, as they are written."""
    return "".join(part.partition("</table>")[0] for part in page.split("<table")[1:])
