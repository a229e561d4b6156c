"""Key figures of one council: projects, outputs, followers, and the state of its server."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.access.viewer import Viewer
from node.councils.models import Council
from node.federating.models import Follow, Peer
from node.portfolio import board, output_adoptions
from node.portfolio.scope import council_scope
from node.projects.models import Phase


@dataclass(frozen=True)
class CouncilSummary:
    """Key figures of a council.

    `outputs` counts the outputs of its projects, `adoptions` how often councils use them.
    `heard_at` and `unreachable_since` describe another council's server; None for our own.
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


def summarise_council(session: Session, council: Council, viewer: Viewer) -> CouncilSummary:
    """The key figures of a council, counting only what `viewer` may see."""
    scope = council_scope(viewer, council.id)
    outputs = [
        output
        for project in output_adoptions.list_with_outputs(session, scope)
        for output in project.outputs
    ]
    is_follower = Follow.followed_id == council.actor_id, Follow.state == "accepted"
    peer = session.scalar(select(Peer).where(Peer.host == council.actor.host))
    return CouncilSummary(
        phases=board.count_by_phase(session, scope),
        outputs=len(outputs),
        adoptions=sum(len(output.adopters) for output in outputs),
        followers=session.scalar(select(func.count()).where(*is_follower)) or 0,
        heard_at=peer.heard_at if peer else None,
        unreachable_since=peer.unreachable_since if peer else None,
    )
