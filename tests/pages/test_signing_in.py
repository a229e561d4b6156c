"""Signing in and out: who gets in, what the others are told, and what a browser keeps."""

import re
from threading import Thread
from urllib.parse import urljoin, urlsplit

import pytest
from argon2 import PasswordHasher
from werkzeug.test import TestResponse

from node.people import service as people
from node.people.attempt_limits import MAX_PER_PERSON, SignInLimiter
from node.people.forms import EXTENSION_KEY
from node.testing.nodes import PASSWORD, TestNode
from node.testing.visitor import Visitor

OFFICER = "officer@aldermoor.example"
WRONG = "The email address or password is not correct"
LINK = re.compile(r'<a href="#(email|password)">(.*?)</a>')


@pytest.fixture(autouse=True)
def moment(council: TestNode) -> list[float]:
    """The time by which tries are counted; none yet."""
    moment = [0.0]
    council.app.extensions[EXTENSION_KEY] = SignInLimiter(lambda: moment[0])
    return moment


def sign_in(visitor: Visitor, email: str, password: str, address: str = "/sign-in") -> TestResponse:
    visitor.visit(address)
    return visitor.submit("sign-in", email=email, password=password)


def change_password(council: TestNode, password: str) -> None:
    with council.work() as work:
        hashed = people.hash_new_password(password)
        people.set_password(work, people.require_by_email(work.session, OFFICER), hashed)


def session_cookie(visitor: Visitor) -> str:
    cookie = visitor.client.get_cookie("moothall_session")
    return cookie.value if cookie else ""


def test_signing_in_and_out(stranger: Visitor) -> None:
    page = sign_in(stranger, OFFICER, PASSWORD)
    assert (page.status_code, page.request.path) == (200, "/")
    assert "Ola Officer" in page.text
    assert stranger.visit("/projects/new").status_code == 200
    stranger.submit("sign-out")
    assert "Ola Officer" not in stranger.text
    assert stranger.visit("/projects/new").request.path == "/sign-in"


def test_the_case_of_an_e_mail_address_does_not_matter(stranger: Visitor) -> None:
    assert "Ola Officer" in sign_in(stranger, f" {OFFICER.upper()} ", PASSWORD).text


@pytest.mark.parametrize("meanwhile", ["a moot hall of stone", ""])
def test_a_password_is_hashed_anew_while_others_write(
    council: TestNode, stranger: Visitor, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    """As when argon2 is to cost more: what others wrote meanwhile stays, and makes nothing fail."""
    dearer = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    with council.work() as work:
        people.require_by_email(work.session, OFFICER).password = dearer

    def write() -> None:
        council.publish("Written meanwhile")
        if meanwhile:
            change_password(council, meanwhile)

    def another(*_who: str) -> None:
        thread = Thread(target=write)
        thread.start()
        thread.join()

    monkeypatch.setattr(SignInLimiter, "record_success", another)
    assert sign_in(stranger, OFFICER, PASSWORD).status_code == 200
    with council.reading() as session:
        assert people.require_by_email(session, OFFICER).password != dearer
    monkeypatch.undo()
    again = sign_in(Visitor(council.app.test_client()), OFFICER, meanwhile or PASSWORD)
    assert "Ola Officer" in again.text
    assert "Written meanwhile" in again.text
    change_password(council, PASSWORD)


@pytest.mark.parametrize(
    "email, password",
    [
        (OFFICER, "a moot hall of pine"),
        ("nobody@aldermoor.example", PASSWORD),
        (OFFICER, "x" * 100_000),
        ("nobody@aldermoor.example", "x" * 100_000),
        (OFFICER, f"{PASSWORD}\0"),
    ],
)
def test_nobody_learns_who_has_an_account(stranger: Visitor, email: str, password: str) -> None:
    page = sign_in(stranger, email, password)
    assert LINK.findall(page.text) == [("email", WRONG)]
    assert f'value="{email}"' in page.text
    assert password not in page.text
    assert stranger.visit("/projects/new").request.path == "/sign-in"


def test_what_is_missing_is_asked_for(stranger: Visitor) -> None:
    for email, password, asked in (
        ("", "", ["email", "password"]),
        ("", PASSWORD, ["email"]),
        (OFFICER, "", ["password"]),
    ):
        page = sign_in(stranger, email, password)
        assert sorted(field for field, _ in LINK.findall(page.text)) == asked
        assert "Ola Officer" not in page.text


def test_one_goes_on_where_one_was_going(stranger: Visitor) -> None:
    page = stranger.visit("/projects/drafts?page=1")
    assert "Sign in to see this page." in page.text
    page = stranger.submit("sign-in", email=OFFICER, password=PASSWORD)
    assert page.request.full_path == "/projects/drafts?page=1"


@pytest.mark.parametrize(
    "there",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "https:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        " //evil.example",
        "https://aldermoor.test@evil.example",
        "//aldermoor.test.evil.example",
    ],
)
def test_one_does_not_end_up_elsewhere(council: TestNode, officer: Visitor, there: str) -> None:
    stranger = council.visitor()
    page = stranger.visit("/sign-in")
    form = stranger.form("sign-in")
    answer = stranger.client.post(
        "/sign-in",
        data=form.values | {"email": OFFICER, "password": PASSWORD, "next": there},
    )
    assert page.status_code == 200
    assert answer.status_code == 302
    assert stays(answer.location)
    again = officer.client.get("/sign-in", query_string={"next": there})
    assert again.status_code == 302
    assert stays(again.location)


def stays(location: str) -> bool:
    """Whether a browser that is sent to `location` stays on the site; backslashes are slashes."""
    there = urljoin("https://aldermoor.test/sign-in", location.replace("\\", "/"))
    return urlsplit(there).netloc == "aldermoor.test"


def test_whose_cookie_was_planted_stays_signed_out(council: TestNode, stranger: Visitor) -> None:
    stranger.visit("/sign-in")
    planted = session_cookie(stranger)
    stranger.submit("sign-in", email=OFFICER, password=PASSWORD)
    assert session_cookie(stranger) not in {"", planted}
    thief = council.visitor()
    thief.client.set_cookie("moothall_session", planted)
    assert thief.visit("/projects/new").request.path == "/sign-in"


def test_a_changed_cookie_is_nobodys(
    council: TestNode, officer: Visitor, stranger: Visitor
) -> None:
    body, _, signature = session_cookie(officer).rpartition(".")
    stranger.client.set_cookie("moothall_session", f"{body}.{signature[::-1]}")
    assert stranger.visit("/projects/new").request.path == "/sign-in"


def test_cookies_are_for_this_site_alone(stranger: Visitor) -> None:
    stranger.visit("/sign-in")
    form = stranger.form("sign-in")
    answer = stranger.client.post(
        "/sign-in", data=form.values | {"email": OFFICER, "password": PASSWORD}
    )
    cookies = {item.partition("=")[0]: item for item in answer.headers.getlist("Set-Cookie")}
    assert set(cookies) == {"moothall_session", "moothall_device"}
    for cookie in cookies.values():
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))


def test_whose_account_is_closed_is_out_at_once(council: TestNode, stranger: Visitor) -> None:
    with council.work() as work:
        people.create(
            work, name="Una", email="una@aldermoor.example", password=PASSWORD, role="officer"
        )
    assert "Una" in sign_in(stranger, "una@aldermoor.example", PASSWORD).text
    with council.work() as work:
        una = people.by_email(work.session, "una@aldermoor.example")
        assert una
        una.active = False
    assert stranger.visit("/projects/new").request.path == "/sign-in"
    assert WRONG in sign_in(stranger, "una@aldermoor.example", PASSWORD).text


def test_a_password_may_have_any_letters(council: TestNode, stranger: Visitor) -> None:
    password = "crème brûlée ﷺ ŵy"
    with council.work() as work:
        people.create(
            work, name="Siân", email="sian@aldermoor.example", password=password, role="officer"
        )
    assert "Siân" in sign_in(stranger, "sian@aldermoor.example", password).text


def test_only_forms_are_read(stranger: Visitor) -> None:
    stranger.visit("/sign-in")
    token = stranger.form("sign-in").values["csrf_token"]
    for body in ("[1]", '"x"', '{"email": "\\ud800@a.example", "password": "\\ud800"}'):
        answer = stranger.client.post(
            "/sign-in",
            data=body,
            content_type="application/json",
            headers={"X-CSRFToken": token, "Referer": "https://aldermoor.test/sign-in"},
            base_url="https://aldermoor.test",
        )
        assert answer.status_code == 415
        assert answer.content_type == "application/problem+json"


def test_after_too_many_tries_one_waits(stranger: Visitor, moment: list[float]) -> None:
    for _ in range(MAX_PER_PERSON):
        assert WRONG in sign_in(stranger, OFFICER, "x" * 300).text
        moment[0] += 1
    page = sign_in(stranger, OFFICER, PASSWORD)
    assert (page.status_code, page.headers["Retry-After"]) == (429, str(15 * 60 - MAX_PER_PERSON))
    assert "Too many attempts" in page.text
    assert stranger.visit("/projects/new").request.path == "/sign-in"
    moment[0] += 15 * 60
    assert "Ola Officer" in sign_in(stranger, OFFICER, PASSWORD).text


def test_others_can_sign_in_while_one_waits(stranger: Visitor) -> None:
    for _ in range(MAX_PER_PERSON + 1):
        page = sign_in(stranger, "nobody@aldermoor.example", "x" * 300)
    assert page.status_code == 429
    assert "Ola Officer" in sign_in(stranger, OFFICER, PASSWORD).text
