"""Every outcome of a project, an update, a comment or a plugin's document at a server has its
explanation and its next step, on the page and in the command.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from node import api
from node.database.tables import now
from node.federating.models import Delivery
from node.federating.models import Peer as KnownServer
from node.federating.outbound.delivery import retry_host
from node.federating.peers import service as peers
from node.operating.delivery_reasons import outcome_at_host
from node.operating.explanations import explain, next_step
from node.operating.inspected_objects import find_object
from node.operating.inspection import inspect_object
from node.operating.missing_reasons import explain_missing
from node.plugin_api.hooks import open_plugin_work
from node.plugin_documents.models import PluginDocument
from node.projects.models import Project
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from node.updates.models import Update
from tests.federation.converging import change, tell
from tests.federation.talking import note, say
from tests.federation.test_main_job import publish

RESULT = api.Document(
    "ChecklistResult",
    "The standard",
    {"checklist": "standard", "version": 1, "scope": "council", "finished": "2026-11-01"}
    | {"answers": {"q1": "yes"}},
)


def checked_reason(one: TestNode, uri: str, host: str) -> str:
    """The reason at a host, after checking the explanation and next step that the JSON gives."""
    with one.reading() as session:
        outcome = outcome_at_host(
            session, one.node.settings, find_object(session, one.node.settings, uri), host
        )
        (facts,) = inspect_object(session, one.node.settings, uri, host)["hosts"]
    assert (facts["reason"], facts["words"]) == (outcome.reason, explain(outcome))
    assert facts["next"] == next_step(outcome)
    return outcome.reason


def run_pending_deliveries(nodes: Nodes, one: TestNode, **values: object) -> None:
    """Make all pending deliveries due, and run them."""
    with one.work() as work:
        work.session.execute(update(KnownServer).values(failures=0, try_after=None))
        waiting = update(Delivery).where(Delivery.state == Delivery.WAITING_STATE)
        work.session.execute(waiting.values(due_at=now(), **values))
        work.wake(Delivery.JOB)
    nodes.run_until_idle()


@pytest.fixture
def objects_of_each_kind(nodes: Nodes) -> tuple[TestNode, FakePeer, dict[str, str]]:
    """A council, a follower, and the URI of an object of each kind that is sent to it."""
    here = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", here)
    follower = peer.actor("brackwell")
    say(nodes, follower, here, "Follow", here.council_uri)
    peer.response_status = 403
    publish(here, "Bins")
    tell(here, "Bins", "Begun.")
    with here.work() as work, open_plugin_work(work, "checklists") as part:
        api.publish(part, RESULT)
    with here.reading() as session:
        project = session.scalars(select(Project.uri)).one()
        uris = {
            "project": project,
            "update": session.scalars(select(Update.uri)).one(),
            "document": session.scalars(select(PluginDocument.uri)).one(),
        }
    other = FakePeer.join(nodes, "elsewhere.test", here).actor("carol")
    about = note(other, project)
    say(nodes, other, here, "Create", about)
    return here, peer, uris | {"comment": about["id"]}


def test_each_kind_of_object_has_an_explanation_for_each_reason(
    nodes: Nodes, objects_of_each_kind: tuple[TestNode, FakePeer, dict[str, str]]
) -> None:
    here, peer, uris = objects_of_each_kind

    def reasons(host: str = "") -> set[str]:
        return {checked_reason(here, uri, host or peer.host) for uri in uris.values()}

    assert reasons("never.test") == {"not_allowed"}
    assert checked_reason(here, uris["comment"], "elsewhere.test") == "from_there"
    assert checked_reason(here, uris["project"], "elsewhere.test") == "nobody_follows"
    assert reasons() <= {"refusing", "behind", "waiting"}
    for _ in range(4):
        run_pending_deliveries(nodes, here)
        run_pending_deliveries(nodes, here)
    assert reasons() == {"refused"}
    page = here.visitor("operator").visit(
        f"/operator/inspect?id={uris['document']}&host=https://{peer.host.upper()}/about"
    )
    assert "Their server refused every attempt." in page.text
    assert (
        "Ask the operator of that server to allow your server, then retry the delivery."
    ) in page.text

    def retry_all(status: int) -> None:
        peer.response_status = status
        with here.work() as work:
            retry_host(work, peer.host)
        for _ in range(3):
            run_pending_deliveries(nodes, here)

    retry_all(404)
    assert reasons() == {"no_address"}
    retry_all(500)
    assert reasons() <= {"trying", "behind"}
    for _ in range(3):
        run_pending_deliveries(nodes, here, trying_since=now() - timedelta(days=8))
    assert reasons() == {"too_old"}
    retry_all(500)
    with here.work() as work:
        peers.decide(work, peer.host, peers.BLOCKED)
    assert reasons() == {"blocked"}
    with here.work() as work:
        peers.decide(work, peer.host, peers.ALLOWED)
    assert reasons() == {"was_blocked"}
    retry_all(202)
    assert reasons() == {"delivered"}


def test_an_object_with_a_narrower_audience_was_taken_back(
    nodes: Nodes, objects_of_each_kind: tuple[TestNode, FakePeer, dict[str, str]]
) -> None:
    here, peer, uris = objects_of_each_kind
    peer.response_status = 202
    run_pending_deliveries(nodes, here)
    run_pending_deliveries(nodes, here)
    peer.response_status = 500
    change(here, "Bins", "Bins and bags")
    nodes.run_until_idle()
    with here.reading() as session:
        subject = find_object(session, here.node.settings, uris["project"])
        outcome = outcome_at_host(session, here.node.settings, subject, peer.host)
    assert outcome.reason == "trying"
    assert outcome.earlier_at is not None
    peer.response_status = 202
    change(here, "Bins and bags", "Bins", "private")
    nodes.run_until_idle()
    assert checked_reason(here, uris["project"], peer.host) == "taken_back"
    assert checked_reason(here, uris["update"], peer.host) == "taken_back"


def test_the_reason_why_we_lack_another_councils_object(nodes: Nodes) -> None:
    here, there = nodes.pair()
    uri = f"{there.node.settings.base_url}{publish(there, 'Bins')}"

    def missing_reason(missing_uri: str = uri) -> str | None:
        with here.reading() as session:
            outcome = explain_missing(session, here.node.settings, missing_uri)
        return outcome.reason if outcome else None

    assert missing_reason() == "not_followed"
    assert missing_reason("https://never.test/1") == "here_not_allowed"
    assert missing_reason(f"{here.node.settings.base_url}/nothing") == "not_here"
    assert missing_reason("nothing") is None
    page = here.visitor("operator").visit(f"/operator/inspect?id={uri}")
    assert page.status_code == 404
    assert "Your council does not follow anyone on that server" in page.text
    assert "No copy on this server" in page.text
    here.follow(there)
    nodes.run_until_idle()
    assert missing_reason(f"{uri}x") == "not_told"
    page = here.visitor("operator").visit(f"/operator/inspect?id={uri}&host=a b")
    assert page.status_code == 400
    assert 'value="a b"' in page.text
