"""All that lets somebody act as a person ends together, and the person is told of each change."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import delete, select

from node.mail.models import Mail
from node.officers import service as officers
from node.passwords import service as passwords
from node.passwords.models import PasswordReset
from node.people import service as people
from node.people.attempt_limits import MAX_PER_PERSON, SignInLimiter
from node.people.forms import EXTENSION_KEY
from node.testing.nodes import PASSWORD, TestNode
from node.testing.visitor import Visitor
from node.webhooks import service as webhooks
from node.webhooks.models import Webhook
from tests.rest.conftest import Program, make_token
from tests.webhooks.test_webhooks import add

NEW = "three random words"
WHO = "una@aldermoor.example"
HOOK = "https://hooks.example/una"


@pytest.fixture(autouse=True)
def _mail_stays(council: TestNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Emails are written and not sent, which would wipe their text."""
    monkeypatch.setattr("node.mail.service._attempt_delivery", lambda *_: None)
    council.app.extensions[EXTENSION_KEY] = SignInLimiter()


@dataclass
class Una:
    """An officer who is also a moderator, with all that lets somebody act as her."""

    council: TestNode
    here: Visitor
    there: Visitor
    program: Program
    secret: str
    link: str

    def still_works(self) -> set[str]:
        works = {
            "here": self.here.visit("/desk").request.path == "/desk",
            "there": self.there.visit("/desk").request.path == "/desk",
            "token": self.program("GET", "/webhooks").status_code == 200,
            "link": self.council.visitor().visit(self.link).status_code == 200,
        }
        with self.council.reading() as session:
            hook = session.scalars(select(Webhook).where(Webhook.url == HOOK)).one()
            works["webhook"] = hook.off_at is None
            works["secret"] = self.secret in webhooks.signing_secrets(hook)
        return {name for name, does in works.items() if does}


@pytest.fixture
def una(council: TestNode) -> Iterator[Una]:
    with council.work() as work:
        user = people.create(work, name="Una", email=WHO, password=PASSWORD, role="officer")
        people.grant_role(work, user, "moderator")
    here, there = (sign_in(council) for _ in range(2))
    program = Program(council, make_token(here, "read", "webhooks"))
    secret = add(here, HOOK)
    with council.work() as work:
        passwords.request_reset(work, WHO)
    council.node.jobs.run_pending()
    link = re.search(r"/new-password\?key=[\w-]+", letters(council)[-1][1])
    assert link
    made = Una(council, here, there, program, secret, link[0])
    assert made.still_works() == {"here", "there", "token", "link", "webhook", "secret"}
    with council.work() as work:
        work.session.execute(delete(Mail))
    yield made
    with council.work() as work:
        work.session.delete(people.require_by_email(work.session, WHO))
        work.session.execute(delete(Mail))


def sign_in(council: TestNode, password: str = PASSWORD) -> Visitor:
    visitor = council.visitor()
    visitor.visit("/sign-in")
    visitor.submit("sign-in", email=WHO, password=password)
    return visitor


def letters(council: TestNode) -> list[tuple[str, str]]:
    """The subjects and texts of all emails to her."""
    with council.reading() as session:
        query = select(Mail).where(Mail.recipient == WHO).order_by(Mail.id)
        return [(mail.subject, mail.text) for mail in session.scalars(query)]


def subjects(council: TestNode) -> list[str]:
    return [subject for subject, _text in letters(council)]


def reset(una: Una) -> None:
    stranger = una.council.visitor()
    stranger.visit(una.link)
    assert stranger.submit("new-password", password=NEW).status_code == 200


def take_officer(una: Una) -> None:
    with una.council.work() as work:
        people.remove_role(work, people.require_by_email(work.session, WHO), "officer")


def close(una: Una) -> None:
    with una.council.work() as work:
        officers.deactivate(work, people.require_by_email(work.session, WHO))


@pytest.mark.parametrize(
    "happens, subject",
    [
        (reset, "Your password was changed"),
        (take_officer, "Your role was changed"),
        (close, "Your account was closed"),
    ],
)
def test_all_of_it_ends_together(una: Una, happens: Callable[[Una], None], subject: str) -> None:
    happens(una)
    assert una.still_works() == set()
    assert subjects(una.council) == [subject]


def change(visitor: Visitor, current: str, password: str) -> int:
    visitor.visit("/account/password")
    return visitor.submit("/account/password", current=current, password=password).status_code


def test_who_changes_their_password_stays_signed_in_there_alone(una: Una) -> None:
    una.here.visit("/account/profile")
    assert 'href="/account/password"' in una.here.text
    stolen = una.council.visitor()
    kept = una.here.client.get_cookie("moothall_session")
    assert kept
    stolen.client.set_cookie("moothall_session", kept.value)
    assert change(una.here, PASSWORD, NEW) == 200
    assert "Your password has been changed." in una.here.text
    assert una.still_works() == {"here"}
    assert stolen.visit("/desk").request.path == "/sign-in", "the session has another secret"
    assert subjects(una.council) == ["Your password was changed"]
    for password, path in ((PASSWORD, "/sign-in"), (NEW, "/desk")):
        assert sign_in(una.council, password).visit("/desk").request.path == path


def test_a_password_is_changed_by_whoever_knows_it(una: Una) -> None:
    assert change(una.here, "a moot hall of pine", NEW) == 400
    assert "Your current password is not correct" in una.here.text
    assert change(una.here, PASSWORD, "short") == 400
    assert "Password must be 12 characters or more" in una.here.text
    for _ in range(MAX_PER_PERSON + 1):
        status = change(una.here, "a moot hall of pine", NEW)
    assert status == 429
    assert len(una.still_works()) == 6


def test_a_role_that_gives_nothing_more_is_taken_and_all_goes_on(una: Una) -> None:
    with una.council.work() as work:
        user = people.require_by_email(work.session, WHO)
        people.grant_role(work, user, "coordinator")
        people.remove_role(work, user, "officer")
    assert len(una.still_works()) == 6
    given, taken = letters(una.council)
    assert "You now have the coordinator role." in given[1]
    assert "You can still do everything you could before." in taken[1]


def test_a_new_token_and_a_new_webhook_are_told_in_her_language(una: Una) -> None:
    with una.council.work() as work:
        people.require_by_email(work.session, WHO).language = "cy"
    make_token(una.here, "read", name="Our website")
    add(una.here, "https://hooks.example/2")
    token, hook = letters(una.council)
    assert "Cafodd tocyn API ei greu ar gyfer eich cyfrif: Our website." in token[1]
    assert "https://hooks.example/2" in hook[1]
    assert (token[0], hook[0]) == ("Tocyn API newydd i’ch cyfrif", "Bachyn gwe newydd i’ch cyfrif")


def test_a_webhook_that_was_switched_off_says_why_and_waits(una: Una) -> None:
    with una.council.work() as work:
        hook = work.session.scalars(select(Webhook).where(Webhook.url == HOOK)).one()
        webhooks.queue_test(work, hook)
        path = f"/account/webhooks/{hook.id}"
    change(una.here, PASSWORD, NEW)
    una.council.node.jobs.run_pending()
    page = una.here.visit(path).text
    assert "the owner’s password, role or account changed" in page
    assert "Failed" in page
    assert "the address did not accept messages for several days" not in page


def test_no_link_is_sent_that_was_asked_for_before(una: Una) -> None:
    with una.council.work() as work:
        passwords.request_reset(work, WHO)
    change(una.here, PASSWORD, NEW)
    una.council.node.jobs.run_pending()
    with una.council.reading() as session:
        assert session.scalars(select(PasswordReset)).all() == []
    assert subjects(una.council) == ["Your password was changed"]
