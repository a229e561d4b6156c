"""A notification says who did what; a word that is missing in one stops nobody."""

from node.app import node_of
from node.db import now
from node.news.service import tell
from node.notices import digests
from node.notices.writing import DigestWriter
from node.people import service as people
from node.search.news import FOUND
from node.testing.nodes import Nodes, email
from tests.federation.test_main_job import publish
from tests.notices.postman import mail_server
from tests.notices.test_digests import choose
from tests.notices.test_following import told


def test_a_missing_word_stops_neither_the_page_nor_the_emails(nodes: Nodes) -> None:
    with mail_server() as server:
        here = nodes.start("aldermoor", **server.settings)
        publish(here, "Bins in one step")
        nodes.settle()
        visitors = [here.visitor(role) for role in ("officer", "operator")]
        for visitor in visitors:
            choose(visitor, searches="once")
        with here.work() as work:
            for number, role in enumerate(("officer", "operator")):
                person = people.by_email(work.session, email(role, here.name))
                assert person is not None
                if number:
                    tell(work, FOUND, to=[person.id], search="Bins")
                else:
                    tell(work, FOUND, to=[person.id])
        nodes.settle()
        assert told(visitors[0]) == ["New in your search …: a project"]
        assert told(visitors[1]) == ["New in your search Bins: a project"]
        digests.work_off(node_of(here.app), DigestWriter(here.app, here.node), now())
        here.node.jobs.work_off()
        assert {message["To"] for message in server.received} == {
            email("officer", here.name),
            email("operator", here.name),
        }
