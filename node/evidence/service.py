"""What our council can show for its work: what it leads, gives and reuses, and what others say."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.councils.models import Council
from node.federating.models import Actor, Reaction
from node.federating.readers import Reader
from node.portfolio import board, gifts, numbers
from node.portfolio.gifts import AdoptedOutput
from node.portfolio.numbers import Followers
from node.portfolio.scope import Scope, of_council
from node.projects.models import Phase, Project

# A pack is to be read at one sitting.
MOST_PROJECTS, MOST_ADOPTIONS, MOST_NAMES = 30, 30, 50
ORGANISATION = "Organization"


@dataclass(frozen=True)
class Praise:
    """Who likes or passes on our projects: councils by name, and everybody else by number."""

    councils: list[str]
    others: int


@dataclass(frozen=True)
class Pack:
    """The evidence. `given` is what others use of ours, `reused` what we use of theirs."""

    council: Council
    phases: dict[Phase, int]
    leads: list[Project]
    outputs: int
    given: list[AdoptedOutput]
    reused: list[AdoptedOutput]
    followers: Followers
    praise: Praise

    @property
    def total(self) -> int:
        return sum(self.phases.values())

    @property
    def takers(self) -> int:
        """How many councils use what ours gave."""
        return len({each.adopter.uri or each.adopter.name.casefold() for each in self.given})


def pack(session: Session, council: Council, reader: Reader) -> Pack:
    """The evidence as far as `reader` may see it."""
    ours = of_council(reader, council.id)
    giving = gifts.giving(session, ours)
    return Pack(
        council=council,
        phases=board.counts(session, ours),
        leads=_leads(session, ours),
        outputs=sum(len(project.details.outputs) for project in giving),
        given=gifts.adoptions(session, ours),
        reused=gifts.adoptions(session, Scope(reader), by=council.actor.uri),
        followers=numbers.followers(session, council, MOST_NAMES),
        praise=_praise(session, ours),
    )


def _leads(session: Session, ours: Scope) -> list[Project]:
    """Those that changed last; what is retired is not led any more."""
    query = select(Project).where(ours.condition(session), Project.phase != Phase.retired)
    newest = query.order_by(Project.changed_at.desc(), Project.id).limit(MOST_PROJECTS)
    found: Sequence[Project] = session.scalars(newest).all()
    order = list(Phase)
    return sorted(found, key=lambda project: (-order.index(project.phase), project.title))


def _praise(session: Session, ours: Scope) -> Praise:
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
    return Praise(list(session.scalars(named.limit(MOST_NAMES))), session.scalar(others) or 0)
