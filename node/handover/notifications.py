"""Notifications about handing over projects."""

from flask_babel import lazy_gettext as _l

from node.handover.models import HandOver
from node.notification_events.service import record_event
from node.notification_kinds import NotificationKind, Topic
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


def notify_offered(work: UnitOfWork, offer: HandOver) -> None:
    """Notify the person to whom the project is offered."""
    record_event(
        work,
        OFFERED,
        project_id=offer.project_id,
        to=[offer.to_user_id],
        path=f"/projects/{offer.project.token}/hand-over",
        person=offer.by_user.name if offer.by_user else "",
    )


def notify_answered(work: UnitOfWork, offer: HandOver) -> None:
    """Notify the person who made the offer of the answer."""
    kind = ACCEPTED if offer.state == "accepted" else DECLINED
    user_ids = [offer.by_user_id] if offer.by_user_id is not None else []
    record_event(work, kind, project_id=offer.project_id, to=user_ids, person=offer.to_user.name)
