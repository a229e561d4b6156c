"""What councils take over from one another: outputs of projects, and who uses them."""

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

# So many projects are looked through, those that changed last.
MAX_PROJECTS = 500


@dataclass(frozen=True)
class AdoptedOutput:
    """A council uses what a project of another gave."""

    project: Project
    output: Output
    adopter: Adopter


def list_with_outputs(
    session: Session, scope: PortfolioScope, *among: ColumnElement[bool]
) -> list[Project]:
    """Projects with outputs that fulfil `among`."""
    query = select(Project).where(scope.condition(session), Project.has_outputs.is_(True), *among)
    query = query.options(selectinload(Project.adoptions))
    return list(
        session.scalars(query.order_by(Project.changed_at.desc(), Project.id).limit(MAX_PROJECTS))
    )


def list_adoptions(session: Session, scope: PortfolioScope, by: str = "") -> list[AdoptedOutput]:
    """Who uses what, each once; only those by the council with this id, if one is given."""
    is_named = cast(Project.details, Text).contains(by or '"adopters"', autoescape=True)
    says_so = Project.adoptions.any(Adoption.author.has(Actor.uri == by) if by else true())
    found: dict[tuple[int, str, str], AdoptedOutput] = {}
    known = _make_resolver(session)
    for project in list_with_outputs(session, scope, or_(is_named, says_so)):
        for output in project.outputs:
            for adopter in map(known, output.adopters):
                if not by or adopter.uri == by:
                    key = project.id, output.token, adopter.uri or adopter.name.casefold()
                    found.setdefault(key, AdoptedOutput(project, output, adopter))
    return list(found.values())


def _make_resolver(session: Session) -> Callable[[Adopter], Adopter]:
    """Gives an adopter the id of the council that it is: one whose node is at its address, or that
    alone has its name. Whoever writes down who uses an output may know no more than a name.
    """
    query = select(Council.name, Actor.uri).join(Council.actor).where(~Actor.is_blocked)
    councils = [(row.name.casefold(), row.uri) for row in session.execute(query)]
    by_origin = {parse_origin(uri): uri for _name, uri in councils}
    namesakes = Counter(name for name, _uri in councils)
    by_name = {name: uri for name, uri in councils if namesakes[name] == 1}

    def resolve(adopter: Adopter) -> Adopter:
        try:
            uri = by_origin.get(parse_origin(adopter.uri), adopter.uri) if adopter.uri else ""
        except AddressError:
            uri = adopter.uri
        return replace(adopter, uri=uri or by_name.get(adopter.name.casefold(), ""))

    return resolve
