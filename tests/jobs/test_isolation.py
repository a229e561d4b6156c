"""In every job, an item that cannot be worked on ends itself and nothing else."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from node.federating.inbound import server_discovery
from node.federating.inbound.inbox_processor import FETCHING_JOB
from node.federating.models import InboxItem
from node.federating.outbound.clock import JOB as CLOCK
from node.queue.mixins import QueueMixin
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.jobs.items import CASES, is_worked, make, run
from tests.jobs.peers import Everybody
from tests.jobs.poison import unreadable
from tests.refusals.test_belief import article, followed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# It pulls in what is due too late.
WITHOUT_ITEMS = {CLOCK}
# Their rows say themselves what went wrong.
QUEUES = {row.JOB for row in QueueMixin.__subclasses__()} | {FETCHING_JOB}


@pytest.fixture(scope="module")
def one(lasting_nodes: Nodes) -> TestNode:
    lasting_nodes.apps = Everybody(lasting_nodes.apps)
    return lasting_nodes.start("aldermoor", plugins=("checklists",), federation="open")


def test_every_job_has_items_to_be_poisoned(one: TestNode) -> None:
    assert one.node.jobs.names == CASES.keys() | WITHOUT_ITEMS


@pytest.mark.parametrize("job", CASES)
def test_a_poisoned_item_ends_itself_and_nothing_else(one: TestNode, job: str) -> None:
    poisoned = make(one, job)
    with CASES[job].poison(one, poisoned):
        sound = make(one, job)
        run(one, job)
        assert is_worked(one, job, sound)
        if job not in QUEUES:
            page = one.visitor("operator").visit("/operator").text
            assert f"Job {job}, item " in page
            assert "PoisonError" in page
    run(one, job)
    assert is_worked(one, job, poisoned), "it was tried again"
    assert f"Job {job}, item " not in one.visitor("operator").visit("/operator").text


def test_a_failed_move_that_cannot_be_read_delays_no_server(one: TestNode) -> None:
    """Once a server was asked, all Moves that failed are looked at."""
    move_id = make(one, InboxItem.JOB)
    with one.work() as work:
        move = work.session.get_one(InboxItem, move_id)
        move.type, move.state = "Move", "failed"
    server = make(one, server_discovery.JOB)
    with unreadable(InboxItem, move_id):
        run(one, server_discovery.JOB)
        assert is_worked(one, server_discovery.JOB, server)
        page = one.visitor("operator").visit("/operator").text
        assert f"Job {server_discovery.JOB}, item message {move_id}" in page


def test_an_item_that_always_fails_is_given_up_and_shown(one: TestNode) -> None:
    poisoned = make(one, InboxItem.JOB)
    with CASES[InboxItem.JOB].poison(one, poisoned):
        for _ in range(InboxItem.RETRY.max_attempts - 1):
            run(one, InboxItem.JOB)
        assert state_of(one, poisoned) == InboxItem.WAITING_STATE
        run(one, InboxItem.JOB)
        assert state_of(one, poisoned) == "failed"
    page = one.visitor("operator").visit("/operator/received?state=failed").text
    assert "PoisonError" in page


def test_a_message_whose_object_is_never_served_is_given_up(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    sender = followed(node, FakePeer.join(nodes, "brackwell.test", node))
    elsewhere = FakePeer.join(nodes, "cragford.test", node)
    nodes.apps[elsewhere.host] = unavailable
    project = article(sender, "Bins") | {"id": elsewhere.uri("/projects/1")}
    assert sender.send(sender.build_activity("Create", project), node).status_code == 202
    with node.reading() as session:
        item_id = session.scalars(select(InboxItem.id)).one()
    for _ in range(InboxItem.RETRY.max_attempts - 1):
        run(node, FETCHING_JOB)
    assert state_of(node, item_id) == InboxItem.WAITING_STATE
    run(node, FETCHING_JOB)
    assert state_of(node, item_id) == "failed"


def unavailable(_environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    start_response("503 Service Unavailable", [])
    return [b""]


def state_of(one: TestNode, item_id: int) -> str:
    with one.reading() as session:
        return session.scalars(select(InboxItem.state).where(InboxItem.id == item_id)).one()
