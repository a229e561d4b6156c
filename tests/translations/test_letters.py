"""An e-mail is in the language that its reader chose, and has no word that is not marked."""

from datetime import timedelta
from email.message import EmailMessage

import pytest

from node.db import now
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


def letter(nodes: Nodes, server: MailServer, way: str, after: timedelta) -> EmailMessage:
    """What somebody gets who chose e-mails in Welsh, of an update of what they follow."""
    here: TestNode = nodes.start("aldermoor", **server.settings)
    project = publish(here, TITLE)
    reader = follow_as_operator(here, project)
    choose(reader, updates=way, language="cy")
    written(here.visitor("officer"), project, changed=f"Now {TITLE}.")
    nodes.run_until_idle()
    mail_at(here, now() + after)
    (got,) = server.received
    return got


@ON_SQLITE
def test_a_letter_is_welsh_for_who_chose_it(nodes: Nodes) -> None:
    with mail_server() as server:
        got = letter(nodes, server, "once", timedelta(minutes=10))
    # The subject is too long for the first line of its header, so it is folded.
    subject = got["Subject"].removeprefix(" ")
    assert subject == f"Ysgrifennwyd diweddariad am y prosiect {TITLE} gan Aldermoor Council"
    assert '<html lang="cy"' in text_of(got, "html")
    assert markup.errors(text_of(got, "html")) == []
    assert "Atal yr e-byst hyn" in text_of(got)


@ON_SQLITE
@pytest.mark.parametrize("way", ["once", "daily", "weekly"])
def test_every_word_of_a_letter_is_marked(
    way: str, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server() as server, monkeypatch.context() as patch:
        patch.setattr(MessageCatalogues, "translations_for", lambda *_: Bracketed())
        got = letter(nodes, server, way, WEEK)
    # An update says its own headings, in its own language.
    text = text_of(got).replace("What changed", "")
    page = f"<p>{got['Subject']}</p><p>{text}</p>{text_of(got, 'html')}"
    assert not outside(page), "\n".join(outside(page))
