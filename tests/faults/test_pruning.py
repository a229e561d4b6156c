"""What housekeeping deletes, and what it does not."""

import threading
from datetime import timedelta
from typing import Any

from sqlalchemy import event, insert, select, update
from sqlalchemy.exc import DBAPIError

from node.councils import service as councils
from node.database.tables import now
from node.federating.models import Actor, Delivery, DeliveryAttempt, Follow
from node.federating.retention import MAX_ATTEMPTS_KEPT
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes
from tests.faults.many_rows import deliveries, fill
from tests.jobs.pruning import prune

LONG_AGO = timedelta(days=90)


def test_an_actor_that_follows_while_it_is_pruned_is_not_forgotten(nodes: Nodes) -> None:
    """Either the Follow is kept, or it cannot be stored and its sender repeats it."""
    node = nodes.start("aldermoor", most_actors=1)
    peer = FakePeer.join(nodes, "brackwell.test", node)
    with node.work() as work:
        ours = councils.require_own(work.session).actor_id
        for number in range(3):
            uri = peer.uri(f"/actors/{number}")
            names = {"username": str(number), "name": uri, "inbox": f"{uri}/inbox"}
            work.session.add(Actor(uri=uri, kind="Person", host=peer.host, **names))
        work.session.flush()
        work.session.execute(update(Actor).values(fetched_at=now() - LONG_AGO))
    engine = node.node.engine
    stored: list[str] = []

    def follow() -> None:
        with engine.begin() as connection:
            theirs = select(Actor.id).where(Actor.host == peer.host)
            for follower in connection.execute(theirs).scalars().all():
                uri = peer.uri(f"/follows/{follower}")
                row = {"uri": uri, "follower_id": follower, "followed_id": ours}
                connection.execute(insert(Follow).values(state="accepted", created_at=now(), **row))
                stored.append(uri)

    def try_to_follow() -> None:
        try:
            follow()
        except DBAPIError:  # nobody heard that it was accepted
            stored.clear()

    following = threading.Thread(target=try_to_follow)

    def meanwhile(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("DELETE FROM actor ") and following.ident is None:
            following.start()
            following.join(1)

    event.listen(engine, "before_cursor_execute", meanwhile)
    prune(node)
    following.join()
    event.remove(engine, "before_cursor_execute", meanwhile)
    with node.reading() as session:
        assert set(stored) <= set(session.scalars(select(Follow.uri)))


def test_of_each_delivery_the_latest_attempts_are_kept(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    deliveries(node, 2)
    with node.reading() as session:
        ids = session.scalars(select(Delivery.id).order_by(Delivery.id)).all()
    for delivery_id, number in zip(ids, (25, 3), strict=True):
        fill(
            node,
            DeliveryAttempt,
            number,
            delivery_id=delivery_id,
            at=now(),
            answer="",
            milliseconds=1,
        )
    with node.reading() as session:
        attempts = select(DeliveryAttempt.id).order_by(DeliveryAttempt.id)
        before = session.scalars(attempts).all()
    prune(node)
    with node.reading() as session:
        assert session.scalars(attempts).all() == before[25 - MAX_ATTEMPTS_KEPT :]
