"""Asking somebody to read a draft, who publishes it or sends it back with a note."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.db import now
from node.drafts import news
from node.drafts.models import Review
from node.errors import ConflictError, ForbiddenError, InvalidInputError
from node.people import service as people
from node.people.models import User
from node.people.permissions import COORDINATORS, WRITERS
from node.projects import service as projects
from node.projects import versions
from node.projects.models import Project, State, Version
from node.runtime import UnitOfWork
from node.text import misfit, trim
from node.wording import Saying, say

LONGEST_NOTE = 1000
# Whoever looks after projects as a whole, in place of somebody's number.
ANY_COORDINATOR = 0


class ChangedError(ConflictError):
    """The draft that is to be published is not the version that was read."""


def readers(session: Session, project: Project, by: User) -> list[User]:
    """The colleagues whom `by` may ask: those who wrote nothing of the draft."""
    wrote = {by.id} | writers(session, project)
    return [each for each in people.with_roles(session, WRITERS) if each.id not in wrote]


def writers(session: Session, project: Project) -> set[int | None]:
    """Whoever wrote a draft or changed it."""
    query = select(Version.by_user_id).where(Version.project_id == project.id)
    return set(session.scalars(query))


def open_review(session: Session, project: Project) -> Review | None:
    """The review that waits for somebody's answer."""
    if project.state is not State.review:
        return None
    return session.scalar(
        select(Review).where(Review.project_id == project.id, Review.state == "asked")
    )


def last_returned(session: Session, project: Project) -> Review | None:
    """Why a draft came back, where that is the last that was said of it."""
    if project.state is not State.draft:
        return None
    newest = select(Review).where(Review.project_id == project.id).order_by(Review.id.desc())
    found = session.scalar(newest.limit(1))
    return found if found is not None and found.state == "returned" else None


def ask(work: UnitOfWork, project: Project, by: User, to_id: int | None, note: str) -> Review:
    """Send a draft to somebody for review, or to all coordinators (`ANY_COORDINATOR`)."""
    versions.begin(work, project)
    to = next((each for each in readers(work.session, project, by) if each.id == to_id), None)
    note = trim(note)
    wrong = _wrong("note", note)
    if to is None and to_id != ANY_COORDINATOR:
        wrong["to"] = say("Select who should review this draft")
    if wrong:
        raise InvalidInputError(say("The draft could not be sent for review."), wrong)
    projects.move(project, State.review)
    made = Review(project=project, by_user=by, to_user=to, note=note, state="asked")
    work.session.add(made)
    work.session.flush()
    news.asked(work, made)
    work.audit("project.ask-review", project.uri, to=to.email if to else "coordinators")
    return made


def may_decide(session: Session, review: Review, user: User) -> bool:
    """Whether somebody may publish a draft that is reviewed, or send it back: whoever was asked,
    and every coordinator; never who asked, or wrote any of it.
    """
    coordinates = any(role.name in COORDINATORS for role in user.roles)
    is_asked = coordinates or user.id == review.to_user_id
    did_it = user.id == review.by_user_id or user.id in writers(session, review.project)
    return is_asked and not did_it


def publish(work: UnitOfWork, project: Project, user: User, version: int) -> None:
    """Whoever read it publishes it. `version` is the number of the version that they read.

    Raises `ChangedError` where the draft says something else by now.
    """
    review, newest = _for_answer(work, project, user), versions.newest(work.session, project)
    if newest is None or newest.number != version:
        raise ChangedError(say("The draft has changed since you opened it."))
    _decide(review, user, "passed")
    news.answered(work, review)
    work.audit("project.pass-review", project.uri, version=version)
    projects.publish(work, project, is_reviewed=True)


def send_back(work: UnitOfWork, project: Project, user: User, answer: str) -> None:
    """It is a draft again, with a word on what is missing. Raises `InvalidInputError`."""
    review = _for_answer(work, project, user)
    answer = trim(answer)
    wrong = _wrong("answer", answer)
    if not wrong and not answer.strip():
        wrong["answer"] = say("Enter what should change")
    if wrong:
        raise InvalidInputError(say("The draft could not be sent back."), wrong)
    review.answer = answer
    _decide(review, user, "returned")
    news.answered(work, review)
    projects.move(project, State.draft)
    work.audit("project.return", project.uri)


def withdraw(work: UnitOfWork, project: Project) -> None:
    """Nobody needs to read it any more: it is a draft again."""
    review = open_review(work.session, project)
    projects.move(project, State.draft)
    if review is not None:
        review.move_to("withdrawn")
        review.decided_at = now()
    work.audit("project.withdraw-review", project.uri)


def _for_answer(work: UnitOfWork, project: Project, user: User) -> Review:
    review = open_review(work.session, project)
    if review is None:
        raise ConflictError(say("This draft is no longer waiting for review."))
    if not may_decide(work.session, review, user):
        raise ForbiddenError(
            say(
                "You cannot review this draft. A coordinator or the person asked must "
                "review it, and they must not have written any of it."
            )
        )
    return review


def _decide(review: Review, user: User, state: str) -> None:
    review.move_to(state)
    review.decided_by, review.decided_at = user, now()


def _wrong(name: str, text: str) -> dict[str, Saying]:
    why = misfit(text, LONGEST_NOTE, lines=True)
    return {name: why} if why else {}
