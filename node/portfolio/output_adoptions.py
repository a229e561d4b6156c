"""Which councils use which outputs of projects."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Text, cast, or_, select, true
from sqlalchemy.orm import Session, selectinload

from federation.errors import AddressError
from federation.origin import parse_origin
from node.councils.models import Council
from node.federating.models import Actor
from node.portfolio.scope import PortfolioScope
from node.projects.adoptions import Adoption
from node.projects.details import Adopter, Output
from node.projects.models import Project

# Projects searched for outputs: those changed last.
MAX_PROJECTS = 500


@dataclass(frozen=True)
class AdoptedOutput:
    """An output of a project, and a council that uses it."""

    project: Project
    output: Output
    adopter: Adopter


def list_with_outputs(
    session: Session, scope: PortfolioScope, *conditions: ColumnElement[bool]
) -> list[Project]:
    """Projects in the scope that have outputs and meet the `conditions`, last changed first."""
    query = select(Project).where(
        scope.condition(session), Project.has_outputs.is_(True), *conditions
    )
    query = query.options(selectinload(Project.adoptions))
    return list(
        session.scalars(query.order_by(Project.changed_at.desc(), Project.id).limit(MAX_PROJECTS))
    )


def list_adoptions(session: Session, scope: PortfolioScope, by: str = "") -> list[AdoptedOutput]:
    """Adoptions without duplicates; with `by`, only those of the council with this actor URI."""
    is_listed = cast(Project.details, Text).contains(by or '"adopters"', autoescape=True)
    is_announced = Project.adoptions.any(Adoption.author.has(Actor.uri == by) if by else true())
    adoptions: dict[tuple[int, str, str], AdoptedOutput] = {}
    resolve = _make_resolver(session)
    for project in list_with_outputs(session, scope, or_(is_listed, is_announced)):
        for output in project.outputs:
            for adopter in map(resolve, output.adopters):
                if not by or adopter.uri == by:
                    key = project.id, output.token, adopter.uri or adopter.name.casefold()
                    adoptions.setdefault(key, AdoptedOutput(project, output, adopter))
    return list(adoptions.values())


def _make_resolver(session: Session) -> Callable[[Adopter], Adopter]:
    """A function that fills in the actor URI of an adopter, as officers may have entered only its
    name or website: the council at that address, or the only council with that name.
    """
    query = select(Council.name, Actor.uri).join(Council.actor).where(~Actor.is_blocked)
    councils = [(row.name.casefold(), row.uri) for row in session.execute(query)]
    by_origin = {parse_origin(uri): uri for _name, uri in councils}
    name_counts = Counter(name for name, _uri in councils)
    by_name = {name: uri for name, uri in councils if name_counts[name] == 1}

    def resolve(adopter: Adopter) -> Adopter:
        try:
            uri = by_origin.get(parse_origin(adopter.uri), adopter.uri) if adopter.uri else ""
        except AddressError:
            uri = adopter.uri
        return replace(adopter, uri=uri or by_name.get(adopter.name.casefold(), ""))

    return resolve
