"""What people are told of reviews that were not done."""

from flask_babel import lazy_gettext as _l

from node.news.kinds import Kind, Topic
from node.news.service import tell
from node.people.permissions import COORDINATORS
from node.projects.models import Project
from node.runtime import UnitOfWork

NUDGE = Kind(
    "freshness.nudge",
    Topic.own,
    _l("%(project)s is due for review: confirm it’s up to date, or write an update"),
)
ESCALATION = Kind(
    "freshness.escalation",
    Topic.own,
    _l("%(project)s is out of date: its owner has not responded to reminders"),
)
ARCHIVED = Kind(
    "freshness.archived",
    Topic.own,
    _l("%(project)s was archived because no one reviewed it"),
)
KINDS = (NUDGE, ESCALATION, ARCHIVED)


def nudge(work: UnitOfWork, project: Project) -> None:
    """The owner of a project is reminded; of one that nobody looks after, the coordinators are."""
    has_owner = project.owner is not None and project.owner.active
    to = [project.owner_id] if has_owner and project.owner_id else []
    tell(work, NUDGE, project_id=project.id, to=to, roles=() if to else COORDINATORS)
    work.audit("project.nudge", project.uri, review_on=str(project.review_on))


def escalate(work: UnitOfWork, project: Project) -> None:
    """The coordinators hear that the owner did not look at a project."""
    tell(work, ESCALATION, project_id=project.id, roles=COORDINATORS)
    work.audit("project.escalate", project.uri, review_on=str(project.review_on))


def archived(work: UnitOfWork, project: Project) -> None:
    """Its owner and the coordinators hear that a project was put in the archive."""
    to = [project.owner_id] if project.owner_id is not None else []
    tell(work, ARCHIVED, project_id=project.id, to=to, roles=COORDINATORS)
    work.audit("project.archive", project.uri, title=project.title)
