"""What people are told of reviews that were not done."""

from node.projects.models import Project
from node.runtime import UnitOfWork


def nudge(work: UnitOfWork, project: Project) -> None:
    """The owner of a project is reminded; of one without owner, the coordinators are."""
    work.audit("project.nudge", project.uri, review_on=str(project.review_on))


def escalate(work: UnitOfWork, project: Project) -> None:
    """The coordinators hear that the owner did not look at a project."""
    work.audit("project.escalate", project.uri, review_on=str(project.review_on))


def archived(work: UnitOfWork, project: Project) -> None:
    """Its owner and the coordinators hear that a project was put in the archive."""
