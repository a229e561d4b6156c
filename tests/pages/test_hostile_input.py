"""Whatever is sent, the answer is a page or a problem document, never a server error."""

import itertools

import pytest

from node.testing.nodes import TestNode
from node.testing.visitor import Visitor

HUGE = "9" * 5000
TOO_LARGE_A_NUMBER = "99999999999999999999"
NOT_UTF8 = b"\xff\xfe\xed\xa0\x80"
TEXT = {"title": "T", "summary": "S", "phase": "alpha", "brief": "B"}
HOSTILE: tuple[str | bytes, ...] = (
    "\0",
    "a\0b",
    NOT_UTF8,
    "x" * 1_000_000,
    "<script>alert(1)</script>",
    "{{ 7 * 7 }} %s %(a)s ${a}",
    "\u202e\U0010ffff\r\n",
)
READING = (
    "/projects/%00",
    "/projects/%ED%A0%80",
    "/projects/%FF",
    f"/projects/{'a' * 5000}",
    "/projects?page=-1",
    f"/projects?page={TOO_LARGE_A_NUMBER}",
    f"/projects?page={HUGE}",
    "/projects?page=%00&phase=%00&origin=%00",
    "/projects?phase=omega&origin=nowhere",
    "/projects?%FF=%FF&page=%ED%A0%80",
    "/projects?page=1&page=2&phase[]=alpha",
    "/councils/%00",
    "/councils/%00/projects",
    "/councils/%00/outbox",
    "/councils/2147483648",
    f"/councils/{TOO_LARGE_A_NUMBER}",
    f"/councils/aldermoor?page={TOO_LARGE_A_NUMBER}",
    f"/councils/aldermoor/projects?after={TOO_LARGE_A_NUMBER}",
    "/councils/aldermoor/projects?after=-1",
    f"/councils/aldermoor/outbox?before={TOO_LARGE_A_NUMBER}",
    "/councils/aldermoor/outbox?before=-1",
    "/activities/%00",
    "/.well-known/webfinger",
    "/.well-known/webfinger?resource=acct:%00@aldermoor.test",
    "/.well-known/webfinger?resource=acct:%ED%A0%80@aldermoor.test",
    "/nodeinfo/%00",
    "/theme/%00.css",
    "/theme/omega.css",
    "/static/%00",
    "/static/..%2f..%2fsettings.py",
    "/checklists/%00",
    "/checklists/runs/%00",
    "/checklists/runs/%00/questions/%00",
    f"/operator/deliveries?page={TOO_LARGE_A_NUMBER}&state=%00",
    "/operator/deliveries?page=-1&state=omega",
    f"/projects/drafts?page={TOO_LARGE_A_NUMBER}",
    "/sign-in?next=%00",
    "/sign-in?next=http://[::1",
    "/first-run?token=%00",
    "/%00",
    "/%ED%A0%80",
)
WRITING = (
    f"/councils/follows/{TOO_LARGE_A_NUMBER}/end",
    f"/operator/deliveries/{TOO_LARGE_A_NUMBER}/retry",
    "/projects/%00/delete",
    "/projects/%00/edit",
    "/projects/%00/publish",
    "/projects/none/edit",
    "/checklists/%00/begin",
    "/checklists/runs/%00/questions/q1",
)
NO_ADDRESSES = ("@\0", "@a@b", "http://[::1", "https://x:99999/", "@x@" + "a" * 5000, "//", "@@")


@pytest.fixture(scope="module", autouse=True)
def _as_served(council: TestNode) -> None:
    """Errors become answers, as they do on a node that serves."""
    council.app.testing = False


@pytest.fixture(scope="module")
def token(operator: Visitor) -> str:
    operator.visit("/projects/new")
    return operator.form().values["csrf_token"]


def test_no_address_is_too_strange(operator: Visitor, stranger: Visitor) -> None:
    kinds = ("text/html", "application/activity+json")
    for address, visitor, kind in itertools.product(READING, (operator, stranger), kinds):
        answer = visitor.client.get(address, headers={"Accept": kind})
        assert answer.status_code < 500, (address, kind)


def test_no_page_number_is_too_strange(stranger: Visitor) -> None:
    for number in ("-1", "0", "x", "1.5", "", TOO_LARGE_A_NUMBER, HUGE):
        page = stranger.client.get("/projects", query_string={"page": number})
        assert page.status_code == 200, number


def test_no_address_to_write_to_is_too_strange(operator: Visitor, token: str) -> None:
    for address in WRITING:
        answer = operator.client.post(address, data=TEXT | {"csrf_token": token})
        assert answer.status_code in {400, 404}, address


@pytest.mark.parametrize("field", ["title", "summary", "phase", "brief", "version", "then"])
def test_no_text_is_too_strange_for_a_project(operator: Visitor, token: str, field: str) -> None:
    for typed in HOSTILE:
        answer = operator.client.post(
            "/projects/new", data=TEXT | {"csrf_token": token, field: typed}
        )
        assert answer.status_code in {303, 400}, typed[:20]


@pytest.mark.parametrize(
    "address, field",
    [
        ("/councils/follow", "address"),
        ("/operator/peers", "host"),
        ("/sign-in", "email"),
        ("/sign-in", "password"),
        ("/sign-in", "next"),
        ("/notices/read", "newest"),
    ],
)
def test_no_text_is_too_strange_for_a_form(
    council: TestNode, operator: Visitor, token: str, address: str, field: str
) -> None:
    visitor = operator
    if address == "/sign-in":
        visitor = council.visitor()
        visitor.visit(address)
        token = visitor.form("sign-in").values["csrf_token"]
    for typed in (*HOSTILE, *NO_ADDRESSES):
        data = {"csrf_token": token, "email": "a@b.example", "password": "x", field: typed}
        assert visitor.client.post(address, data=data).status_code < 500, typed[:20]


def test_no_body_is_too_strange(operator: Visitor, token: str) -> None:
    headers = {"X-CSRFToken": token, "Referer": "https://aldermoor.test/"}
    for body, kind in (
        (b"", "application/x-www-form-urlencoded"),
        (b"%", "application/x-www-form-urlencoded"),
        (b"&" * 5000, "application/x-www-form-urlencoded"),
        (b"\0" * 100, "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b"{", "application/json"),
        (b"[[[", "application/json"),
        (b'{"title": ["\\ud800"]}', "application/json"),
        (b"<a/>", "text/xml"),
    ):
        answer = operator.client.post(
            "/projects/new",
            data=body,
            content_type=kind,
            headers=headers,
            base_url="https://aldermoor.test",
        )
        assert answer.status_code in {400, 413, 415}, body


def test_a_brief_that_is_too_long_is_given_back_whole(operator: Visitor) -> None:
    operator.visit("/projects/new")
    brief = "Ŵy 1/2 " * 100_000
    page = operator.submit(**TEXT | {"brief": brief})
    assert page.status_code == 400
    assert "You have used 699,999 characters. Use 50,000 or fewer." in page.text
    assert operator.form().values["brief"].strip("\n") == brief


def test_what_is_larger_than_any_form_is_refused(operator: Visitor, token: str) -> None:
    data = TEXT | {"csrf_token": token, "brief": "x" * 3_000_000}
    page = operator.client.post("/projects/new", data=data, headers={"Accept": "text/html"})
    assert page.status_code == 413
    assert "The text or file is too large" in page.text


SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def test_what_people_write_is_shown_and_never_run(operator: Visitor, stranger: Visitor) -> None:
    parts = (SCRIPT, "[a](javascript:alert(3))", "<b onclick=x>bold</b>", f"    {SCRIPT}")
    operator.visit("/projects/new")
    page = operator.submit(
        title=SCRIPT,
        summary=f"'\"{SCRIPT}",
        phase="alpha",
        brief="\n\n".join(parts),
        then="publish",
    )
    assert page.status_code == 200
    address = page.request.path
    for text in (
        page.text,
        stranger.visit(address).text,
        stranger.visit("/projects").text,
        stranger.visit("/").text,
        operator.visit(f"{address}/edit").text,
        operator.visit(f"{address}/delete").text,
    ):
        assert "&lt;script&gt;alert(1)" in text
        for running in ("<script>alert", "<img", 'onerror=alert(2)>"', 'href="javascript', "<b "):
            assert running not in text, running
    document = stranger.client.get(address, headers={"Accept": "application/activity+json"})
    assert "<script" not in document.get_json()["content"]
    assert "<img" not in document.get_json()["content"]


def test_no_place_and_no_number_is_too_strange(
    council: TestNode, operator: Visitor, token: str
) -> None:
    stranger = council.visitor()
    stranger.visit("/sign-in")
    sent = stranger.form("/sign-in").values | {"email": "a@b.example", "password": "x"}
    for place in ("http://[::1", "\\\\[x"):
        assert stranger.client.post("/sign-in", data=sent | {"next": place}).status_code == 400
    typed = {"csrf_token": token, "newest": TOO_LARGE_A_NUMBER}
    assert operator.client.post("/notices/read", data=typed).status_code == 303
