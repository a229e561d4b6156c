"""Notifications about reviews that were not done."""

from flask_babel import lazy_gettext as _l

from node.access.permissions import COORDINATE, ROLES_WITH
from node.notification_events.service import record_event
from node.notification_kinds import NotificationKind, Topic
from node.projects.models import Project
from node.runtime import UnitOfWork

NUDGE_KIND = NotificationKind(
    "freshness.nudge",
    Topic.own,
    _l("%(project)s is due for review: confirm it’s up to date, or write an update"),
)
ESCALATION_KIND = NotificationKind(
    "freshness.escalation",
    Topic.own,
    _l("%(project)s is out of date: its owner has not responded to reminders"),
)
ARCHIVED_KIND = NotificationKind(
    "freshness.archived",
    Topic.own,
    _l("%(project)s was archived because no one reviewed it"),
)
KINDS = (NUDGE_KIND, ESCALATION_KIND, ARCHIVED_KIND)


def notify_owner(work: UnitOfWork, project: Project) -> None:
    """Remind the owner of a project; if it has none, the coordinators."""
    has_owner = project.owner is not None and project.owner.active
    to = [project.owner_id] if has_owner and project.owner_id else []
    record_event(
        work, NUDGE_KIND, project_id=project.id, to=to, roles=() if to else ROLES_WITH[COORDINATE]
    )
    work.audit("project.nudge", project.uri, review_on=str(project.review_on))


def notify_coordinators(work: UnitOfWork, project: Project) -> None:
    """Notify the coordinators that the owner did not review a project."""
    record_event(work, ESCALATION_KIND, project_id=project.id, roles=ROLES_WITH[COORDINATE])
    work.audit("project.escalate", project.uri, review_on=str(project.review_on))


def notify_archived(work: UnitOfWork, project: Project) -> None:
    """Notify the owner and the coordinators that a project was archived."""
    to = [project.owner_id] if project.owner_id is not None else []
    record_event(work, ARCHIVED_KIND, project_id=project.id, to=to, roles=ROLES_WITH[COORDINATE])
    work.audit("project.archive", project.uri, title=project.title)
