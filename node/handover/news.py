"""What people are told of projects that are handed over."""

from flask_babel import lazy_gettext as _l

from node.handover.models import HandOver
from node.news.kinds import Kind, Topic
from node.news.service import tell
from node.runtime import UnitOfWork

OFFERED = Kind(
    "handover.offered", Topic.asked, _l("%(person)s asked you to become the owner of %(project)s")
)
ACCEPTED = Kind("handover.accepted", Topic.own, _l("%(person)s is now the owner of %(project)s"))
DECLINED = Kind(
    "handover.declined", Topic.own, _l("%(person)s declined to become the owner of %(project)s")
)
KINDS = (OFFERED, ACCEPTED, DECLINED)


def offered(work: UnitOfWork, made: HandOver) -> None:
    """Whoever is asked to look after a project hears of it."""
    tell(
        work,
        OFFERED,
        project_id=made.project_id,
        to=[made.to_user_id],
        path=f"/projects/{made.project.token}/hand-over",
        person=made.by_user.name if made.by_user else "",
    )


def answered(work: UnitOfWork, made: HandOver) -> None:
    """Whoever asked hears what came of it."""
    kind = ACCEPTED if made.state == "accepted" else DECLINED
    to = [made.by_user_id] if made.by_user_id is not None else []
    tell(work, kind, project_id=made.project_id, to=to, person=made.to_user.name)
