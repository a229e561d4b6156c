"""A new password for whoever forgot theirs: by a link that is good once, and not for long."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from node.audit import AuditEntry
from node.database.tables import now
from node.mail.models import Mail
from node.passwords.models import PasswordReset
from node.passwords.views import (
    EXTENSION_KEY,
    MAX_PER_ADDRESS,
    MAX_PER_PERSON,
    PasswordRequestLimits,
)
from node.people import service as people
from node.testing.nodes import PASSWORD, TestNode
from node.testing.visitor import Visitor
from tests.jobs.pruning import prune

OFFICER = "officer@aldermoor.example"
NEW = "three random words"


@pytest.fixture(autouse=True)
def _nobody_has_asked(council: TestNode) -> None:
    council.app.extensions[EXTENSION_KEY] = PasswordRequestLimits()


def ask(council: TestNode, visitor: Visitor, email: str) -> str:
    """Ask for a link; returns the page that says what happens now."""
    visitor.visit("/sign-in")
    assert 'href="/forgotten-password"' in visitor.text
    visitor.visit("/forgotten-password")
    page = visitor.submit("forgotten-password", email=email).text
    council.node.jobs.run_pending()
    return page.partition("<main")[2].partition("</main>")[0]


def mails(council: TestNode) -> list[str]:
    with council.reading() as session:
        return list(session.scalars(select(Mail.recipient).order_by(Mail.id)))


def link(council: TestNode, monkeypatch: pytest.MonkeyPatch, visitor: Visitor) -> str:
    """The path in the e-mail that an officer gets."""
    monkeypatch.setattr("node.mail.service._attempt_delivery", lambda *_: None)
    ask(council, visitor, f" {OFFICER.upper()} ")
    with council.reading() as session:
        text = session.scalars(select(Mail.text).order_by(Mail.id.desc())).first() or ""
    found = re.search(r"https://aldermoor\.test(/new-password\?key=[\w-]{43})", text)
    assert found, text
    return found[1]


def signs_in(council: TestNode, password: str) -> bool:
    visitor = council.visitor()
    visitor.visit("/sign-in")
    return "Ola Officer" in visitor.submit("sign-in", email=OFFICER, password=password).text


def test_a_new_password_is_chosen_with_a_link_once(
    council: TestNode, stranger: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in = council.visitor("officer")
    first, second = (link(council, monkeypatch, stranger) for _ in range(2))
    with council.reading() as session:
        kept = {row.digest for row in session.scalars(select(PasswordReset))}
    assert not any(path.partition("key=")[2] in str(kept) for path in (first, second))
    stranger.visit(first)
    assert stranger.submit("new-password", password="short").status_code == 400
    page = stranger.submit("new-password", password=NEW)
    assert "Your password has been changed. Sign in with your new password." in page.text
    assert page.request.path == "/sign-in"
    with council.reading() as session:
        by = select(AuditEntry.by, AuditEntry.via).where(AuditEntry.action == "user.set-password")
        assert session.execute(by).all() == [(OFFICER, "signed_link")]
    assert signed_in.visit("/projects/new").request.path == "/sign-in", "no longer signed in"
    assert (signs_in(council, PASSWORD), signs_in(council, NEW)) == (False, True)
    for used in (first, second):
        assert stranger.visit(used).status_code == 410
    with council.work() as work:
        hashed = people.hash_new_password(PASSWORD)
        people.set_password(work, people.require_by_email(work.session, OFFICER), hashed)


def test_a_link_is_good_for_an_hour(
    council: TestNode, stranger: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = link(council, monkeypatch, stranger)
    stranger.visit(path)
    form = stranger.form("new-password")
    with council.work() as work:
        for row in work.session.scalars(select(PasswordReset)):
            row.asked_at = now() - timedelta(minutes=61)
    assert stranger.visit(path).status_code == 410
    answer = stranger.client.post("/new-password", data=form.values | {"password": NEW})
    assert answer.status_code == 410
    assert stranger.visit("/new-password?key=" + "x" * 43).status_code == 410
    ask(council, stranger, "nobody@aldermoor.example")
    prune(council)
    with council.reading() as session:
        assert session.scalar(select(func.count(PasswordReset.id))) == 0


def test_nobody_learns_who_has_an_account_or_sends_many_emails(
    council: TestNode, stranger: Visitor
) -> None:
    with council.work() as work:
        for name, ends in (("una", False), ("closed", True)):
            user = people.create(
                work,
                name=name,
                email=f"{name}@aldermoor.example",
                password=PASSWORD,
                role="officer",
            )
            user.active, user.password = not ends, user.password if ends else None
    before = len(mails(council))
    answers = {
        ask(council, stranger, email)
        for email in (
            OFFICER,
            "nobody@aldermoor.example",
            "una@aldermoor.example",
            "closed@aldermoor.example",
            *[OFFICER] * (MAX_PER_PERSON + 2),
        )
    }
    assert len(answers) == 1
    assert mails(council)[before:] == [OFFICER] * MAX_PER_PERSON
    with council.reading() as session:
        waiting = PasswordReset.digest.is_(None)
        assert session.scalar(select(func.count()).where(waiting)) == 0
    for number in range(MAX_PER_ADDRESS):
        ask(council, stranger, f"{number}@aldermoor.example")
    assert "Too many attempts" in stranger.text


def test_what_is_no_address_is_said(stranger: Visitor) -> None:
    for typed in ("", "nobody", "x" * 300 + "@a.example"):
        stranger.visit("/forgotten-password")
        page = stranger.submit("forgotten-password", email=typed)
        assert (page.status_code, "Enter your email address" in page.text) == (400, True)
