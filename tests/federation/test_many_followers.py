"""Many servers follow at the same moment: each is accepted, at once or when it comes again."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from node.federating import keystore
from node.federating.models import Follow
from node.testing.nodes import Nodes
from node.testing.peer import Peer, Signatory

SERVERS = 16
MOST_ROUNDS = 100


def test_must_37_every_new_follower_gets_its_accept(nodes: Nodes) -> None:
    """The whole of it, a thousand within a minute, is `./dev bench followers`."""
    node = nodes.start("aldermoor", federation="open", threads=2)
    senders = [Peer.join(nodes, f"council{number}.test").actor("one") for number in range(SERVERS)]
    follows = {one.uri: one.says("Follow", node.council_uri) for one in senders}
    later: list[int] = []

    def follow(sender: Signatory) -> Signatory | None:
        """Whoever is to send it again."""
        answer = sender.send(follows[sender.uri], node)
        if answer.status_code == 202:
            return None
        assert answer.status_code in {429, 503}, answer.text
        later.append(int(answer.headers["Retry-After"]))
        return sender

    waiting: list[Signatory] = senders
    with ThreadPoolExecutor(SERVERS) as pool:
        for _ in range(MOST_ROUNDS):
            waiting = [one for one in pool.map(follow, waiting) if one]
    assert waiting == []
    assert all(0 < seconds <= 60 for seconds in later)
    nodes.settle()
    for one in senders:
        assert [accept["object"]["actor"] for accept in one.peer.heard("Accept")] == [one.uri]
    with node.reading() as session:
        accepted = select(func.count()).where(Follow.state == "accepted")
        assert session.scalar(accepted) == SERVERS


def test_must_37_a_thousand_servers_a_minute_may_be_new() -> None:
    assert keystore.MOST_OF_ALL >= 1_000
