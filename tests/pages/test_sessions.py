"""Sessions: kept by the node, listed for whoever has them, and ended by it for good."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from node.database.tables import now
from node.mail.models import Mail
from node.people import service as people
from node.people import sessions
from node.people.models import UserSession
from node.testing.nodes import PASSWORD, Nodes, TestNode
from node.testing.visitor import Visitor
from tests.jobs.pruning import prune

OFFICER = "officer@aldermoor.example"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
EDGE = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/130.0 Edg/130.0"
LIST = "/account/sessions"
LASTS = [("seen_at", timedelta(hours=12)), ("created_at", timedelta(days=7))]


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(council: TestNode) -> Iterator[None]:
    yield
    with council.work() as work:
        sessions.end_all(work, people.require_by_email(work.session, OFFICER))


def sign_in(council: TestNode, user_agent: str = "", device: str = "") -> Visitor:
    visitor = council.visitor()
    visitor.client.environ_base["HTTP_USER_AGENT"] = user_agent
    if device:
        visitor.client.set_cookie("moothall_device", device)
    visitor.visit("/sign-in")
    visitor.submit("sign-in", email=OFFICER, password=PASSWORD)
    return visitor


def cookie(visitor: Visitor, name: str) -> str:
    found = visitor.client.get_cookie(f"moothall_{name}")
    return found.value if found else ""


def copy_of(council: TestNode, visitor: Visitor) -> Visitor:
    """Somebody who got hold of a visitor's cookie."""
    thief = council.visitor()
    thief.client.set_cookie("moothall_session", cookie(visitor, "session"))
    return thief


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.visit("/desk").request.path == "/desk"


def letters(council: TestNode) -> list[tuple[str, str]]:
    """The subjects and texts of all emails to the officer."""
    with council.reading() as session:
        query = select(Mail).where(Mail.recipient == OFFICER).order_by(Mail.id)
        return [(mail.subject, mail.text) for mail in session.scalars(query)]


def test_a_copied_cookie_is_no_good_after_signing_out(council: TestNode) -> None:
    visitor = sign_in(council)
    thief = copy_of(council, visitor)
    assert is_signed_in(thief)
    visitor.submit("sign-out")
    assert not is_signed_in(thief)
    with council.reading() as session:
        kept = [row.digest for row in session.scalars(select(UserSession))]
    assert cookie(visitor, "session") not in str(kept)


@pytest.mark.parametrize("name, lasts", LASTS)
def test_a_session_ends_after_a_while(council: TestNode, name: str, lasts: timedelta) -> None:
    visitor = sign_in(council)
    for age, is_open in ((lasts - timedelta(minutes=1), True), (lasts, False)):
        with council.work() as work:
            work.session.execute(update(UserSession).values({name: now() - age}))
        assert is_signed_in(visitor) is is_open


@pytest.mark.parametrize("path", ["/", "/desk"])
def test_its_use_is_written_down_and_only_every_few_minutes(council: TestNode, path: str) -> None:
    visitor, old = sign_in(council), now() - timedelta(hours=11)
    for before, is_noted in ((old, True), (now() - timedelta(minutes=1), False)):
        with council.work() as work:
            work.session.execute(update(UserSession).values(seen_at=before))
        visitor.visit(path)
        with council.reading() as session:
            rows = session.scalars(select(UserSession).order_by(UserSession.id.desc()))
            assert (next(iter(rows)).seen_at > before) is is_noted


def test_no_field_that_is_not_shown_is_taken(council: TestNode, stranger: Visitor) -> None:
    stranger.visit("/sign-in")
    form = stranger.form("sign-in")
    data = form.values | {"email": OFFICER, "password": PASSWORD, "remember": "y"}
    answer = stranger.client.post("/sign-in", data=data)
    assert answer.status_code == 400
    assert not answer.headers.getlist("Set-Cookie") or "remember" not in str(answer.headers)
    assert not is_signed_in(stranger)


def test_each_sign_in_is_another_session_with_another_token_in_forms(council: TestNode) -> None:
    visitor = council.visitor()
    visitor.visit("/sign-in")
    token = visitor.form("sign-in").values["csrf_token"]
    seen = set()
    for _ in range(2):
        visitor.submit("sign-in", email=OFFICER, password=PASSWORD)
        seen.add(cookie(visitor, "session"))
        planted = visitor.client.post("/sign-out", data={"csrf_token": token})
        assert planted.status_code == 400
        visitor.visit("/desk")
        visitor.submit("sign-out")
        visitor.visit("/sign-in")
    assert len(seen) == 2


def test_where_one_is_signed_in_is_listed_and_ended_one_by_one(council: TestNode) -> None:
    here, there = sign_in(council, FIREFOX), sign_in(council, EDGE)
    here.visit("/account/profile")
    assert f'href="{LIST}"' in here.text
    page = here.visit(LIST).text
    assert page.count("This device") == 1
    assert page.index("Edge on Mac") < page.index("Firefox on Windows") < page.index("This device")
    there.visit(LIST)
    actions = re.findall(r'action="(/account/sessions/\d+/end)"', there.text)
    assert len(actions) == 2
    assert "The device has been signed out." in there.submit(actions[1]).text
    assert (is_signed_in(here), is_signed_in(there)) == (False, True)
    there.visit(LIST)
    there.submit(actions[0])
    assert not is_signed_in(there)


def test_nobody_ends_a_session_of_somebody_else(council: TestNode) -> None:
    visitor, operator = sign_in(council), council.visitor("operator")
    visitor.visit(LIST)
    (action,) = re.findall(r'action="(/account/sessions/\d+/end)"', visitor.text)
    operator.visit(LIST)
    token = operator.form("end-all").values["csrf_token"]
    assert operator.client.post(action, data={"csrf_token": token}).status_code == 404
    assert is_signed_in(visitor)


def test_one_signs_out_everywhere(council: TestNode) -> None:
    here, there = sign_in(council), sign_in(council)
    here.visit(LIST)
    assert "You have been signed out everywhere." in here.submit("end-all").text
    assert not is_signed_in(here)
    assert not is_signed_in(there)


def test_a_sign_in_on_another_device_is_told_by_email(council: TestNode) -> None:
    first = sign_in(council, FIREFOX)
    before = len(letters(council))
    sign_in(council, FIREFOX, cookie(first, "device"))
    assert len(letters(council)) == before
    with council.work() as work:
        people.require_by_email(work.session, OFFICER).language = "cy"
    sign_in(council, EDGE)
    with council.work() as work:
        people.require_by_email(work.session, OFFICER).language = None
    ((subject, text),) = letters(council)[before:]
    assert "mewngofnodi" in subject.lower()
    assert "Edge ar Mac" in text
    assert "https://aldermoor.test/forgotten-password" in text


def test_the_first_sign_in_is_no_news(nodes: Nodes) -> None:
    council = nodes.start("aldermoor")
    sign_in(council, FIREFOX)
    assert letters(council) == []


def test_sessions_are_forgotten_after_half_a_year(council: TestNode) -> None:
    visitor = sign_in(council)
    with council.work() as work:
        old = now() - sessions.MAX_AGE - timedelta(days=1)
        work.session.execute(update(UserSession).values(seen_at=old))
    sign_in(council, device=cookie(visitor, "device"))
    prune(council)
    with council.reading() as session:
        assert len(session.scalars(select(UserSession)).all()) == 1


def test_the_session_of_an_account_that_was_closed_is_no_good(nodes: Nodes) -> None:
    council = nodes.start("aldermoor")
    visitor = council.visitor("officer")
    assert is_signed_in(visitor)
    with council.work() as work:
        people.deactivate(work, people.require_by_email(work.session, OFFICER))
    assert not is_signed_in(visitor)
