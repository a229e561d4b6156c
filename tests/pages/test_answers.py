"""What every answer carries: headers, cookies, problem documents; and HEAD."""

from html.parser import HTMLParser

import pytest
from werkzeug.test import TestResponse

from node.testing.nodes import TestNode
from node.testing.visitor import Visitor
from node.web.redirects import REDIRECTS

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
AS2 = {"Accept": "application/activity+json"}
STRICT = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PAGES = ("/", "/projects", "/councils", "/councils/aldermoor", "/checklists", "/sign-in")
SIGNED_IN = ("/projects/new", "/projects/drafts", "/councils/follow", "/operator/deliveries")
MORE_SIGNED_IN = ("/operator/peers", "/operator/refusals")
OTHERS = (
    "/healthz",
    "/readyz",
    "/theme/1d5b4f.css",
    "/static/moothall.css",
    "/.well-known/nodeinfo",
    "/nodeinfo/2.1",
    "/councils/aldermoor/outbox",
    "/councils/aldermoor/followers",
    "/councils/aldermoor/projects",
)
PROGRAM = {"Accept": "application/activity+json, */*;q=0.5"}
FAILING = {"/nothing": 404, "/projects/none": 404, "/councils/none": 404, "/inbox": 405}


class Inline(HTMLParser):
    """What a strict policy does not let run: styles and scripts inside a page, but for its own."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.nonces: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.found.append(self.get_starttag_text() or "")
        if tag == "script":
            self.nonces.add(given.get("nonce") or "")
        if any((given.get(name) or "").startswith("javascript:") for name in ("href", "action")):
            self.found.append(self.get_starttag_text() or "")


def check(answer: TestResponse, place: str) -> None:
    """The headers of an answer, and that the page does as its policy says."""
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy, place
    assert "unsafe" not in policy, place
    assert "frame-ancestors 'none'" in policy, place
    assert answer.headers["Strict-Transport-Security"].startswith("max-age="), place
    assert {name: answer.headers.get(name) for name in STRICT} == STRICT, place
    assert len(answer.headers["X-Request-Id"]) >= 8, place
    if answer.mimetype == "text/html" and answer.text.startswith("<!DOCTYPE html>"):
        page = Inline()
        page.feed(answer.text)
        assert page.found == [], place
        assert len(page.nonces) == 1, place
        assert f"'nonce-{page.nonces.pop()}'" in policy, place


def test_every_answer_is_strict(stranger: Visitor, operator: Visitor) -> None:
    for place in PAGES:
        answer = stranger.client.get(place, headers=HTML)
        assert (answer.status_code, answer.mimetype) == (200, "text/html"), place
        check(answer, place)
    for place in PAGES + SIGNED_IN + MORE_SIGNED_IN:
        check(operator.client.get(place, headers=HTML), place)
    for place in OTHERS:
        answer = stranger.client.get(place, headers=PROGRAM, buffered=True)
        assert answer.status_code == 200, place
        check(answer, place)
    for place in SIGNED_IN:
        answer = stranger.client.get(place)
        assert answer.status_code == 302, place
        check(answer, place)


def test_every_failure_is_strict_and_in_the_house_style(stranger: Visitor) -> None:
    for place, status in FAILING.items():
        page = stranger.client.get(place, headers=HTML)
        assert page.status_code == status, place
        check(page, place)
    check(stranger.client.post("/projects/new"), "without a token")
    check(stranger.client.delete("/projects"), "another method")


@pytest.mark.parametrize("place", FAILING)
@pytest.mark.parametrize("kind", ["application/json", "application/activity+json"])
def test_a_program_gets_a_problem_document(stranger: Visitor, place: str, kind: str) -> None:
    answer = stranger.client.get(place, headers={"Accept": kind})
    assert (answer.status_code, answer.content_type) == (
        FAILING[place],
        "application/problem+json",
    )
    document = answer.get_json()
    assert document["status"] == FAILING[place]
    assert {"type", "title", "detail"} <= set(document)
    check(answer, place)


def test_head_answers_as_get_does_without_a_body(stranger: Visitor, operator: Visitor) -> None:
    # Werkzeug leaves closing a file that HEAD asked for to the garbage collector.
    others = [place for place in OTHERS if not place.startswith("/static/")]
    for client, places in (
        (stranger.client, (*PAGES, *others, *FAILING)),
        (operator.client, SIGNED_IN),
    ):
        for place in places:
            told = client.head(place, headers=HTML)
            shown = client.get(place, headers=HTML, buffered=True)
            assert told.status_code == shown.status_code, place
            assert told.content_type == shown.content_type, place
            assert told.data == b"", place


def test_reading_leaves_no_cookie_with_strangers(council: TestNode) -> None:
    for place in ("/", "/projects", "/councils", "/councils/aldermoor", *OTHERS):
        answer = council.visitor().client.get(place, buffered=True)
        assert answer.headers.getlist("Set-Cookie") == [], place


def test_an_address_with_two_answers_says_so(officer: Visitor, stranger: Visitor) -> None:
    officer.visit("/projects/new")
    page = officer.submit(title="Two faces", summary="S", phase="beta", brief="", then="publish")
    for place in (page.request.path, "/councils/aldermoor", "/actor"):
        for headers in (HTML, AS2):
            answer = stranger.client.get(place, headers=headers)
            assert "Accept" in answer.headers.get("Vary", ""), (place, headers)


def test_the_id_of_a_request_is_taken_if_it_is_one(stranger: Visitor) -> None:
    for given, taken in (("0123-abcd-4567", True), ("x", False), ("a b<script>", False)):
        answer = stranger.client.get("/healthz", headers={"X-Request-Id": given})
        assert (answer.headers["X-Request-Id"] == given) == taken


def test_addresses_that_are_guessed_lead_to_what_was_meant(stranger: Visitor) -> None:
    for address in REDIRECTS:
        assert stranger.visit(address).status_code == 200, address
    found = stranger.visit("/search?q=%22bins%22&sort=title")
    assert found.request.path == "/projects"
    assert found.request.args.to_dict() == {"q": '"bins"', "sort": "title"}
    icon = stranger.client.get("/favicon.ico")
    assert icon.location.startswith("/static/moot-hall.svg")
    assert stranger.visit("/robots.txt").text.startswith("User-agent: *")
