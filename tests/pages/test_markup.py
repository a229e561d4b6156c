"""Pages that no crawl meets are HTML as the standard has it, and what is not is found."""

import pytest
from flask.typing import ResponseReturnValue

from node.request import PUBLIC, permission
from node.testing.nodes import TestNode
from node.testing.visitor import Visitor
from tests.accessibility import markup

HTML = {"Accept": "text/html"}


@pytest.mark.parametrize(
    "wrong", ["<p>Not closed</div>", '<p class="a" class="b">Twice</p>', "<p>A <ul></ul></p>"]
)
def test_a_page_that_is_not_html_as_the_standard_has_it_is_found(
    stranger: Visitor, wrong: str
) -> None:
    text = stranger.visit("/").text
    assert markup.errors(text) == []
    assert markup.errors(text.replace("</main>", f"{wrong}</main>", 1)) != []


def test_pages_that_say_why_there_is_none_are_html_as_the_standard_has_it(
    council: TestNode, officer: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    @permission(PUBLIC)
    def fail() -> ResponseReturnValue:
        raise RuntimeError("on purpose")

    requests = [("GET", "/nothing-here", 404), ("GET", "/operator", 403), ("POST", "/", 405)]
    requests += [("POST", "/projects/new", 400), ("GET", "/accessibility", 500)]
    monkeypatch.setitem(council.app.view_functions, "pages.accessibility", fail)
    monkeypatch.setattr(council.app, "testing", False)
    for method, path, status in requests:
        answer = officer.client.open(path, method=method, headers=HTML)
        assert (answer.status_code, answer.mimetype) == (status, "text/html"), path
        assert markup.errors(answer.text) == [], path
