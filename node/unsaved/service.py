"""Keeping what is typed, until it is saved, discarded or too old."""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node.db import now
from node.errors import InvalidInputError, NotFoundError
from node.hourly_jobs import run_hourly
from node.messages import msg
from node.people.models import User
from node.pruning import prune
from node.runtime import Node, UnitOfWork
from node.unsaved.models import UnsavedText

JOB = "unsaved"
# A person has so much, for so long. Nobody else's text is kept: strangers can fill nothing.
MAX_PER_PERSON, RETENTION = 30, timedelta(days=30)
# More than the longest form holds.
MAX_LEN_FIELDS, MAX_LEN_PATH = 400_000, 500
# What a form sends that nobody typed: its token, the buttons, and what is looked up beside it.
IGNORED_FIELDS = frozenset(
    {"csrf_token", "then", "add", "remove", "find", "_continue", "_for", "_writer"}
)

Fields = Sequence[tuple[str, str]]


def typed_fields(sent: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What somebody typed, of what a form sent."""
    return [(name, value) for name, value in sent if name not in IGNORED_FIELDS]


def has_text(fields: Fields) -> bool:
    return any(value.strip() for name, value in fields if name != "version")


def store(work: UnitOfWork, user: User, path: str, fields: Fields) -> UnsavedText:
    """Keep what somebody typed in the form at `path`, in place of what was kept of it before. Of
    more than one person has, their own oldest goes.

    Raises `InvalidInputError` for what is too long for any form.
    """
    if len(path) > MAX_LEN_PATH or len(json.dumps(fields)) > MAX_LEN_FIELDS:
        raise InvalidInputError(msg("Your text is too long to keep. Shorten it."))
    session = work.session
    kept = find_by_path(session, user, path)
    if kept is None:
        kept = UnsavedText(user_id=user.id, path=path)
        session.add(kept)
    kept.fields, kept.at = [list(pair) for pair in fields], now()
    session.flush()
    _delete_surplus(session, user)
    return kept


def find_by_path(session: Session, user: User, path: str) -> UnsavedText | None:
    """What somebody typed in a form and did not save."""
    mine = UnsavedText.user_id == user.id, UnsavedText.path == path
    return session.scalar(select(UnsavedText).where(*mine))


def list_of_user(session: Session, user: User) -> Sequence[UnsavedText]:
    """All that somebody typed and did not save, the latest first."""
    query = (
        select(UnsavedText).where(UnsavedText.user_id == user.id).order_by(UnsavedText.at.desc())
    )
    return session.scalars(query).all()


def preview(kept: UnsavedText) -> str:
    """What stands in the first field that says something."""
    return next((value for name, value in kept.fields if name != "version" and value.strip()), "")


def get_by_token(session: Session, token: str, user: User) -> UnsavedText:
    """Raises `NotFoundError` for none, and for somebody else's."""
    mine = UnsavedText.token == token, UnsavedText.user_id == user.id
    kept = session.scalar(select(UnsavedText).where(*mine))
    if kept is None:
        raise NotFoundError(
            msg("This unsaved text is no longer available. It may have been saved or discarded.")
        )
    return kept


def discard(work: UnitOfWork, kept: UnsavedText) -> None:
    work.session.delete(kept)


def delete_saved(session: Session, user: User, path: str) -> None:
    """What was typed in the form at `path` is saved now."""
    session.execute(
        delete(UnsavedText).where(UnsavedText.user_id == user.id, UnsavedText.path == path)
    )


def run_job(node: Node) -> None:
    """The job, which tidies up once an hour."""
    run_hourly(node, JOB, lambda: prune_old(node))


def prune_old(node: Node) -> None:
    """What nobody came back to goes."""
    prune(node, JOB, UnsavedText, select(UnsavedText.id).where(UnsavedText.at < now() - RETENTION))


def _delete_surplus(session: Session, user: User) -> None:
    mine = select(UnsavedText.id).where(UnsavedText.user_id == user.id)
    newest = mine.order_by(UnsavedText.at.desc(), UnsavedText.id.desc())
    surplus = session.scalars(newest.offset(MAX_PER_PERSON).limit(100)).all()
    if surplus:
        session.execute(delete(UnsavedText).where(UnsavedText.id.in_(surplus)))
