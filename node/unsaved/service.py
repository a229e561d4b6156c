"""Stores form input until the form is saved, or the input is discarded or too old."""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node.database.tables import now
from node.errors import InvalidInputError, NotFoundError
from node.messages import msg
from node.people.models import User
from node.queue.pruning import MaxAge, Retention, delete_surplus
from node.runtime import UnitOfWork
from node.unsaved.models import UnsavedInput

# Texts of one user, and how long they are kept. Visitors' input is not stored at all.
MAX_PER_PERSON, MAX_AGE = 30, timedelta(days=30)
# Characters as JSON; more than the longest form holds.
MAX_LEN_FIELDS, MAX_LEN_PATH = 400_000, 500
# Fields that hold no input: tokens, buttons and look-ups.
IGNORED_FIELDS = frozenset(
    {"csrf_token", "then", "add", "remove", "find", "_continue", "_for", "_writer"}
)
RETENTION = (
    Retention("unsaved_texts", UnsavedInput, (MaxAge(UnsavedInput.at, lambda _: MAX_AGE),)),
)

Fields = Sequence[tuple[str, str]]


def select_input_fields(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The fields of a submitted form that hold a user's input."""
    return [(name, value) for name, value in fields if name not in IGNORED_FIELDS]


def has_input(fields: Fields) -> bool:
    return any(value.strip() for name, value in fields if name != "version")


def store(work: UnitOfWork, user: User, path: str, fields: Fields) -> UnsavedInput:
    """Store a user's input in the form at `path`, replacing earlier input there. Beyond
    `MAX_PER_PERSON`, the user's oldest texts are deleted.

    Raises `InvalidInputError` if the input is too long.
    """
    if len(path) > MAX_LEN_PATH or len(json.dumps(fields)) > MAX_LEN_FIELDS:
        raise InvalidInputError(msg("Your text is too long to back up. Make it shorter."))
    session = work.session
    unsaved = find_by_path(session, user, path)
    if unsaved is None:
        unsaved = UnsavedInput(user_id=user.id, path=path)
        session.add(unsaved)
    unsaved.fields, unsaved.at = [list(pair) for pair in fields], now()
    session.flush()
    # At once, since texts are long and forms of any path can be sent.
    delete_surplus(
        session,
        UnsavedInput,
        UnsavedInput.user_id == user.id,
        max_rows=MAX_PER_PERSON,
        oldest_first=[UnsavedInput.at],
    )
    return unsaved


def find_by_path(session: Session, user: User, path: str) -> UnsavedInput | None:
    """The user's unsaved input in the form at `path`."""
    query = select(UnsavedInput).where(UnsavedInput.user_id == user.id, UnsavedInput.path == path)
    return session.scalar(query)


def list_of_user(session: Session, user: User) -> Sequence[UnsavedInput]:
    """All unsaved texts of a user, the latest first."""
    query = (
        select(UnsavedInput).where(UnsavedInput.user_id == user.id).order_by(UnsavedInput.at.desc())
    )
    return session.scalars(query).all()


def preview(unsaved: UnsavedInput) -> str:
    """The first field that is not blank."""
    return next(
        (value for name, value in unsaved.fields if name != "version" and value.strip()), ""
    )


def get_by_token(session: Session, token: str, user: User) -> UnsavedInput:
    """Raises `NotFoundError` if there is none, or it is another user's."""
    query = select(UnsavedInput).where(UnsavedInput.token == token, UnsavedInput.user_id == user.id)
    unsaved = session.scalar(query)
    if unsaved is None:
        raise NotFoundError(
            msg("This unsaved text is no longer available. It may have been saved or discarded.")
        )
    return unsaved


def discard(work: UnitOfWork, unsaved: UnsavedInput) -> None:
    work.session.delete(unsaved)


def delete_input(session: Session, user: User, path: str) -> None:
    """Delete the user's input in the form at `path`, which was saved."""
    session.execute(
        delete(UnsavedInput).where(UnsavedInput.user_id == user.id, UnsavedInput.path == path)
    )
