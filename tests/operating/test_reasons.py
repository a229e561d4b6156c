"""Whatever may become of a project, an update, a comment or a plugin's document at a server has its
sentence and its next step, on one page and in one command.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from node import api
from node.db import now
from node.federating import peers
from node.federating.delivery import retry_host
from node.federating.models import Delivery
from node.federating.models import Peer as KnownServer
from node.hooks import open_plugin_work
from node.operating.delivery_reasons import outcome_at_host
from node.operating.explanations import explain, next_step
from node.operating.inspected_objects import find_object
from node.operating.inspection import inspect_object
from node.operating.missing_reasons import explain_missing
from node.plugin_documents.models import PluginDocument
from node.projects.models import Project
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from node.updates.models import Update
from tests.federation.converging import change, tell
from tests.federation.talking import note
from tests.federation.talking import say as says
from tests.federation.test_main_job import publish

RESULT = api.Document(
    "ChecklistResult",
    "The standard",
    {"checklist": "standard", "version": 1, "scope": "council", "finished": "2026-11-01"}
    | {"answers": {"q1": "yes"}},
)


def said(one: TestNode, uri: str, host: str) -> str:
    """The reason at a host; the page has its words and next step, and so has the JSON."""
    with one.reading() as session:
        told = outcome_at_host(
            session, one.node.settings, find_object(session, one.node.settings, uri), host
        )
        (known,) = inspect_object(session, one.node.settings, uri, host)["hosts"]
    assert (known["reason"], known["words"]) == (told.reason, explain(told))
    assert known["next"] == next_step(told)
    return told.reason


def again(nodes: Nodes, one: TestNode, **values: object) -> None:
    """What waits is due now."""
    with one.work() as work:
        work.session.execute(update(KnownServer).values(failures=0, try_after=None))
        waiting = update(Delivery).where(Delivery.state == Delivery.WAITING)
        work.session.execute(waiting.values(due_at=now(), **values))
        work.wake(Delivery.JOB)
    nodes.run_until_idle()


@pytest.fixture
def of_each_kind(nodes: Nodes) -> tuple[TestNode, FakePeer, dict[str, str]]:
    """A council, a follower that answers as told, and something of each kind that it is sent."""
    here = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", here)
    follower = peer.actor("brackwell")
    says(nodes, follower, here, "Follow", here.council_uri)
    peer.response_status = 403
    publish(here, "Bins")
    tell(here, "Bins", "Begun.")
    with here.work() as work, open_plugin_work(work, "checklists") as part:
        api.publish(part, RESULT)
    with here.reading() as session:
        project = session.scalars(select(Project.uri)).one()
        found = {
            "project": project,
            "update": session.scalars(select(Update.uri)).one(),
            "document": session.scalars(select(PluginDocument.uri)).one(),
        }
    other = FakePeer.join(nodes, "elsewhere.test", here).actor("carol")
    about = note(other, project)
    says(nodes, other, here, "Create", about)
    return here, peer, found | {"comment": about["id"]}


def test_each_kind_is_found_and_each_reason_has_its_words(
    nodes: Nodes, of_each_kind: tuple[TestNode, FakePeer, dict[str, str]]
) -> None:
    here, peer, uris = of_each_kind

    def reasons(host: str = "") -> set[str]:
        return {said(here, uri, host or peer.host) for uri in uris.values()}

    assert reasons("never.test") == {"not_allowed"}
    assert said(here, uris["comment"], "elsewhere.test") == "from_there"
    assert said(here, uris["project"], "elsewhere.test") == "nobody_follows"
    assert reasons() <= {"refusing", "behind", "waiting"}
    for _ in range(4):
        again(nodes, here)
        again(nodes, here)
    assert reasons() == {"refused"}
    page = here.visitor("operator").visit(
        f"/operator/inspect?id={uris['document']}&host=https://{peer.host.upper()}/about"
    )
    assert "Their server refused every attempt." in page.text
    assert "Ask the operator of that server to allow ours, then retry." in page.text

    def try_again(answers: int) -> None:
        peer.response_status = answers
        with here.work() as work:
            retry_host(work, peer.host)
        for _ in range(3):
            again(nodes, here)

    try_again(404)
    assert reasons() == {"no_address"}
    try_again(500)
    assert reasons() <= {"trying", "behind"}
    for _ in range(3):
        again(nodes, here, trying_since=now() - timedelta(days=8))
    assert reasons() == {"too_old"}
    try_again(500)
    with here.work() as work:
        peers.decide(work, peer.host, peers.BLOCKED)
    assert reasons() == {"blocked"}
    with here.work() as work:
        peers.decide(work, peer.host, peers.ALLOWED)
    assert reasons() == {"was_blocked"}
    try_again(202)
    assert reasons() == {"delivered"}


def test_what_is_for_fewer_now_was_taken_back_and_not_deleted(
    nodes: Nodes, of_each_kind: tuple[TestNode, FakePeer, dict[str, str]]
) -> None:
    here, peer, uris = of_each_kind
    peer.response_status = 202
    again(nodes, here)
    again(nodes, here)
    peer.response_status = 500
    change(here, "Bins", "Bins and bags")
    nodes.run_until_idle()
    with here.reading() as session:
        subject = find_object(session, here.node.settings, uris["project"])
        told = outcome_at_host(session, here.node.settings, subject, peer.host)
    assert told.reason == "trying"
    assert told.earlier_at is not None
    peer.response_status = 202
    change(here, "Bins and bags", "Bins", "private")
    nodes.run_until_idle()
    assert said(here, uris["project"], peer.host) == "taken_back"
    assert said(here, uris["update"], peer.host) == "taken_back"


def test_what_another_council_has_and_we_have_not(nodes: Nodes) -> None:
    here, there = nodes.pair()
    uri = f"{there.node.settings.base_url}{publish(there, 'Bins')}"

    def why(named: str = uri) -> str | None:
        with here.reading() as session:
            told = explain_missing(session, here.node.settings, named)
        return told.reason if told else None

    assert why() == "not_followed"
    assert why("https://never.test/1") == "here_not_allowed"
    assert why(f"{here.node.settings.base_url}/nothing") == "not_here"
    assert why("nothing") is None
    page = here.visitor("operator").visit(f"/operator/inspect?id={uri}")
    assert page.status_code == 404
    assert "Our council follows nobody there" in page.text
    assert "No copy here" in page.text
    here.follow(there)
    nodes.run_until_idle()
    assert why(f"{uri}x") == "not_told"
    page = here.visitor("operator").visit(f"/operator/inspect?id={uri}&host=a b")
    assert page.status_code == 400
    assert 'value="a b"' in page.text
