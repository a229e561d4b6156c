"""What can be done about who looks after a project of ours."""

from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node.db import now
from node.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from node.handover import notifications
from node.handover.models import HandOver
from node.messages import msg
from node.people import service as people
from node.people.models import User
from node.people.permissions import WRITER_ROLES
from node.projects import service as projects
from node.projects.models import Project
from node.projects.validation import to_input
from node.runtime import UnitOfWork
from node.text import misfit, trim

MAX_LEN_NOTE = 500


def list_candidates(session: Session, project: Project) -> list[User]:
    """The people who may look after a project, without the one who does."""
    return [
        user
        for user in people.list_with_roles(session, WRITER_ROLES)
        if user.id != project.owner_id
    ]


def get_open_offer(session: Session, project: Project) -> HandOver | None:
    """The offer of a project that somebody has yet to answer."""
    return session.scalar(
        select(HandOver).where(HandOver.project_id == project.id, HandOver.state == "offered")
    )


def has_owner(project: Project) -> bool:
    """Whether somebody looks after a project whose account is in use."""
    return project.owner is not None and project.owner.active


def offer(work: UnitOfWork, project: Project, by: User, to_id: int, note: str) -> HandOver:
    """Ask somebody to look after a project. Until they accept, nothing changes.

    Raises `InvalidInputError` with what is wrong, `ConflictError` where it is offered already.
    """
    to = next((each for each in list_candidates(work.session, project) if each.id == to_id), None)
    note = " ".join(trim(note).split())
    wrong = {}
    if to is None:
        wrong["to"] = msg("Select a new owner")
    if why := misfit(note, MAX_LEN_NOTE):
        wrong["note"] = why
    if wrong or to is None:
        raise InvalidInputError(msg("The project could not be offered to a new owner."), wrong)
    if get_open_offer(work.session, project) is not None:
        raise ConflictError(
            msg(
                "This project has already been offered to someone. Withdraw that offer "
                "before you make another."
            )
        )
    made = HandOver(project=project, by_user=by, to_user=to, note=note, state="offered")
    work.session.add(made)
    work.session.flush()
    notifications.notify_offered(work, made)
    work.audit("project.offer", project.uri, to=to.email)
    return made


def accept(work: UnitOfWork, project: Project, user: User) -> None:
    """Whoever was asked looks after the project from now on."""
    made = _require_open_offer(work, project)
    if made.to_user_id != user.id:
        raise ForbiddenError(
            msg("You cannot answer this offer. The project was offered to someone else.")
        )
    _decide(made, "accepted")
    notifications.notify_answered(work, made)
    transfer(work, project, user)


def decline(work: UnitOfWork, project: Project, user: User) -> None:
    """Whoever was asked will not look after the project."""
    made = _require_open_offer(work, project)
    if made.to_user_id != user.id:
        raise ForbiddenError(
            msg("You cannot answer this offer. The project was offered to someone else.")
        )
    _decide(made, "declined")
    notifications.notify_answered(work, made)
    work.audit("project.decline", project.uri)


def withdraw(work: UnitOfWork, project: Project) -> None:
    """Take an offer back that nobody answered."""
    _decide(_require_open_offer(work, project), "withdrawn")
    work.audit("project.withdraw-offer", project.uri)


def take_on(work: UnitOfWork, project: Project, user: User) -> None:
    """Look after a project that has no owner, or, as a coordinator, one that has. An offer of it
    that waits is moot.
    """
    moot = HandOver.project_id == project.id, HandOver.state == "offered"
    gone = {"state": "withdrawn", "decided_at": now()}
    work.session.execute(update(HandOver).where(*moot).values(**gone))
    transfer(work, project, user)


def transfer(work: UnitOfWork, project: Project, user: User) -> None:
    """`user` looks after a project. Where its page named the owner so far as its contact, it names
    the new one; without an email address, which is theirs to give.
    """
    before, text = project.owner, to_input(project)
    project.owner = user
    said = text.details
    if before is not None and said.contact_name == before.name:
        said = replace(said, contact_name=user.name)
    if before is not None and said.contact_email.lower() == before.email:
        said = replace(said, contact_email="")
    if said != text.details:
        changed = replace(text, details=said)
        projects.update(work, project, changed, project.version, confirms=False)
    who = before.email if before else ""
    work.audit("project.hand-over", project.uri, before=who, to=user.email)


def _require_open_offer(work: UnitOfWork, project: Project) -> HandOver:
    made = get_open_offer(work.session, project)
    if made is None:
        raise NotFoundError(
            msg("This offer is no longer open. It may have been withdrawn or already answered.")
        )
    return made


def _decide(made: HandOver, state: str) -> None:
    made.move_to(state)
    made.decided_at = now()
