"""On real sockets: hosts that are dead or slow hold up nobody else (must 28)."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from node.councils import service as councils
from node.database.tables import now
from node.federating.models import Actor, Delivery, DeliveryAttempt, Follow, Peer
from node.federating.outbound import delivery
from node.federating.peers import service as peers
from node.outbound import OutboundClient
from node.runtime import Node
from node.testing.nodes import Nodes, TestNode
from node.testing.processes import wait_until
from tests.federation.delivering import say
from tests.outbound.peers import Peers, response

ACTIVITIES = 12
DEAD = 8
# What a slow server takes, and how long is waited for a dead one, in seconds: longer than a test.
SLOW, TIMEOUT, MINUTE = 2.0, 600.0, 60.0
# So many deliveries a node sends at once, where there are more slow hosts than that.
SENDERS = 4
TAKEN = response(b"", status="202 Accepted")


@pytest.fixture
def serve() -> Iterator[Peers]:
    with closing(Peers()) as servers:
        yield servers


def slowly(connection: socket.socket) -> None:
    time.sleep(SLOW)
    connection.sendall(TAKEN)


def silent(connection: socket.socket) -> None:
    connection.recv(1)  # until its server is closed


def follow(node: TestNode, host: str) -> None:
    """An actor on that host, which speaks plain http, follows the node's council."""
    with node.work() as work:
        council = councils.get_own(work.session)
        assert council is not None
        peers.decide(work, host, peers.ALLOWED)
        actor = Actor(
            uri=f"http://{host}/actor",
            kind="Organization",
            host=host,
            username="council",
            name=host,
            inbox=f"http://{host}/inbox",
        )
        follow = Follow(uri=f"http://{host}/follow", state="accepted")
        follow.follower, follow.followed = actor, council.actor
        work.session.add_all([actor, follow])


def on_sockets(node: TestNode, hosts: list[str], timeout: float = TIMEOUT) -> Node:
    outbound = OutboundClient(
        user_agent="Moothall test",
        private_hosts=hosts,
        timeout=timeout,
        resolver=lambda _host: ["127.0.0.1"],
    )
    return replace(node.node, outbound=outbound)


def delivered(node: TestNode, host: str) -> int:
    with node.reading() as session:
        done = Delivery.host == host, Delivery.state == "delivered"
        return session.scalar(select(func.count()).where(*done)) or 0


def test_must_28_dead_and_slow_hosts_hold_up_nobody(nodes: Nodes, serve: Peers) -> None:
    node = nodes.start("aldermoor")
    ports = [serve(silent).port for _ in range(DEAD)]
    hosts = [f"dead{number}.test:{port}" for number, port in enumerate(ports)]
    slow = f"slow.test:{serve(slowly).port}"
    well = f"well.test:{serve(TAKEN).port}"
    for host in (*hosts, slow, well):
        follow(node, host)
    for _ in range(ACTIVITIES):
        say(node)
    sending = on_sockets(node, [*hosts, slow, well])
    with closing(sending.outbound), ThreadPoolExecutor(1) as worker:
        run = worker.submit(delivery.run_job, sending)
        wait_until(lambda: delivered(node, well) == ACTIVITIES, "all is at the healthy host")
        say(node)
        wait_until(lambda: delivered(node, well) == ACTIVITIES + 1, "and what came later too")
        assert not run.done(), "nobody's silence was waited for"
        node.node.jobs.stopping.set()
        serve.close()
    assert [delivered(node, host) for host in hosts] == [0] * DEAD


def test_must_28_more_slow_hosts_than_senders_leave_senders_for_the_others(
    nodes: Nodes, serve: Peers
) -> None:
    node = nodes.start("aldermoor", delivery_threads=SENDERS)
    is_over = threading.Event()

    def hold(connection: socket.socket) -> None:
        is_over.wait(MINUTE)
        connection.shutdown(socket.SHUT_RDWR)

    ports = [serve(hold).port for _ in range(2 * SENDERS + 1)]
    hosts = [f"dead{number}.test:{port}" for number, port in enumerate(ports)]
    well = f"well.test:{serve(TAKEN).port}"
    for host in (*hosts, well):
        follow(node, host)
    with node.work() as work:
        failed = update(Peer).where(Peer.host.in_(hosts))
        work.session.execute(failed.values(failures=1, failed_at=now()))
    for _ in range(ACTIVITIES):
        say(node)
    sending = on_sockets(node, [*hosts, well], MINUTE)
    with closing(sending.outbound), ThreadPoolExecutor(1) as worker:
        worker.submit(delivery.run_job, sending)
        try:
            wait_until(lambda: delivered(node, well) == ACTIVITIES, "all is at the healthy host")
            with node.reading() as session:
                tried = select(DeliveryAttempt.id).join(Delivery).where(Delivery.host.in_(hosts))
                assert session.scalars(tried).all() == [], "nobody's silence was waited for"
        finally:
            node.node.jobs.stopping.set()
            is_over.set()
