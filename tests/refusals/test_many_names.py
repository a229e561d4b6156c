"""Strangers can claim any number of names; what is counted of them stays bounded and useful."""

from datetime import timedelta

from node.database.tables import now
from node.federating.models import RefusalCount
from node.federating.peers.refusals import MAX_ROWS
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes
from tests.refusals.test_refusals import counted, shown


def test_must_35_a_stranger_with_many_names_does_not_blind_the_operator(nodes: Nodes) -> None:
    """Of too many, those that came last are kept."""
    node = nodes.start("aldermoor")
    long_ago = now() - timedelta(days=1)
    with node.work() as work:
        work.session.add_all(
            RefusalCount(
                host=f"h{number}.test",
                reason="host_not_allowed",
                last_at=long_ago + timedelta(seconds=number),
            )
            for number in range(MAX_ROWS)
        )
    for host in ("h0.test", "late.test"):
        sender = FakePeer.join(nodes, host).actor()
        assert sender.send(sender.build_activity("Like", "x"), node).status_code == 403
    assert [row[0] for row in shown(node.visitor("operator"))[:2]] == ["late.test", "h0.test"]
    left = counted(node)
    assert len(left) == MAX_ROWS
    assert left["h0.test", "host_not_allowed"] == 2
    assert ("h1.test", "host_not_allowed") not in left, "heard of longest ago"
