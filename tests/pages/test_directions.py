"""Text that people wrote runs in its own direction, whatever the language of the page."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from node.councils import service as councils
from node.testing.nodes import TestNode
from node.testing.visitor import Visitor

TITLE, SUMMARY = "خدمة 24/7 (beta)", "مشروع: الدخول!"
BRIEF, UPDATE, COMMENT, COUNCIL = "لماذا؟", "ما تغير.", "سؤال؟", "مجلس المدينة"
ROOT = Path(__file__).parents[2]
# Elements without an end; what is drawn has no direction.
VOID = {"br", "hr", "img", "input", "link", "meta", "path", "rect", "circle", "use", "wbr"}


class Directions(HTMLParser):
    """The direction of the nearest element that states one, for each text of a page that begins
    with right-to-left letters and is seen.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, set[str | None]] = {}
        self._open: list[tuple[str, str | None]] = [("", None)]
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            given = dict(attrs)
            is_heard = "visually-hidden" in (given.get("class") or "")
            direction = given.get("dir", self._open[-1][1])
            self._open.append(("title" if is_heard else tag, direction))

    def handle_endtag(self, tag: str) -> None:
        if len(self._open) > 1:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        inside = {tag for tag, _direction in self._open}
        if "\u0600" <= data.strip()[:1] <= "\u06ff" and not inside & {
            "title",
            "script",
            "textarea",
        }:
            self.found.setdefault(data.strip(), set()).add(self._open[-1][1])


@pytest.fixture
def address(council: TestNode, officer: Visitor) -> str:
    """Of a project with an update and a comment."""
    with council.work() as work:
        councils.require_own(work.session).name = COUNCIL
    officer.visit("/projects/new")
    answer = officer.submit(
        title=TITLE, summary=SUMMARY, phase="alpha", brief=BRIEF, then="publish"
    )
    address = answer.request.path
    officer.visit(f"{address}/updates/new")
    officer.submit("updates/new", changed=UPDATE)
    officer.visit(address)
    officer.submit("comments", source=COMMENT)
    return address


def test_text_of_people_has_the_direction_of_its_letters(officer: Visitor, address: str) -> None:
    for path, expected in {
        address: {TITLE, SUMMARY, BRIEF, UPDATE, COMMENT},
        f"{address}/updates": {TITLE, UPDATE},
        f"{address}/history": {TITLE},
        f"{address}/history/1": {TITLE, SUMMARY, BRIEF},
        f"{address}/delete": {TITLE},
        "/projects": {TITLE, SUMMARY},
        "/portfolio": {TITLE},
        "/": {TITLE, SUMMARY},
        "/highlights": {UPDATE},
        "/councils/aldermoor": {COUNCIL},
    }.items():
        found = Directions(officer.visit(path).text).found
        assert expected <= found.keys(), path
        assert {text: found[text] for text in expected} == {key: {"auto"} for key in expected}, path


def test_templates_state_the_language_of_text_together_with_its_direction() -> None:
    ours = {"page_language()", "tag", "digest.language", "bar.project.language"}
    for template in [*ROOT.glob("node/**/*.html"), *ROOT.glob("plugins/**/*.html")]:
        stated = set(re.findall(r'[^f]lang="{{ ([^}]+) }}"', template.read_text()))
        assert stated <= ours, template
