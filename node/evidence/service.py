"""Builds the evidence pack: what our council leads, shares and reuses, and reactions to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.access.viewer import Viewer
from node.councils.models import Council
from node.federating.models import Actor, Reaction
from node.portfolio import board, output_adoptions, statistics
from node.portfolio.output_adoptions import AdoptedOutput
from node.portfolio.scope import PortfolioScope, council_scope
from node.portfolio.statistics import FollowerCounts
from node.projects.models import Phase, Project

# Limits of a pack, so that it stays readable.
MAX_PROJECTS, MAX_ADOPTIONS, MAX_COUNCIL_NAMES = 30, 30, 50
ORGANISATION = "Organization"


@dataclass(frozen=True)
class ReactionSummary:
    """Who likes or shares our projects: councils by name, and a count of all others."""

    councils: list[str]
    others: int


@dataclass(frozen=True)
class EvidencePack:
    """The evidence. `adopted_outputs` are our outputs that others use, `reused_outputs` theirs that
    we use.
    """

    council: Council
    phases: dict[Phase, int]
    led_projects: list[Project]
    outputs: int
    adopted_outputs: list[AdoptedOutput]
    reused_outputs: list[AdoptedOutput]
    followers: FollowerCounts
    reactions: ReactionSummary

    @property
    def total(self) -> int:
        return sum(self.phases.values())

    @property
    def adopter_count(self) -> int:
        """The number of councils that use our outputs."""
        adopters = (adoption.adopter for adoption in self.adopted_outputs)
        return len({adopter.uri or adopter.name.casefold() for adopter in adopters})


def build_pack(session: Session, council: Council, viewer: Viewer) -> EvidencePack:
    """Build the evidence pack of `council` from what `viewer` may see."""
    scope = council_scope(viewer, council.id)
    projects = output_adoptions.list_with_outputs(session, scope)
    return EvidencePack(
        council=council,
        phases=board.count_by_phase(session, scope),
        led_projects=_list_led_projects(session, scope),
        outputs=sum(len(project.details.outputs) for project in projects),
        adopted_outputs=output_adoptions.list_adoptions(session, scope),
        reused_outputs=output_adoptions.list_adoptions(
            session, PortfolioScope(viewer), by=council.actor.uri
        ),
        followers=statistics.count_followers(session, council, MAX_COUNCIL_NAMES),
        reactions=_summarise_reactions(session, scope),
    )


def _list_led_projects(session: Session, scope: PortfolioScope) -> list[Project]:
    """The projects that the council leads and that changed last, without retired ones."""
    query = select(Project).where(scope.condition(session), Project.phase != Phase.retired)
    newest = query.order_by(Project.changed_at.desc(), Project.id).limit(MAX_PROJECTS)
    projects: Sequence[Project] = session.scalars(newest).all()
    order = list(Phase)
    return sorted(projects, key=lambda project: (-order.index(project.phase), project.title))


def _summarise_reactions(session: Session, scope: PortfolioScope) -> ReactionSummary:
    """Who reacted to the projects in `scope`; each actor counts once."""
    project_uris = select(Project.uri).where(scope.condition(session))
    actor_ids = (
        select(Reaction.actor_id)
        .join(Actor, Actor.id == Reaction.actor_id)
        .where(Reaction.object_uri.in_(project_uris), ~Actor.is_blocked, ~Actor.is_local)
    )
    council_names = (
        select(Actor.name)
        .where(Actor.id.in_(actor_ids), Actor.kind == ORGANISATION)
        .order_by(func.lower(Actor.name), Actor.id)
    )
    other_count = select(func.count()).where(Actor.id.in_(actor_ids), Actor.kind != ORGANISATION)
    return ReactionSummary(
        list(session.scalars(council_names.limit(MAX_COUNCIL_NAMES))),
        session.scalar(other_count) or 0,
    )
