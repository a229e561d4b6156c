"""Notification emails: straight away, every morning or Monday; and unsubscribing in one click."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import update

from node.app import get_node
from node.database.tables import now
from node.notifications import email_digests
from node.notifications.digest_renderer import TemplateDigestRenderer
from node.notifications.email_digests import due_before
from node.notifications.models import MAX_AGE, Notification, NotificationSubscriber
from node.notifications.preferences import MailFrequency
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from tests.federation.talking import copy_of
from tests.federation.test_main_job import follow, publish
from tests.federation.test_updates import written
from tests.jobs.pruning import prune
from tests.notices.postman import MailServer, mail_server
from tests.notices.test_following import list_notifications

TITLE = "Bins in one step"
QUIET = {"own": "app", "asked": "app", "updates": "app", "projects": "app", "searches": "app"}
WEEK = timedelta(days=8)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as one:
        yield one


def choose(visitor: Visitor, **ways: str) -> None:
    visitor.visit("/notices/choices")
    visitor.submit("/notices/choices", **{**QUIET, "language": "en", **ways})
    assert "Your notification settings have been saved." in visitor.text


def mail_at(one: TestNode, moment: datetime) -> None:
    """Send the emails that are due by then."""
    node = get_node(one.app)
    email_digests.run_job(node, TemplateDigestRenderer(node), moment)
    one.node.jobs.run_pending()


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    body = message.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content.replace("\r\n", "\n")


def follow_as_operator(one: TestNode, project: str) -> Visitor:
    """The operator, after following a project of the officer's."""
    operator = one.visitor("operator")
    operator.visit(project)
    operator.submit("/following/projects")
    return operator


def test_an_update_at_another_council_is_emailed_with_its_three_parts(
    nodes: Nodes, server: MailServer
) -> None:
    here = nodes.start("aldermoor")
    there = nodes.start("brackwell", **server.settings)
    here.allow(there)
    there.allow(here)
    follow(nodes, there, here)
    project = publish(here, TITLE)
    nodes.run_until_idle()
    reader = there.visitor("officer")
    address = copy_of(there, TITLE)
    reader.visit(address)
    reader.submit("/following/projects")
    choose(reader, updates="weekly")
    update_fields = {
        "changed": "We *tried* it.",
        "next": "- Ask users\n- Count",
        "needs": "A tester",
    }
    written(here.visitor("officer"), project, **update_fields)
    nodes.run_until_idle()
    assert server.received == []

    mail_at(there, now() + WEEK)
    (message,) = server.received
    assert message["To"] == "officer@brackwell.example"
    assert message["Subject"] == f"Aldermoor Council wrote an update about {TITLE}"
    text, html = text_of(message), text_of(message, "html")
    for words in ("We tried it.", "- Ask users", "A tester", "https://brackwell.test/updates/"):
        assert words in text
    assert "<p>We <em>tried</em> it.</p>" in html
    assert f'href="https://brackwell.test{address}"' in html
    assert "<script" not in html
    mail_at(there, now() + 2 * WEEK)
    assert len(server.received) == 1


def test_no_emails_are_sent_by_default(nodes: Nodes, server: MailServer) -> None:
    here = nodes.start("aldermoor", **server.settings)
    project = publish(here, TITLE)
    operator = follow_as_operator(here, project)
    written(here.visitor("officer"), project, changed="We tried it.")
    nodes.run_until_idle()
    mail_at(here, now() + WEEK)
    assert server.received == []
    assert list_notifications(operator) == [f"Aldermoor Council wrote an update about {TITLE}"]


def test_emails_about_own_projects_are_weekly(nodes: Nodes, server: MailServer) -> None:
    here = nodes.start("aldermoor", **server.settings)
    project = publish(here, TITLE)
    operator = here.visitor("operator")
    operator.visit(project)
    operator.submit("/comments", source="How did it go?")
    nodes.run_until_idle()
    mail_at(here, now() + timedelta(minutes=1))
    owner = here.visitor("officer")
    assert list_notifications(owner) == [f"Aldermoor Council commented on {TITLE}"]
    mail_at(here, now() + WEEK)
    (message,) = server.received
    assert message["To"] == "officer@aldermoor.example"


def test_read_notifications_are_not_emailed(nodes: Nodes, server: MailServer) -> None:
    here = nodes.start("aldermoor", **server.settings)
    project = publish(here, TITLE)
    operator = follow_as_operator(here, project)
    choose(operator, updates="daily")
    written(here.visitor("officer"), project, changed="We tried it.")
    nodes.run_until_idle()
    assert "(1<span" in operator.visit("/notices").text
    operator.submit("/notices/read")
    assert "(1<span" not in operator.text
    mail_at(here, now() + WEEK)
    assert server.received == []


def test_notifications_of_a_deleted_update_are_not_emailed(
    nodes: Nodes, server: MailServer
) -> None:
    here = nodes.start("aldermoor", **server.settings)
    project = publish(here, TITLE)
    operator = follow_as_operator(here, project)
    choose(operator, updates="daily")
    officer = here.visitor("officer")
    path = written(officer, project, changed="We tried it.")
    nodes.run_until_idle()
    officer.visit(f"{path}/delete")
    officer.submit("delete")
    mail_at(here, now() + WEEK)
    assert server.received == []


def test_the_first_email_is_immediate_and_later_ones_are_grouped(
    nodes: Nodes, server: MailServer
) -> None:
    here = nodes.start("aldermoor", **server.settings)
    project = publish(here, TITLE)
    choose(follow_as_operator(here, project), updates="once")
    officer = here.visitor("officer")
    for words in ("One", "Two", "Three"):
        written(officer, project, changed=words)
        nodes.run_until_idle()
    assert len(server.received) == 1
    mail_at(here, now() + timedelta(minutes=6))
    assert [message["Subject"] for message in server.received] == [
        f"Aldermoor Council wrote an update about {TITLE}",
        "2 notifications from Moothall at Aldermoor Council",
    ]


def test_an_email_is_in_welsh(nodes: Nodes, server: MailServer) -> None:
    here = nodes.start("aldermoor", **server.settings)
    project = publish(here, TITLE)
    choose(follow_as_operator(here, project), updates="once", language="cy")
    written(here.visitor("officer"), project, changed="One")
    nodes.run_until_idle()
    (message,) = server.received
    # The subject is too long for the first line of its header, so it is folded.
    subject = message["Subject"].removeprefix(" ")
    assert subject == f"Ysgrifennwyd diweddariad am y prosiect {TITLE} gan Aldermoor Council"
    assert "Atal yr e-byst hyn" in text_of(message)


def test_one_click_unsubscribes_without_signing_in(nodes: Nodes, server: MailServer) -> None:
    here = nodes.start("aldermoor", **server.settings)
    project = publish(here, TITLE)
    operator = follow_as_operator(here, project)
    choose(operator, updates="once")
    officer = here.visitor("officer")
    written(officer, project, changed="One")
    nodes.run_until_idle()
    (message,) = server.received
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = message["List-Unsubscribe"].strip(" <>").removeprefix("https://aldermoor.test")
    assert link in text_of(message)

    stranger = here.visitor()
    assert "This will stop emails about individual notifications." in stranger.visit(link).text
    assert gets_emails(operator)
    client = here.app.test_client()
    assert client.post(link, data={"then": "these"}).status_code == 400
    assert client.post(f"{link}x", data={"List-Unsubscribe": "One-Click"}).status_code == 404
    assert gets_emails(operator)
    answer = client.post(link, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert not gets_emails(operator)

    written(officer, project, changed="Two")
    nodes.run_until_idle()
    mail_at(here, now() + WEEK)
    assert len(server.received) == 1


def gets_emails(visitor: Visitor) -> bool:
    page = visitor.visit("/notices/choices").text
    return re.search(r'name="updates"[^>]*value="once"[^>]*checked', page) is not None


def test_a_button_stops_all_emails(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    operator = here.visitor("operator")
    choose(operator, updates="once", projects="weekly")
    with here.reading() as session:
        token = session.query(NotificationSubscriber.token).scalar()
    stranger = here.visitor()
    stranger.visit(f"/unsubscribe/{token}/weekly")
    stranger.submit("/unsubscribe", then="all")
    assert "You will no longer get these emails" in stranger.text
    assert not gets_emails(operator)


def test_a_changed_setting_applies_to_pending_notifications(
    nodes: Nodes, server: MailServer
) -> None:
    here = nodes.start("aldermoor", **server.settings)
    project = publish(here, TITLE)
    operator = follow_as_operator(here, project)
    choose(operator, updates="daily")
    written(here.visitor("officer"), project, changed="One")
    nodes.run_until_idle()
    choose(operator, updates="app")
    mail_at(here, now() + WEEK)
    assert server.received == []


def test_invalid_settings_are_refused(nodes: Nodes) -> None:
    operator = nodes.start("aldermoor").visitor("operator")
    operator.visit("/notices/choices")
    operator.submit("/notices/choices", updates="hourly", language="fr")
    assert operator.page.status_code == 400
    assert "Select how you want to get these notifications" in operator.text
    assert "Select a language for emails" in operator.text


def test_old_notifications_are_pruned(nodes: Nodes) -> None:
    here = nodes.start("aldermoor")
    project = publish(here, TITLE)
    operator = follow_as_operator(here, project)
    written(here.visitor("officer"), project, changed="One")
    nodes.run_until_idle()
    assert len(list_notifications(operator)) == 1
    with here.work() as work:
        old = now() - MAX_AGE - timedelta(days=1)
        work.session.execute(update(Notification).values(at=old))
    prune(here)
    assert list_notifications(operator) == []


@pytest.mark.parametrize(
    "way,moment,expected",
    [
        # In summer seven in London is six UTC, and on the day the clocks change as well.
        (MailFrequency.daily, (2026, 7, 1, 6, 0), (2026, 7, 1, 6, 0)),
        (MailFrequency.daily, (2026, 7, 1, 5, 59), (2026, 6, 30, 6, 0)),
        (MailFrequency.daily, (2026, 12, 1, 6, 59), (2026, 11, 30, 7, 0)),
        (MailFrequency.daily, (2026, 10, 25, 7, 0), (2026, 10, 25, 7, 0)),
        (MailFrequency.daily, (2026, 10, 25, 6, 30), (2026, 10, 24, 6, 0)),
        # 30 November 2026 is a Monday.
        (MailFrequency.weekly, (2026, 11, 30, 7, 0), (2026, 11, 30, 7, 0)),
        (MailFrequency.weekly, (2026, 11, 30, 6, 59), (2026, 11, 23, 7, 0)),
        (MailFrequency.weekly, (2026, 12, 6, 23, 0), (2026, 11, 30, 7, 0)),
    ],
)
def test_emails_are_due_in_london_time(
    way: MailFrequency, moment: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert due_before(way, datetime(*moment, tzinfo=UTC)) == datetime(*expected, tzinfo=UTC)  # type: ignore[arg-type,misc]
