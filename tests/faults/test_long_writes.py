"""Writes that touch many rows are done in short transactions, and others write in between."""

import pytest
from sqlalchemy import func, insert, literal, select, update

from node.database.tables import now
from node.federating.models import (
    Actor,
    ClockReading,
    Delivery,
    DeliveryAttempt,
    Disclosure,
    Follow,
    Peer,
    RemoteTombstone,
)
from node.federating.outbound import clock
from node.notification_events.models import NotificationEvent
from node.notifications.models import Notification
from node.people.models import User
from node.queue.error_isolation import JobFailure
from node.testing.nodes import Nodes, TestNode
from tests.faults.many_rows import (
    DAY,
    FEW,
    HOST,
    MANY,
    check,
    deliveries,
    fill,
    finish,
    followers_of,
    is_finished,
    recorded,
    remote_actors,
    uri,
)
from tests.jobs.pruning import prune

TIME = Notification.at.type


def states(node: TestNode) -> dict[str, int]:
    with node.reading() as session:
        query = select(Delivery.state, func.count().label("many"))
        return {row.state: row.many for row in session.execute(query.group_by(Delivery.state))}


def press(node: TestNode, then: str) -> None:
    """What an operator does on the page of deliveries."""
    operator = node.visitor("operator")
    operator.visit(f"/operator/deliveries?host={HOST}")
    assert operator.submit("/deliveries/all", then=then).status_code == 200


@pytest.fixture
def node(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


def test_giving_a_host_up_and_trying_it_again(node: TestNode) -> None:
    deliveries(node)
    with recorded(node) as found:
        press(node, "give-up")
        finish(node)
    check(found, MANY)
    assert states(node) == {"failed": MANY}
    with node.reading() as session:
        assert session.scalar(select(func.count(DeliveryAttempt.id))) == MANY
    with recorded(node) as found:
        press(node, "retry")
        finish(node)
    check(found, MANY)
    assert states(node) == {"pending": MANY}
    assert is_finished(node)


def test_another_process_goes_on_where_one_ended(node: TestNode) -> None:
    """What changed meanwhile stays as it is, and what is new is not given up."""
    deliveries(node)

    def end() -> None:
        if len(found.sizes) == 5:
            node.node.jobs.stopping.set()

    with recorded(node) as found:
        press(node, "give-up")
        found.on_commit = end
        finish(node)
    given_up = states(node)["failed"]
    assert 0 < given_up < MANY
    with node.work() as work:
        last = work.session.scalars(select(Delivery).order_by(Delivery.id.desc()).limit(1)).one()
        last.state, last.finished_at = "delivered", now()
        new = {"inbox": f"https://{HOST}/new", "host": HOST, "object_uri": "x:2"}
        work.session.add(Delivery(activity_id=last.activity_id, **new))
    node.node.jobs.stopping.clear()
    finish(node)
    assert states(node) == {"failed": MANY - 1, "delivered": 1, "pending": 1}
    assert is_finished(node)


def test_who_wants_a_host_tried_again_has_the_last_word(node: TestNode) -> None:
    deliveries(node)
    press(node, "give-up")
    press(node, "retry")
    finish(node)
    assert states(node) == {"pending": MANY}


def test_what_was_put_off_for_a_host_is_sent(node: TestNode) -> None:
    deliveries(node)
    with node.reading() as session:
        last = session.scalar(select(func.max(Delivery.id)))
    operator = node.visitor("operator")
    operator.visit(f"/operator/deliveries?host={HOST}")
    with recorded(node) as found:
        assert operator.submit(f"/deliveries/{last}/retry").status_code == 200
        finish(node)
    check(found, MANY)
    with node.reading() as session:
        late = select(func.count(Delivery.id)).where(Delivery.due_at > now())
        assert session.scalar(late) == 0
    assert is_finished(node)


def test_times_are_pulled_in_after_the_clock_was_set_back(node: TestNode) -> None:
    clock.run_job(node.node)
    moment = now()
    deliveries(node, FEW, due_at=moment + DAY, trying_since=moment + DAY, leased_until=moment + DAY)
    fill(node, Peer, FEW, host=lambda number: literal("p").concat(number), try_after=moment + DAY)
    with node.work() as work:
        work.session.execute(update(ClockReading).values(seen_at=moment + DAY))
    with recorded(node) as found:
        clock.run_job(node.node)
        finish(node)
    check(found, 3 * FEW)
    with node.reading() as session:
        ahead = (
            Delivery.due_at > now(),
            Delivery.trying_since > now(),
            Delivery.leased_until > now(),
        )
        for each in ahead:
            assert session.scalar(select(func.count(Delivery.id)).where(each)) == 0
        assert session.scalar(select(func.count(Peer.id)).where(Peer.try_after > now())) == 0


def test_blocking_a_server_with_many_actors_and_deliveries(node: TestNode) -> None:
    """Nothing is shown of it in the end, nobody there follows, and nothing waits for it."""
    deliveries(node, FEW)
    remote_actors(node)
    with node.reading() as session:
        ours = session.scalars(select(Actor.id).where(Actor.uri == node.council_uri)).one()
    followers_of(node, ours)
    operator = node.visitor("operator")
    operator.visit("/operator/peers")
    with recorded(node) as found:
        assert operator.submit("/operator/peers", host=HOST, state="blocked").status_code == 200
        finish(node)
    check(found, 3 * FEW)
    assert states(node) == {"failed": FEW}
    with node.reading() as session:
        shown = select(func.count(Actor.id)).where(Actor.host == HOST, ~Actor.is_blocked)
        assert session.scalar(shown) == 0
        assert session.scalar(select(func.count(Follow.id))) == 0
    operator.visit("/operator/peers")
    with recorded(node) as found:
        assert operator.submit("/operator/peers/undecide").status_code == 200
        finish(node)
    check(found, FEW)
    with node.reading() as session:
        assert session.scalar(select(func.count(Actor.id)).where(Actor.is_blocked)) == 0


def test_housekeeping_deletes_in_portions(node: TestNode) -> None:
    long_ago = now() - 400 * DAY
    with node.reading() as session:
        council = session.scalar(select(Actor.id).where(Actor.uri == node.council_uri))
    fill(node, RemoteTombstone, FEW, uri=uri("gone"), actor_id=council, at=long_ago)
    times = {"first_at": long_ago, "last_at": long_ago, "deleted_at": long_ago}
    fill(node, Disclosure, FEW, object_uri=uri("objects"), host=HOST, type="Create", **times)
    times = {"first_at": long_ago, "last_at": long_ago, "due_at": long_ago}
    item = lambda number: literal("item ").concat(number)  # noqa: E731
    fill(node, JobFailure, FEW, job="search", item=item, attempts=1, error="x", **times)
    with node.reading() as session:
        user = session.scalar(select(User.id).limit(1))
    happened = {"kind": "x", "state": "told", "to": [], "roles": [], "details": {}}
    fill(node, NotificationEvent, FEW, path="", at=long_ago, **happened)
    with node.work() as work:
        told = select(literal(user), NotificationEvent.id, literal("own"), literal(long_ago, TIME))
        columns = ["user_id", "happening_id", "topic", "at"]
        work.session.execute(insert(Notification).from_select(columns, told))
    with recorded(node) as found:
        prune(node)
    check(found, 5 * FEW)
    with node.reading() as session:
        for model in (RemoteTombstone, Disclosure, JobFailure, Notification, NotificationEvent):
            assert session.scalar(select(func.count()).select_from(model)) == 0
