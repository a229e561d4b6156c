"""Offers, accepts and transfers the ownership of local projects."""

from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node.access.permissions import EDIT, ROLES_WITH, ProjectRight, ProjectStanding, project_rights
from node.database.tables import now
from node.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from node.handover import notifications
from node.handover.models import HandOver
from node.messages import msg
from node.people import service as people
from node.people.models import User
from node.projects import service as projects
from node.projects.models import Project
from node.projects.validation import to_input
from node.runtime import UnitOfWork
from node.text import find_text_error, trim

MAX_LEN_NOTE = 500


def list_candidates(session: Session, project: Project) -> list[User]:
    """The users who can become the owner of a project: everyone who may write, except the owner."""
    return [
        user
        for user in people.list_with_roles(session, ROLES_WITH[EDIT])
        if user.id != project.owner_id
    ]


def get_open_offer(session: Session, project: Project) -> HandOver | None:
    """The offer of a project that has not been answered yet, if any."""
    return session.scalar(
        select(HandOver).where(HandOver.project_id == project.id, HandOver.state == "offered")
    )


def has_owner(project: Project) -> bool:
    """Whether a project has an owner whose account is active."""
    return project.owner is not None and project.owner.active


def list_rights(project: Project, user: User) -> set[ProjectRight]:
    """The rights of `user`, who may edit projects, on a project of ours."""
    standing = ProjectStanding(has_owner(project), is_owner=project.owner_id == user.id)
    return project_rights((role.name for role in user.roles), standing)


def offer(work: UnitOfWork, project: Project, by: User, to_id: int, note: str) -> HandOver:
    """Offer a project to a new owner. Nothing changes until they accept.

    Raises `InvalidInputError` with every field that is not valid, `ConflictError` if there is an
    open offer.
    """
    candidate = next(
        (user for user in list_candidates(work.session, project) if user.id == to_id), None
    )
    note = " ".join(trim(note).split())
    errors = {}
    if candidate is None:
        errors["to"] = msg("Select a new owner")
    if error := find_text_error(note, MAX_LEN_NOTE):
        errors["note"] = error
    if errors or candidate is None:
        raise InvalidInputError(msg("The project could not be offered to a new owner."), errors)
    if get_open_offer(work.session, project) is not None:
        raise ConflictError(
            msg(
                "This project has already been offered to someone. Withdraw that offer "
                "before you make another."
            )
        )
    hand_over = HandOver(project=project, by_user=by, to_user=candidate, note=note, state="offered")
    work.session.add(hand_over)
    work.session.flush()
    notifications.notify_offered(work, hand_over)
    work.audit("project.offer", project.uri, to=candidate.email)
    return hand_over


def accept(work: UnitOfWork, project: Project, user: User) -> None:
    """Accept an offer: `user` becomes the owner. Raises `ForbiddenError` if it was made to someone
    else.
    """
    hand_over = _require_open_offer(work, project)
    if hand_over.to_user_id != user.id:
        raise ForbiddenError(
            msg("You cannot answer this offer. The project was offered to someone else.")
        )
    _decide(hand_over, "accepted")
    notifications.notify_answered(work, hand_over)
    transfer(work, project, user)


def decline(work: UnitOfWork, project: Project, user: User) -> None:
    """Decline an offer. Raises `ForbiddenError` if it was made to someone else."""
    hand_over = _require_open_offer(work, project)
    if hand_over.to_user_id != user.id:
        raise ForbiddenError(
            msg("You cannot answer this offer. The project was offered to someone else.")
        )
    _decide(hand_over, "declined")
    notifications.notify_answered(work, hand_over)
    work.audit("project.decline", project.uri)


def withdraw(work: UnitOfWork, project: Project) -> None:
    """Withdraw an open offer."""
    _decide(_require_open_offer(work, project), "withdrawn")
    work.audit("project.withdraw-offer", project.uri)


def take_on(work: UnitOfWork, project: Project, user: User) -> None:
    """Make `user` the owner without an offer, and withdraw any open offer. The caller checks
    permission.
    """
    is_open = HandOver.project_id == project.id, HandOver.state == "offered"
    values = {"state": "withdrawn", "decided_at": now()}
    work.session.execute(update(HandOver).where(*is_open).values(**values))
    transfer(work, project, user)


def transfer(work: UnitOfWork, project: Project, user: User) -> None:
    """Make `user` the owner. If the previous owner was the project's contact, the name is replaced
    and the email address removed, since the new owner decides whether to publish theirs.
    """
    previous_owner, text = project.owner, to_input(project)
    project.owner = user
    details = text.details
    if previous_owner is not None and details.contact_name == previous_owner.name:
        details = replace(details, contact_name=user.name)
    if previous_owner is not None and details.contact_email.lower() == previous_owner.email:
        details = replace(details, contact_email="")
    if details != text.details:
        changed = replace(text, details=details)
        projects.update(work, project, changed, project.version, confirms=False)
    previous_email = previous_owner.email if previous_owner else ""
    work.audit("project.hand-over", project.uri, before=previous_email, to=user.email)


def _require_open_offer(work: UnitOfWork, project: Project) -> HandOver:
    hand_over = get_open_offer(work.session, project)
    if hand_over is None:
        raise NotFoundError(
            msg("This offer is no longer open. It may have been withdrawn or already answered.")
        )
    return hand_over


def _decide(hand_over: HandOver, state: str) -> None:
    hand_over.move_to(state)
    hand_over.decided_at = now()
