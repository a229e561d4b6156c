"""What the tests of deliveries have in common: hosts with moods, and days that pass."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select

from federation.signatures import Headers
from federation.vocabulary import create, delete, update
from node.councils import service as councils
from node.federating.identity import local_uris
from node.federating.models import Delivery, Peer
from node.federating.outbound import outbox
from node.testing.fake_peer import FakeActor
from node.testing.fake_peer import FakePeer as Host
from node.testing.nodes import Nodes, TestNode

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

KINDS = {"Create": create, "Update": update, "Delete": delete}


@dataclass
class Moody(Host):
    """A host that answers with these headers too, and 401 to a signature that it does not take.

    `takes` is a header that only the wanted scheme has.
    """

    headers: dict[str, str] = field(default_factory=dict)
    takes: str = "signature"

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        wanted = f"HTTP_{self.takes.upper().replace('-', '_')}"

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            status = status if wanted in environ else "401 Unauthorized"
            return start_response(status, [*headers, *self.headers.items()], *more)

        return super().__call__(environ, start)

    def kinds(self) -> list[str]:
        """The types of what it was sent, in order."""
        return [document["type"] for _, document in self.received]

    def signatures(self, kind: str = "Create") -> list[Headers]:
        return [headers for headers, document in self.received if document["type"] == kind]


def follower(nodes: Nodes, node: TestNode, host: str) -> tuple[Moody, FakeActor]:
    """A host, and an actor there that follows the node's council and heard so."""
    there = Moody.join(nodes, host, node)
    actor = there.actor()
    assert actor.send(actor.build_activity("Follow", node.council_uri), node).status_code == 202
    nodes.run_until_idle()
    there.received.clear()
    return there, actor


def say(
    node: TestNode,
    kind: str = "Create",
    about: str = "",
    audience: Literal["public", "peers"] = "public",
) -> str:
    """An activity of the council for those who follow it. Returns the id of what it is about."""
    with node.work() as work:
        council = councils.get_own(work.session)
        assert council is not None
        uri = local_uris.new_activity(work.settings)
        about = about or f"{uri}/object"
        said: Mapping[str, Any] = {"id": about, "type": "Article"}
        activity = KINDS[kind](uri, council.actor.uri, dict(said))
        outbox.publish(work, council.actor, activity, audience)
    return about


def pass_time(node: TestNode, time: timedelta) -> None:
    """All that was to happen later is so much nearer."""
    with node.work() as work:
        for row in work.session.scalars(select(Delivery)):
            row.due_at -= time
            row.trying_since -= time
        for peer in work.session.scalars(select(Peer)):
            peer.try_after = peer.try_after and peer.try_after - time
            peer.unreachable_since = peer.unreachable_since and peer.unreachable_since - time
            peer.failed_at = peer.failed_at and peer.failed_at - time


def send_due(nodes: Nodes, node: TestNode, after: timedelta = timedelta()) -> None:
    """What is due by then is tried."""
    pass_time(node, after)
    node.node.jobs.wake(Delivery.JOB)
    nodes.run_until_idle()


def states(node: TestNode, host: str) -> list[tuple[str, int]]:
    """Of each delivery to a host the state and how often it was tried; the oldest first."""
    with node.reading() as session:
        rows = session.scalars(select(Delivery).where(Delivery.host == host).order_by(Delivery.id))
        return [(row.state, row.attempts) for row in rows if row.activity.type != "Accept"]


def peer_row(node: TestNode, host: str) -> Peer:
    with node.reading() as session:
        return session.scalars(select(Peer).where(Peer.host == host)).one()
