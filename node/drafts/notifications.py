"""Notifications about draft reviews."""

from flask_babel import lazy_gettext as _l

from node.access.permissions import COORDINATE, ROLES_WITH
from node.drafts.models import DraftReview
from node.notification_events.service import record_event
from node.notification_kinds import NotificationKind, Topic
from node.runtime import UnitOfWork

REVIEW_REQUESTED = NotificationKind(
    "drafts.asked", Topic.asked, _l("%(person)s asked you to review a draft: %(project)s")
)
REVIEW_PASSED = NotificationKind(
    "drafts.passed", Topic.own, _l("%(person)s reviewed and published %(project)s")
)
REVIEW_RETURNED = NotificationKind(
    "drafts.returned", Topic.own, _l("%(person)s sent %(project)s back with a note")
)
KINDS = (REVIEW_REQUESTED, REVIEW_PASSED, REVIEW_RETURNED)


def notify_reviewers(work: UnitOfWork, review: DraftReview) -> None:
    """Notify the reviewer who was asked, or every coordinator."""
    user_ids = [review.to_user_id] if review.to_user_id is not None else []
    record_event(
        work,
        REVIEW_REQUESTED,
        project_id=review.project_id,
        to=user_ids,
        roles=() if user_ids else ROLES_WITH[COORDINATE],
        path=f"/projects/{review.project.token}/review",
        person=review.by_user.name if review.by_user else "",
    )


def notify_requester(work: UnitOfWork, review: DraftReview) -> None:
    """Notify the person who requested the review of its outcome."""
    kind = REVIEW_PASSED if review.state == "passed" else REVIEW_RETURNED
    user_ids = [review.by_user_id] if review.by_user_id is not None else []
    person = review.decided_by.name if review.decided_by else ""
    record_event(work, kind, project_id=review.project_id, to=user_ids, person=person)
