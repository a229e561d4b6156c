"""The pages of moderators and of lists of servers, with something on them, in a real browser."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext
from sqlalchemy import select
from werkzeug.serving import BaseWSGIServer, make_server

from federation.vocabulary import ActorDocument
from node.councils import council_moves
from node.councils import service as councils
from node.federating.identity import actors
from node.federating.peers import peer_list_subscriptions, peer_suggestions
from node.federating.peers import service as peers
from node.federating.sync import actor_blocks
from node.moderation import service
from node.projects import service as projects
from node.projects.models import Project
from node.projects.validation import ProjectInput
from node.runtime import UnitOfWork
from node.testing.nodes import PASSWORD, Nodes, role_email
from tests.journeys.looking import examine

# What the database is has nothing to do with it.
pytestmark = pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)

LONG = "moothall-of-a-council-with-a-very-long-name.and-a-long-domain.example.gov.uk"
PAGES = [
    "/moderation",
    "/moderation?state=decided",
    "/moderation/reports/1",
    "/moderation/reports/2",
    "/moderation/comments",
    "/moderation/blocks",
    "/operator/lists",
    "/operator/peers",
    "/councils/aldermoor",
]


def remote(work: UnitOfWork, host: str, **more: object) -> ActorDocument:
    uri = f"https://{host}/users/somebody"
    told = {"preferred_username": "somebody", "name": "Somebody Else", **more}
    document = ActorDocument(id=uri, type="Organization", inbox=f"{uri}/inbox", **told)  # type: ignore[arg-type]
    actors.upsert(work.session, document)
    return document


def fill(work: UnitOfWork) -> None:
    """Something of everything."""
    own = councils.require_own(work.session)
    project = projects.create(work, own, ProjectInput("Bins", "Emptied.", "alpha", "## Why"))
    projects.publish(work, project)
    other = remote(work, LONG)
    service.create_visitor_report(work, project.uri, "It says something about a neighbour. " * 8)
    decided = service.create_visitor_report(work, project.uri, "Wrong")
    service.decide(work, decided, service.ReportDecision.dismiss)
    about = [other.id, "https://gone.example/1"]
    reporter = actors.by_uri(work.session, other.id)
    service.create_report(
        work, uri="https://a.example/1", host=LONG, object_uris=about, text="", reporter=reporter
    )
    actor_blocks.block(work, own.actor, remote(work, "loud.example"))
    peers.decide(work, LONG, peers.ALLOWED, "A friend of ours, for a long time")
    peer_suggestions.suggest(work, {f"new.{LONG}": "They work with us"}, LONG)
    peer_list_subscriptions.subscribe(work, f"https://{LONG}/peers.csv", may_allow=True)
    council_moves.move(work, remote(work, "new.example", also_known_as=(own.actor.uri,)))


@pytest.fixture
def server(nodes: Nodes) -> Iterator[BaseWSGIServer]:
    """A node that answers on loopback, over plain http."""
    node = nodes.start("aldermoor", base_url="http://localhost")
    with node.work() as work:
        fill(work)
    running = make_server("127.0.0.1", 0, node.app, threaded=True)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def test_moderators_and_operators_look_at_full_pages(
    browser: BrowserContext, server: BaseWSGIServer, nodes: Nodes
) -> None:
    page = browser.new_page()
    base = f"http://127.0.0.1:{server.port}"
    with nodes.started[0].reading() as session:
        uri = session.scalars(select(Project.uri)).one()
    page.goto(f"{base}/report?about={uri}")
    examine(page)
    page.goto(f"{base}/sign-in")
    page.get_by_label("Email address").fill(role_email("operator", "aldermoor"))
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()
    for path in PAGES:
        page.goto(f"{base}{path}")
        examine(page)
    page.goto(f"{base}/moderation/reports/1")
    page.get_by_role("button", name="Save decision").click()
    page.get_by_role("link", name="Select what you want to do").wait_for()
    examine(page)
