"""Who wants something looked at or sent now is not overruled by what is under way."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from node.federating.models import Actor, Comparison, Delivery
from node.federating.outbound import delivery
from node.federating.peers import comparison_schedule
from node.testing.nodes import Nodes
from tests.federation.delivering import Moody, follower, say
from tests.federation.test_main_job import follow

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass
class Meddling:
    """Something happens before, and after, this host answers the first request to `path`."""

    app: "WSGIApplication"
    path: str
    before: Callable[[], object]
    after: Callable[[], object] = bool
    asked: int = 0

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        self.asked += environ["REQUEST_URI"] == self.path
        if environ["REQUEST_URI"] != self.path or self.asked > 1:
            return self.app(environ, start_response)
        self.before()
        answer = self.app(environ, start_response)
        self.after()
        return answer


def test_a_council_that_is_suspected_while_it_is_compared_is_compared_again(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)

    def look_soon() -> None:
        with there.work() as work:
            for row in work.session.scalars(select(Comparison)).all():
                comparison_schedule.compare_soon(work, row.actor_id)

    with there.reading() as session:
        digest = session.scalars(select(Actor.digest).where(Actor.uri == here.council_uri)).one()
    assert digest is not None
    look_soon()
    meddling = Meddling(here.app, digest.removeprefix(f"https://{here.host}"), look_soon)
    nodes.apps[here.host] = meddling
    nodes.run_until_idle()
    assert meddling.asked == 2


def test_a_delivery_that_is_to_be_tried_now_is_though_an_attempt_fails(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    there, _ = follower(nodes, node, "brackwell.test")
    there.response_status = 503
    say(node)

    def retry() -> None:
        with node.work() as work:
            waiting = select(Delivery.id).where(Delivery.state == Delivery.WAITING_STATE)
            for number in work.session.scalars(waiting).all():
                delivery.retry(work, number)

    with node.reading() as session:
        inbox = session.scalars(select(Delivery.inbox).order_by(Delivery.id.desc())).first() or ""
    path = inbox.removeprefix("https://brackwell.test")
    nodes.apps["brackwell.test"] = Meddling(there, path, retry, lambda: take(there))
    nodes.run_until_idle()
    with node.reading() as session:
        assert set(session.scalars(select(Delivery.state))) == {"delivered"}


def take(there: Moody) -> None:
    there.response_status = 202
