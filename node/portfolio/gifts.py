"""What councils take over from one another: outputs of projects, and who uses them."""

from dataclasses import dataclass

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from node.portfolio.scope import Scope
from node.projects.details import Adopter, Output
from node.projects.models import Project

# So many projects are looked through, those that changed last.
MOST = 500


@dataclass(frozen=True)
class Adoption:
    """A council uses what a project of another gave."""

    project: Project
    output: Output
    adopter: Adopter


def giving(session: Session, scope: Scope, containing: str) -> list[Project]:
    """Projects with outputs, of which the details say `containing`."""
    said = cast(Project.details, Text).contains(containing, autoescape=True)
    query = select(Project).where(scope.condition(session), Project.has_outputs.is_(True), said)
    return list(session.scalars(query.order_by(Project.changed_at.desc(), Project.id).limit(MOST)))


def adoptions(session: Session, scope: Scope, by: str = "") -> list[Adoption]:
    """Who uses what; only those by the council with this id, if one is given."""
    return [
        Adoption(project, output, adopter)
        for project in giving(session, scope, by or '"adopters"')
        for output in project.details.outputs
        for adopter in output.adopters
        if not by or adopter.uri == by
    ]
