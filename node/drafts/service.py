"""Requests a review of a draft; the reviewer publishes it or sends it back with a note."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.access.permissions import EDIT, ROLES_WITH, ProjectRight, ProjectStanding, project_rights
from node.database.tables import now
from node.drafts import notifications
from node.drafts.models import DraftReview
from node.errors import ConflictError, ForbiddenError, InvalidInputError
from node.messages import Message, msg
from node.people import service as people
from node.people.models import User
from node.projects import service as projects
from node.projects import versions
from node.projects.models import Project, ProjectState, ProjectVersion
from node.runtime import UnitOfWork
from node.text import find_text_error, trim

MAX_LEN_NOTE = 1000
# Stands for every coordinator in place of a user's row id.
ANY_COORDINATOR = 0


class DraftChangedError(ConflictError):
    """The version to be published is not the one that was reviewed."""


def list_reviewers(session: Session, project: Project, by: User) -> list[User]:
    """The users whom `by` can ask: those who wrote nothing of the draft."""
    excluded = {by.id} | list_writers(session, project)
    return [
        user
        for user in people.list_with_roles(session, ROLES_WITH[EDIT])
        if user.id not in excluded
    ]


def list_writers(session: Session, project: Project) -> set[int | None]:
    """The row ids of users who wrote or changed the draft."""
    query = select(ProjectVersion.by_user_id).where(ProjectVersion.project_id == project.id)
    return set(session.scalars(query))


def get_open_review(session: Session, project: Project) -> DraftReview | None:
    """The review that has not been answered yet, if any."""
    if project.state is not ProjectState.review:
        return None
    return session.scalar(
        select(DraftReview).where(
            DraftReview.project_id == project.id, DraftReview.state == "asked"
        )
    )


def get_last_returned(session: Session, project: Project) -> DraftReview | None:
    """The last review of a draft if it sent the draft back."""
    if project.state is not ProjectState.draft:
        return None
    newest = (
        select(DraftReview)
        .where(DraftReview.project_id == project.id)
        .order_by(DraftReview.id.desc())
    )
    review = session.scalar(newest.limit(1))
    return review if review is not None and review.state == "returned" else None


def request_review(
    work: UnitOfWork, project: Project, by: User, to_id: int | None, note: str
) -> DraftReview:
    """Send a draft for review to a user or to all coordinators (`ANY_COORDINATOR`).

    Raises `InvalidInputError`, and `ConflictError` if the project is not a draft.
    """
    versions.record_baseline(work, project)
    reviewer = next(
        (user for user in list_reviewers(work.session, project, by) if user.id == to_id), None
    )
    note = trim(note)
    errors = _find_error("note", note)
    if reviewer is None and to_id != ANY_COORDINATOR:
        errors["to"] = msg("Select who should review this draft")
    if errors:
        raise InvalidInputError(msg("The draft could not be sent for review."), errors)
    projects.change_state(project, ProjectState.review)
    review = DraftReview(project=project, by_user=by, to_user=reviewer, note=note, state="asked")
    work.session.add(review)
    work.session.flush()
    notifications.notify_reviewers(work, review)
    work.audit("project.ask-review", project.uri, to=reviewer.email if reviewer else "coordinators")
    return review


def can_decide(session: Session, review: DraftReview, user: User) -> bool:
    """Whether `user` may publish or send back a draft under review: the reviewer who was asked or
    any coordinator, unless they requested the review or wrote part of the draft.
    """
    standing = ProjectStanding(
        is_asked_to_review=user.id == review.to_user_id,
        is_contributor=user.id in {review.by_user_id, *list_writers(session, review.project)},
    )
    return ProjectRight.review in project_rights((role.name for role in user.roles), standing)


def publish(work: UnitOfWork, project: Project, user: User, version: int) -> None:
    """Publish a draft after review. `version` is the number of the version that `user` has read.

    Raises `DraftChangedError` if the draft has changed since.
    """
    review = _require_open_review(work, project, user)
    newest = versions.get_latest(work.session, project)
    if newest is None or newest.number != version:
        raise DraftChangedError(msg("The draft has changed since you opened it."))
    _decide(review, user, "passed")
    notifications.notify_requester(work, review)
    work.audit("project.pass-review", project.uri, version=version)
    projects.publish(work, project, is_reviewed=True)


def send_back(work: UnitOfWork, project: Project, user: User, answer: str) -> None:
    """Make the project a draft again, with a note on what should change. Raises
    `InvalidInputError`.
    """
    review = _require_open_review(work, project, user)
    answer = trim(answer)
    errors = _find_error("answer", answer)
    if not errors and not answer.strip():
        errors["answer"] = msg("Enter what needs to change")
    if errors:
        raise InvalidInputError(msg("The draft could not be sent back."), errors)
    review.answer = answer
    _decide(review, user, "returned")
    notifications.notify_requester(work, review)
    projects.change_state(project, ProjectState.draft)
    work.audit("project.return", project.uri)


def withdraw_review(work: UnitOfWork, project: Project) -> None:
    """Withdraw the request for review: the project is a draft again."""
    review = get_open_review(work.session, project)
    projects.change_state(project, ProjectState.draft)
    if review is not None:
        review.move_to("withdrawn")
        review.decided_at = now()
    work.audit("project.withdraw-review", project.uri)


def _require_open_review(work: UnitOfWork, project: Project, user: User) -> DraftReview:
    review = get_open_review(work.session, project)
    if review is None:
        raise ConflictError(
            msg(
                "This draft is no longer waiting for review. It may have been "
                "published, sent back or withdrawn."
            )
        )
    if not can_decide(work.session, review, user):
        raise ForbiddenError(
            msg(
                "You cannot review this draft. Only a coordinator or the person who "
                "was asked can review it, and only if they did not write any of it."
            )
        )
    return review


def _decide(review: DraftReview, user: User, state: str) -> None:
    review.move_to(state)
    review.decided_by, review.decided_at = user, now()


def _find_error(name: str, text: str) -> dict[str, Message]:
    error = find_text_error(text, MAX_LEN_NOTE, lines=True)
    return {name: error} if error else {}
