"""What our council can show for its work: what it leads, gives and reuses, and what others say."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.councils.models import Council
from node.federating.models import Actor, Reaction
from node.federating.viewer import Viewer
from node.portfolio import board, output_adoptions, statistics
from node.portfolio.output_adoptions import AdoptedOutput
from node.portfolio.scope import PortfolioScope, scope_of_council
from node.portfolio.statistics import FollowerCounts
from node.projects.models import Phase, Project

# A pack is to be read at one sitting.
MAX_PROJECTS, MAX_ADOPTIONS, MAX_NAMES = 30, 30, 50
ORGANISATION = "Organization"


@dataclass(frozen=True)
class ReactionSummary:
    """Who likes or passes on our projects: councils by name, and everybody else by number."""

    councils: list[str]
    others: int


@dataclass(frozen=True)
class EvidencePack:
    """The evidence. `given` is what others use of ours, `reused` what we use of theirs."""

    council: Council
    phases: dict[Phase, int]
    leads: list[Project]
    outputs: int
    given: list[AdoptedOutput]
    reused: list[AdoptedOutput]
    followers: FollowerCounts
    praise: ReactionSummary

    @property
    def total(self) -> int:
        return sum(self.phases.values())

    @property
    def adopter_count(self) -> int:
        """How many councils use what ours gave."""
        return len({each.adopter.uri or each.adopter.name.casefold() for each in self.given})


def build_pack(session: Session, council: Council, reader: Viewer) -> EvidencePack:
    """The evidence as far as `reader` may see it."""
    ours = scope_of_council(reader, council.id)
    giving = output_adoptions.list_with_outputs(session, ours)
    return EvidencePack(
        council=council,
        phases=board.count_by_phase(session, ours),
        leads=_leads(session, ours),
        outputs=sum(len(project.details.outputs) for project in giving),
        given=output_adoptions.list_adoptions(session, ours),
        reused=output_adoptions.list_adoptions(
            session, PortfolioScope(reader), by=council.actor.uri
        ),
        followers=statistics.count_followers(session, council, MAX_NAMES),
        praise=_summarise_reactions(session, ours),
    )


def _leads(session: Session, ours: PortfolioScope) -> list[Project]:
    """Those that changed last; what is retired is not led any more."""
    query = select(Project).where(ours.condition(session), Project.phase != Phase.retired)
    newest = query.order_by(Project.changed_at.desc(), Project.id).limit(MAX_PROJECTS)
    found: Sequence[Project] = session.scalars(newest).all()
    order = list(Phase)
    return sorted(found, key=lambda project: (-order.index(project.phase), project.title))


def _summarise_reactions(session: Session, ours: PortfolioScope) -> ReactionSummary:
    """Each actor counts once, however many projects it likes."""
    praised = select(Project.uri).where(ours.condition(session))
    who = (
        select(Reaction.actor_id)
        .join(Actor, Actor.id == Reaction.actor_id)
        .where(Reaction.object_uri.in_(praised), ~Actor.is_blocked, ~Actor.is_local)
    )
    named = (
        select(Actor.name)
        .where(Actor.id.in_(who), Actor.kind == ORGANISATION)
        .order_by(func.lower(Actor.name), Actor.id)
    )
    others = select(func.count()).where(Actor.id.in_(who), Actor.kind != ORGANISATION)
    return ReactionSummary(
        list(session.scalars(named.limit(MAX_NAMES))), session.scalar(others) or 0
    )
