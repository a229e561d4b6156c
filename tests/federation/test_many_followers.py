"""Many servers follow at the same moment: each is accepted, at once or when it comes again."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from node.federating.inbound import keystore
from node.federating.models import Follow
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes

SERVERS = 16
MOST_ROUNDS = 100


def test_must_37_every_new_follower_gets_its_accept(nodes: Nodes) -> None:
    """The whole of it, a thousand within a minute, is `./dev bench followers`."""
    node = nodes.start("aldermoor", federation="open", threads=2)
    senders = [
        FakePeer.join(nodes, f"council{number}.test").actor("one") for number in range(SERVERS)
    ]
    follows = {one.uri: one.build_activity("Follow", node.council_uri) for one in senders}
    later: list[int] = []

    def follow(sender: FakeActor) -> FakeActor | None:
        """Whoever is to send it again."""
        answer = sender.send(follows[sender.uri], node)
        if answer.status_code == 202:
            return None
        assert answer.status_code in {429, 503}, answer.text
        later.append(int(answer.headers["Retry-After"]))
        return sender

    waiting: list[FakeActor] = senders
    with ThreadPoolExecutor(SERVERS) as pool:
        for _ in range(MOST_ROUNDS):
            waiting = [one for one in pool.map(follow, waiting) if one]
    assert waiting == []
    assert all(0 < seconds <= 60 for seconds in later)
    nodes.run_until_idle()
    for one in senders:
        assert [accept["object"]["actor"] for accept in one.peer.received_of_type("Accept")] == [
            one.uri
        ]
    with node.reading() as session:
        accepted = select(func.count()).where(Follow.state == "accepted")
        assert session.scalar(accepted) == SERVERS


def test_must_37_a_thousand_servers_a_minute_may_be_new() -> None:
    assert keystore.MAX_FETCHES >= 1_000
