"""Emails are in the language that the reader chose, and every word is marked for translation."""

from datetime import timedelta
from email.message import EmailMessage

import pytest

from node.database.tables import now
from node.testing.nodes import Nodes, TestNode
from node.web.translations import MessageCatalogues
from tests.accessibility import markup
from tests.federation.test_main_job import publish
from tests.federation.test_updates import written
from tests.notices.postman import MailServer, mail_server
from tests.notices.test_digests import WEEK, choose, follow_as_operator, mail_at, text_of
from tests.translations.brackets import Bracketed, outside

TITLE = "quokkabins"
ON_SQLITE = pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)


def receive_email(nodes: Nodes, server: MailServer, way: str, after: timedelta) -> EmailMessage:
    """The email about an update of a followed project, for a reader who chose Welsh."""
    here: TestNode = nodes.start("aldermoor", **server.settings)
    project = publish(here, TITLE)
    reader = follow_as_operator(here, project)
    choose(reader, updates=way, language="cy")
    written(here.visitor("officer"), project, changed=f"Now {TITLE}.")
    nodes.run_until_idle()
    mail_at(here, now() + after)
    (email,) = server.received
    return email


@ON_SQLITE
def test_email_is_welsh_for_reader_who_chose_it(nodes: Nodes) -> None:
    with mail_server() as server:
        email = receive_email(nodes, server, "once", timedelta(minutes=10))
    # The subject is too long for the first line of its header, so it is folded.
    subject = email["Subject"].removeprefix(" ")
    assert subject == f"Ysgrifennwyd diweddariad am y prosiect {TITLE} gan Aldermoor Council"
    assert '<html lang="cy"' in text_of(email, "html")
    assert markup.errors(text_of(email, "html")) == []
    assert "Atal yr e-byst hyn" in text_of(email)


@ON_SQLITE
@pytest.mark.parametrize("way", ["once", "daily", "weekly"])
def test_every_word_of_email_is_marked(
    way: str, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server() as server, monkeypatch.context() as patch:
        patch.setattr(MessageCatalogues, "translations_for", lambda *_: Bracketed())
        email = receive_email(nodes, server, way, WEEK)
    # The headings of an update are in the language of the update.
    text = text_of(email).replace("What changed", "")
    page = f"<p>{email['Subject']}</p><p>{text}</p>{text_of(email, 'html')}"
    assert not outside(page), "\n".join(outside(page))
