"""Asking somebody to read a draft, who publishes it or sends it back with a note."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.db import now
from node.drafts import notifications
from node.drafts.models import DraftReview
from node.errors import ConflictError, ForbiddenError, InvalidInputError
from node.messages import Message, msg
from node.people import service as people
from node.people.models import User
from node.people.permissions import COORDINATOR_ROLES, WRITER_ROLES
from node.projects import service as projects
from node.projects import versions
from node.projects.models import Project, ProjectState, ProjectVersion
from node.runtime import UnitOfWork
from node.text import misfit, trim

MAX_LEN_NOTE = 1000
# Whoever looks after projects as a whole, in place of somebody's number.
ANY_COORDINATOR = 0


class DraftChangedError(ConflictError):
    """The draft that is to be published is not the version that was read."""


def list_reviewers(session: Session, project: Project, by: User) -> list[User]:
    """The colleagues whom `by` may ask: those who wrote nothing of the draft."""
    wrote = {by.id} | list_writers(session, project)
    return [each for each in people.list_with_roles(session, WRITER_ROLES) if each.id not in wrote]


def list_writers(session: Session, project: Project) -> set[int | None]:
    """Whoever wrote a draft or changed it."""
    query = select(ProjectVersion.by_user_id).where(ProjectVersion.project_id == project.id)
    return set(session.scalars(query))


def get_open_review(session: Session, project: Project) -> DraftReview | None:
    """The review that waits for somebody's answer."""
    if project.state is not ProjectState.review:
        return None
    return session.scalar(
        select(DraftReview).where(
            DraftReview.project_id == project.id, DraftReview.state == "asked"
        )
    )


def get_last_returned(session: Session, project: Project) -> DraftReview | None:
    """Why a draft came back, where that is the last that was said of it."""
    if project.state is not ProjectState.draft:
        return None
    newest = (
        select(DraftReview)
        .where(DraftReview.project_id == project.id)
        .order_by(DraftReview.id.desc())
    )
    found = session.scalar(newest.limit(1))
    return found if found is not None and found.state == "returned" else None


def request_review(
    work: UnitOfWork, project: Project, by: User, to_id: int | None, note: str
) -> DraftReview:
    """Send a draft to somebody for review, or to all coordinators (`ANY_COORDINATOR`)."""
    versions.record_baseline(work, project)
    to = next(
        (each for each in list_reviewers(work.session, project, by) if each.id == to_id), None
    )
    note = trim(note)
    wrong = _find_error("note", note)
    if to is None and to_id != ANY_COORDINATOR:
        wrong["to"] = msg("Select who should review this draft")
    if wrong:
        raise InvalidInputError(msg("The draft could not be sent for review."), wrong)
    projects.change_state(project, ProjectState.review)
    made = DraftReview(project=project, by_user=by, to_user=to, note=note, state="asked")
    work.session.add(made)
    work.session.flush()
    notifications.notify_asked(work, made)
    work.audit("project.ask-review", project.uri, to=to.email if to else "coordinators")
    return made


def can_decide(session: Session, review: DraftReview, user: User) -> bool:
    """Whether somebody may publish a draft that is reviewed, or send it back: whoever was asked,
    and every coordinator; never who asked, or wrote any of it.
    """
    coordinates = any(role.name in COORDINATOR_ROLES for role in user.roles)
    is_asked = coordinates or user.id == review.to_user_id
    did_it = user.id == review.by_user_id or user.id in list_writers(session, review.project)
    return is_asked and not did_it


def publish(work: UnitOfWork, project: Project, user: User, version: int) -> None:
    """Whoever read it publishes it. `version` is the number of the version that they read.

    Raises `ChangedError` where the draft says something else by now.
    """
    review, newest = (
        _require_open_review(work, project, user),
        versions.get_latest(work.session, project),
    )
    if newest is None or newest.number != version:
        raise DraftChangedError(msg("The draft has changed since you opened it."))
    _decide(review, user, "passed")
    notifications.notify_answered(work, review)
    work.audit("project.pass-review", project.uri, version=version)
    projects.publish(work, project, is_reviewed=True)


def send_back(work: UnitOfWork, project: Project, user: User, answer: str) -> None:
    """It is a draft again, with a word on what is missing. Raises `InvalidInputError`."""
    review = _require_open_review(work, project, user)
    answer = trim(answer)
    wrong = _find_error("answer", answer)
    if not wrong and not answer.strip():
        wrong["answer"] = msg("Enter what should change")
    if wrong:
        raise InvalidInputError(msg("The draft could not be sent back."), wrong)
    review.answer = answer
    _decide(review, user, "returned")
    notifications.notify_answered(work, review)
    projects.change_state(project, ProjectState.draft)
    work.audit("project.return", project.uri)


def withdraw_review(work: UnitOfWork, project: Project) -> None:
    """Nobody needs to read it any more: it is a draft again."""
    review = get_open_review(work.session, project)
    projects.change_state(project, ProjectState.draft)
    if review is not None:
        review.move_to("withdrawn")
        review.decided_at = now()
    work.audit("project.withdraw-review", project.uri)


def _require_open_review(work: UnitOfWork, project: Project, user: User) -> DraftReview:
    review = get_open_review(work.session, project)
    if review is None:
        raise ConflictError(msg("This draft is no longer waiting for review."))
    if not can_decide(work.session, review, user):
        raise ForbiddenError(
            msg(
                "You cannot review this draft. A coordinator or the person asked must "
                "review it, and they must not have written any of it."
            )
        )
    return review


def _decide(review: DraftReview, user: User, state: str) -> None:
    review.move_to(state)
    review.decided_by, review.decided_at = user, now()


def _find_error(name: str, text: str) -> dict[str, Message]:
    why = misfit(text, MAX_LEN_NOTE, lines=True)
    return {name: why} if why else {}
