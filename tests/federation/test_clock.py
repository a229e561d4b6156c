"""A clock that is set back, or that differs from those of other servers."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import select

from node.database.tables import now
from node.federating.models import ClockReading, Delivery, Peer
from node.federating.outbound import clock
from node.queue.mixins import QueueMixin
from node.testing.nodes import Nodes, TestNode
from tests.federation.converging import change, held, publish
from tests.federation.delivering import follower, peer_row, say, send_due, states
from tests.federation.test_main_job import follow

AHEAD = timedelta(hours=3)
HOSTS = ("brackwell.test", "cragford.test")


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


def test_what_was_put_off_by_a_clock_that_was_ahead_is_due_once_it_is_set_back(
    nodes: Nodes, node: TestNode
) -> None:
    there, _ = follower(nodes, node, HOSTS[0])
    clock.run_job(node.node)
    say(node)
    with node.work() as work:
        (noted,) = work.session.scalars(select(ClockReading))
        noted.seen_at += AHEAD
        for delivery in work.session.scalars(select(Delivery).where(Delivery.state == "pending")):
            delivery.due_at += AHEAD
            delivery.trying_since += AHEAD
            delivery.leased_until = now() + AHEAD
        (peer,) = work.session.scalars(select(Peer))
        peer.try_after = peer.unreachable_since = now() + AHEAD
    send_due(nodes, node)
    assert states(node, there.host) == [("pending", 0)]
    clock.run_job(node.node)
    nodes.run_until_idle()
    assert states(node, there.host) == [("delivered", 1)]
    with node.reading() as session:
        for row in QueueMixin.__subclasses__():
            waits = row.state == row.WAITING_STATE, row.due_at > now() + timedelta(minutes=1)
            left = session.scalars(select(row).where(*waits)).all()
            assert [each for each in left if each.JOB not in {"compare"}] == []


def test_a_clock_that_was_ahead_between_two_runs_of_the_job_delays_nothing(
    nodes: Nodes, node: TestNode
) -> None:
    """The times of deliveries show it."""
    there, _ = follower(nodes, node, HOSTS[0])
    clock.run_job(node.node)
    say(node)
    with node.work() as work:
        for delivery in work.session.scalars(select(Delivery).where(Delivery.state == "pending")):
            delivery.due_at += AHEAD
        work.session.scalars(select(Peer)).one().failed_at = now() + AHEAD
    clock.run_job(node.node)
    nodes.run_until_idle()
    assert states(node, there.host) == [("delivered", 1)]
    with node.reading() as session:
        failed_at = session.scalars(select(Peer.failed_at)).one()
        assert failed_at is not None
        assert failed_at <= now()


def test_a_delivery_that_ends_after_the_clock_was_set_back_is_not_delayed(
    nodes: Nodes, node: TestNode
) -> None:
    """It was in progress meanwhile, and recorded a time in the future."""
    there, _ = follower(nodes, node, HOSTS[0])
    clock.run_job(node.node)
    with node.work() as work:
        (noted,) = work.session.scalars(select(ClockReading))
        noted.seen_at += AHEAD
    clock.run_job(node.node)
    say(node)
    with node.work() as work:
        for delivery in work.session.scalars(select(Delivery).where(Delivery.state == "pending")):
            delivery.due_at += AHEAD
    send_due(nodes, node)
    assert states(node, there.host) == [("pending", 0)]
    clock.run_job(node.node)
    nodes.run_until_idle()
    assert states(node, there.host) == [("delivered", 1)]


def test_a_refusal_for_the_time_alone_is_not_final_and_the_operator_hears_of_it(
    nodes: Nodes, node: TestNode
) -> None:
    hosts = [follower(nodes, node, host)[0] for host in HOSTS]
    operator = node.visitor("operator")
    assert "The clock on this server is" not in operator.visit("/operator").text
    say(node)
    for there in hosts:
        there.response_status, there.headers = (
            401,
            {"Date": format_datetime(now() + AHEAD, usegmt=True)},
        )
    for _ in range(5):
        send_due(nodes, node, timedelta(hours=2))
    assert [states(node, host) for host in HOSTS] == [[("pending", 5)]] * 2
    page = operator.visit("/operator").text
    assert "The clock on this server is 180 minutes behind the clocks on 2 other servers." in page
    for there in hosts:
        there.response_status, there.headers = 202, {"Date": format_datetime(now(), usegmt=True)}
    send_due(nodes, node, timedelta(hours=2))
    assert [states(node, host) for host in HOSTS] == [[("delivered", 6)]] * 2
    assert peer_row(node, HOSTS[0]).clock_difference in range(-60, 61)
    assert "The clock on this server is" not in operator.visit("/operator").text


def test_what_was_changed_after_the_clock_was_set_back_is_newer_than_what_was_written_before(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both arrive together, so that the first seems to be changed only when it arrives."""
    here, there = nodes.pair()
    follow(nodes, there, here)
    with monkeypatch.context() as moved:
        moved.setattr("node.projects.service.now", lambda: now() + AHEAD)
        publish(here, "Bins")
    change(here, "Bins", "Bins and bags")
    nodes.run_until_idle()
    assert [title for _revision, title in held(there, here).values()] == ["Bins and bags"]
