"""A council at a glance: what it leads, where it is, and how its node is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.councils.models import Council
from node.federating.models import Follow, Peer
from node.federating.viewer import Viewer
from node.portfolio import board, output_adoptions
from node.portfolio.scope import scope_of_council
from node.projects.models import Phase


@dataclass(frozen=True)
class CouncilSummary:
    """`heard_at` and `unreachable_since` are of the node of another council; none of ours.

    `outputs` is what its projects give, `adoptions` how often that is used.
    """

    phases: dict[Phase, int]
    outputs: int
    adoptions: int
    followers: int
    heard_at: datetime | None
    unreachable_since: datetime | None

    @property
    def total(self) -> int:
        return sum(self.phases.values())


def summarise_council(session: Session, council: Council, reader: Viewer) -> CouncilSummary:
    """What `reader` may see of a council."""
    scope = scope_of_council(reader, council.id)
    giving = [
        output
        for project in output_adoptions.list_with_outputs(session, scope)
        for output in project.outputs
    ]
    following = Follow.followed_id == council.actor_id, Follow.state == "accepted"
    peer = session.scalar(select(Peer).where(Peer.host == council.actor.host))
    return CouncilSummary(
        phases=board.count_by_phase(session, scope),
        outputs=len(giving),
        adoptions=sum(len(output.adopters) for output in giving),
        followers=session.scalar(select(func.count()).where(*following)) or 0,
        heard_at=peer.heard_at if peer else None,
        unreachable_since=peer.unreachable_since if peer else None,
    )
