"""What a plugin adds to the pages of a whole node."""

import sys

import pytest
from sqlalchemy import select

from node.councils import service as councils
from node.notification_events.models import NotificationEvent
from node.people import service as people
from node.plugin_admin import failures
from node.plugin_api.info import DemoInfo
from node.projects import plugin_data
from node.testing.nodes import Nodes, TestNode, role_email

from .conftest import Install

CODE = """
from flask_babel import lazy_gettext as _l

RIPE = []

@hookimpl
def register_facets(): return [Facet("ripe", "Ripeness", {"yes": "Ripe", "no": "Green"})]

@hookimpl
def facet_values(projects): return {
    project.uri: {"ripe": ["yes" if project.title in RIPE else "no"], "else": ["yes"]}
    for project in projects
}

@hookimpl
def desk_steps(person): return [
    DeskStep(f"Pick apples, {person.name}", "Pick them", "/orchard/pick"),
    DeskStep("Elsewhere", "Go", "https://evil.example/"),
]

@hookimpl
def register_notifications(): return [NotificationType("orchard.fell", _l("%(apple)s fell"))]

@hookimpl
def demo(demo, work):
    notify(work, "orchard.fell", to=[demo.officer.id], apple=demo.projects[0].title)

@hookimpl
def register_settings(): return [Setting("rows", "Rows of trees", 3, "number", maximum=10)]

@hookimpl
def project_sections(project): 1 / 0
"""


@pytest.fixture
def here(install: Install, nodes: Nodes) -> TestNode:
    install("orchard", CODE)
    return nodes.start("aldermoor", plugins=("orchard",))


def test_register_facets_and_facet_values(here: TestNode) -> None:
    """Values are asked for when a project is indexed, and again when a plugin says so."""
    here.publish("Cox")
    token = here.publish("Bramley")
    module = sys.modules["plugin_orchard"]
    visitor = here.visitor()
    assert "Ripeness" in visitor.visit("/projects").text
    green = visitor.visit("/projects?facet=orchard.ripe:no").text
    assert ("Cox" in green, "Bramley" in green) == (True, True)
    module.RIPE.append("Bramley")
    with here.work() as work:
        project = next(one for one in plugin_data.list_own(work.session) if one.token == token)
        module.reindex(module.Work(work.session, "", None, "orchard", work), project.uri)
    here.node.jobs.run_pending()
    ripe = visitor.visit("/projects?facet=orchard.ripe:yes").text
    assert ("Cox" in ripe, "Bramley" in ripe) == (False, True)


def test_desk_steps(here: TestNode) -> None:
    """A step leads to a page of this node, whatever a plugin says."""
    officer = here.visitor("officer")
    desk = officer.visit("/desk").text
    assert "Pick apples, Ola Officer" in desk
    assert 'href="/orchard/pick"' in desk
    assert "evil.example" not in desk


def test_demo_and_register_notifications(here: TestNode) -> None:
    """What is told is a notice of the plugin's kind."""
    here.publish("Cox")
    with here.work() as work:
        officer = people.require_by_email(work.session, role_email("officer", here.name))
        found = tuple(plugin_data.list_own(work.session))
        view = DemoInfo(
            councils.to_council_info(councils.require_own(work.session)),
            people.to_plugin_view(officer),
            found,
        )
        here.node.hooks.call(work, "demo", demo=view)
    with here.reading() as session:
        told = session.scalars(
            select(NotificationEvent).where(NotificationEvent.kind == "orchard.fell")
        ).one()
        assert told.details == {"apple": "Cox"}
    here.node.jobs.run_pending()
    assert "Cox fell" in here.visitor("officer").visit("/notices").text


def test_the_operator_sees_what_it_adds_and_sets_it(here: TestNode) -> None:
    """What failed is kept, whichever page it was on; a page goes on without the plugin's part."""
    token = here.publish("Cox")
    assert here.visitor().visit(f"/projects/{token}").status_code == 200
    with here.reading() as session:
        (failure,) = failures.list_failures(session)
    assert (failure.hook, failure.count) == ("project_sections", 1)
    operator = here.visitor("operator")
    assert "ZeroDivisionError" in operator.visit("/operator/plugins").text
    page = operator.visit("/operator/plugins/orchard").text
    for word in ("Ripeness", "Rows of trees", "Switch off plugin"):
        assert word in page
    operator.visit("/operator/plugins/orchard/settings")
    assert operator.submit("settings", rows="11").status_code == 400
    assert "from 0 to 10" in operator.page.text
    assert operator.submit("settings", rows="7").status_code == 200
    operator.visit("/operator/plugins/orchard")
    assert "Off after a restart" in operator.submit("disable").text
    assert here.visitor("officer").visit("/operator/plugins").status_code == 403
