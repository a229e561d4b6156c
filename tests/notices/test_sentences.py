"""A notification whose details are incomplete is still shown and emailed."""

from node.app import get_node
from node.database.tables import now
from node.notification_events.service import record_event
from node.notifications import email_digests
from node.notifications.digest_renderer import TemplateDigestRenderer
from node.people import service as people
from node.search.notifications import NEW_MATCH
from node.testing.nodes import Nodes, role_email
from tests.federation.test_main_job import publish
from tests.notices.postman import mail_server
from tests.notices.test_digests import choose
from tests.notices.test_following import list_notifications


def test_a_missing_detail_stops_neither_the_page_nor_the_emails(nodes: Nodes) -> None:
    with mail_server() as server:
        here = nodes.start("aldermoor", **server.settings)
        publish(here, "Bins in one step")
        nodes.run_until_idle()
        visitors = [here.visitor(role) for role in ("officer", "operator")]
        for visitor in visitors:
            choose(visitor, searches="once")
        with here.work() as work:
            for number, role in enumerate(("officer", "operator")):
                person = people.by_email(work.session, role_email(role, here.name))
                assert person is not None
                if number:
                    record_event(work, NEW_MATCH, to=[person.id], search="Bins")
                else:
                    record_event(work, NEW_MATCH, to=[person.id])
        nodes.run_until_idle()
        assert list_notifications(visitors[0]) == ["New in your search …: a project"]
        assert list_notifications(visitors[1]) == ["New in your search Bins: a project"]
        email_digests.run_job(get_node(here.app), TemplateDigestRenderer(here.node), now())
        here.node.jobs.run_pending()
        assert {message["To"] for message in server.received} == {
            role_email("officer", here.name),
            role_email("operator", here.name),
        }
