"""What councils take over from one another: outputs of projects, and who uses them."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Text, cast, or_, select, true
from sqlalchemy.orm import Session, selectinload

from node.federating.models import Actor
from node.portfolio.scope import Scope
from node.projects.adoptions import Adoption
from node.projects.details import Adopter, Output
from node.projects.models import Project

# So many projects are looked through, those that changed last.
MOST = 500


@dataclass(frozen=True)
class AdoptedOutput:
    """A council uses what a project of another gave."""

    project: Project
    output: Output
    adopter: Adopter


def giving(session: Session, scope: Scope, *among: ColumnElement[bool]) -> list[Project]:
    """Projects with outputs that fulfil `among`."""
    query = select(Project).where(scope.condition(session), Project.has_outputs.is_(True), *among)
    query = query.options(selectinload(Project.adoptions))
    return list(session.scalars(query.order_by(Project.changed_at.desc(), Project.id).limit(MOST)))


def adoptions(session: Session, scope: Scope, by: str = "") -> list[AdoptedOutput]:
    """Who uses what; only those by the council with this id, if one is given."""
    is_named = cast(Project.details, Text).contains(by or '"adopters"', autoescape=True)
    says_so = Project.adoptions.any(Adoption.author.has(Actor.uri == by) if by else true())
    return [
        AdoptedOutput(project, output, adopter)
        for project in giving(session, scope, or_(is_named, says_so))
        for output in project.outputs
        for adopter in output.adopters
        if not by or adopter.uri == by
    ]
