"""What people are told of projects that are handed over."""

from flask_babel import lazy_gettext as _l

from node.events.kinds import NotificationKind, Topic
from node.events.service import record_event
from node.handover.models import HandOver
from node.runtime import UnitOfWork

OFFERED = NotificationKind(
    "handover.offered", Topic.asked, _l("%(person)s asked you to become the owner of %(project)s")
)
ACCEPTED = NotificationKind(
    "handover.accepted", Topic.own, _l("%(person)s is now the owner of %(project)s")
)
DECLINED = NotificationKind(
    "handover.declined", Topic.own, _l("%(person)s declined to become the owner of %(project)s")
)
KINDS = (OFFERED, ACCEPTED, DECLINED)


def notify_offered(work: UnitOfWork, made: HandOver) -> None:
    """Whoever is asked to look after a project hears of it."""
    record_event(
        work,
        OFFERED,
        project_id=made.project_id,
        to=[made.to_user_id],
        path=f"/projects/{made.project.token}/hand-over",
        person=made.by_user.name if made.by_user else "",
    )


def notify_answered(work: UnitOfWork, made: HandOver) -> None:
    """Whoever asked hears what came of it."""
    kind = ACCEPTED if made.state == "accepted" else DECLINED
    to = [made.by_user_id] if made.by_user_id is not None else []
    record_event(work, kind, project_id=made.project_id, to=to, person=made.to_user.name)
