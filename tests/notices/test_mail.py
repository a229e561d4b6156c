"""Emails by a mail server, GOV.UK Notify and the console: sent, retried, failed."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from node.database.tables import now
from node.mail import service as mail
from node.mail.models import Mail
from node.testing.nodes import Nodes, TestNode
from tests.notices.postman import KEY, FakeNotify, MailServer, mail_server

TO = "ola@aldermoor.example"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as one:
        yield one


def send(one: TestNode, **more: str) -> None:
    with one.work() as work:
        mail.send(work, TO, "Dŵr\nand more", "Plain words.\n", **more)
    one.node.jobs.run_pending()


def row(one: TestNode) -> Mail:
    with one.reading() as session:
        return session.scalars(select(Mail)).one()


def hurry(one: TestNode) -> None:
    """Let the time until the next attempt pass."""
    with one.work() as work:
        work.session.execute(update(Mail).values(due_at=now()))
        work.wake(Mail.JOB)
    one.node.jobs.run_pending()


def test_an_email_arrives_as_text_and_html(nodes: Nodes, server: MailServer) -> None:
    here = nodes.start("aldermoor", **server.settings)
    send(here, html="<p>Plain <b>words</b>.</p>", unsubscribe="https://aldermoor.test/end")
    (message,) = server.received
    assert (message["To"], message["From"]) == (TO, "moothall@aldermoor.example")
    assert message["Subject"] == "Dŵr and more"
    assert message["List-Unsubscribe"] == "<https://aldermoor.test/end>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "en"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().split() == ["Plain", "words."]
    assert (row(here).state, row(here).text) == ("sent", "")


def test_nothing_is_sent_when_the_transaction_is_rolled_back(
    nodes: Nodes, server: MailServer
) -> None:
    here = nodes.start("aldermoor", **server.settings)
    with suppress(RuntimeError), here.work() as work:
        mail.send(work, TO, "Hello", "Words.")
        raise RuntimeError
    here.node.jobs.run_pending()
    assert server.received == []


def test_a_temporary_error_is_retried_with_the_same_message_id(
    nodes: Nodes, server: MailServer
) -> None:
    here = nodes.start("aldermoor", **server.settings)
    server.answers.append("451 come back later")
    send(here)
    waiting = row(here)
    assert (waiting.state, waiting.answer) == ("pending", "451 come back later")
    assert waiting.due_at > now()
    hurry(here)
    (message,) = server.received
    assert message["Message-ID"] == f"<{waiting.reference}@aldermoor.test>"
    assert row(here).attempts == 2


def test_a_permanent_error_is_not_retried(nodes: Nodes, server: MailServer) -> None:
    here = nodes.start("aldermoor", **server.settings)
    server.answers.append("550 no such person")
    send(here)
    assert (row(here).state, row(here).answer) == ("failed", "550 no such person")
    operator = here.visitor("operator")
    assert "550 no such person" in operator.visit("/operator/mail?state=failed").text
    operator.submit("/retry")
    here.node.jobs.run_pending()
    assert len(server.received) == 1
    assert row(here).state == "sent"


def test_an_unreachable_server_fails_after_two_days(nodes: Nodes) -> None:
    with mail_server() as server:
        settings = server.settings
    here = nodes.start("aldermoor", **settings)
    send(here)
    assert row(here).state == "pending"
    assert "The mail server cannot be used" in row(here).answer
    with here.work() as work:
        work.session.execute(update(Mail).values(created_at=now() - timedelta(days=2)))
    hurry(here)
    assert row(here).state == "failed"


def test_a_server_without_encryption_gets_nothing(nodes: Nodes, server: MailServer) -> None:
    here = nodes.start("aldermoor", **{**server.settings, "smtp_security": "starttls"})
    send(here)
    assert server.received == []
    assert "STARTTLS" in row(here).answer


def test_notify_sends_an_email(nodes: Nodes) -> None:
    fake = FakeNotify()
    nodes.apps["notify.test"] = fake
    here = nodes.start(
        "aldermoor",
        mail="notify",
        notify_key=KEY,
        notify_template="a-template",
        notify_url="https://notify.test",
    )
    send(here, unsubscribe="https://aldermoor.test/end")
    assert fake.requests == [
        {
            "email_address": TO,
            "template_id": "a-template",
            "personalisation": {"subject": "Dŵr and more", "body": "Plain words.\n"},
            "reference": row(here).reference,
            "one_click_unsubscribe_url": "https://aldermoor.test/end",
        }
    ]
    assert row(here).state == "sent"


@pytest.mark.parametrize(
    "status,state", [(400, "failed"), (403, "pending"), (429, "pending"), (500, "pending")]
)
def test_an_error_from_notify_is_recorded(nodes: Nodes, status: int, state: str) -> None:
    fake = FakeNotify(answers=[(status, "email_address is not valid")])
    nodes.apps["notify.test"] = fake
    here = nodes.start(
        "aldermoor",
        mail="notify",
        notify_key=KEY,
        notify_template="a-template",
        notify_url="https://notify.test",
    )
    send(here)
    assert (row(here).state, row(here).answer) == (state, f"{status} email_address is not valid")


def test_the_console_prints_an_email(nodes: Nodes, capsys: pytest.CaptureFixture[str]) -> None:
    send(nodes.start("aldermoor"))
    output = capsys.readouterr().err
    assert f"To: {TO}\nSubject: Dŵr and more\n\nPlain words.\n" in output
