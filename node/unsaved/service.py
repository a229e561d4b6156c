"""Keeping what is typed, until it is saved, discarded or too old."""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node.db import now
from node.errors import InvalidInputError, NotFoundError
from node.hourly import once_an_hour
from node.people.models import User
from node.pruning import prune
from node.runtime import Node, UnitOfWork
from node.unsaved.models import Unsaved
from node.wording import say

JOB = "unsaved"
# A person has so much, for so long. Nobody else's text is kept: strangers can fill nothing.
MOST_OF_PERSON, KEPT = 30, timedelta(days=30)
# More than the longest form holds.
LONGEST, LONGEST_PATH = 400_000, 500
# What a form sends that nobody typed: its token, the buttons, and what is looked up beside it.
NOT_TYPED = frozenset(
    {"csrf_token", "then", "add", "remove", "find", "_continue", "_for", "_writer"}
)

Fields = Sequence[tuple[str, str]]


def typed(sent: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What somebody typed, of what a form sent."""
    return [(name, value) for name, value in sent if name not in NOT_TYPED]


def says_something(fields: Fields) -> bool:
    return any(value.strip() for name, value in fields if name != "version")


def keep(work: UnitOfWork, user: User, path: str, fields: Fields) -> Unsaved:
    """Keep what somebody typed in the form at `path`, in place of what was kept of it before. Of
    more than one person has, their own oldest goes.

    Raises `InvalidInputError` for what is too long for any form.
    """
    if len(path) > LONGEST_PATH or len(json.dumps(fields)) > LONGEST:
        raise InvalidInputError(say("Your text is too long to keep. Shorten it."))
    session = work.session
    kept = of_path(session, user, path)
    if kept is None:
        kept = Unsaved(user_id=user.id, path=path)
        session.add(kept)
    kept.fields, kept.at = [list(pair) for pair in fields], now()
    session.flush()
    _forget_surplus(session, user)
    return kept


def of_path(session: Session, user: User, path: str) -> Unsaved | None:
    """What somebody typed in a form and did not save."""
    mine = Unsaved.user_id == user.id, Unsaved.path == path
    return session.scalar(select(Unsaved).where(*mine))


def of_person(session: Session, user: User) -> Sequence[Unsaved]:
    """All that somebody typed and did not save, the latest first."""
    query = select(Unsaved).where(Unsaved.user_id == user.id).order_by(Unsaved.at.desc())
    return session.scalars(query).all()


def first_words(kept: Unsaved) -> str:
    """What stands in the first field that says something."""
    return next((value for name, value in kept.fields if name != "version" and value.strip()), "")


def by_token(session: Session, token: str, user: User) -> Unsaved:
    """Raises `NotFoundError` for none, and for somebody else's."""
    mine = Unsaved.token == token, Unsaved.user_id == user.id
    kept = session.scalar(select(Unsaved).where(*mine))
    if kept is None:
        raise NotFoundError(
            say("This unsaved text is no longer available. It may have been saved or discarded.")
        )
    return kept


def discard(work: UnitOfWork, kept: Unsaved) -> None:
    work.session.delete(kept)


def saved(session: Session, user: User, path: str) -> None:
    """What was typed in the form at `path` is saved now."""
    session.execute(delete(Unsaved).where(Unsaved.user_id == user.id, Unsaved.path == path))


def work_off(node: Node) -> None:
    """The job, which tidies up once an hour."""
    once_an_hour(node, JOB, lambda: tidy(node))


def tidy(node: Node) -> None:
    """What nobody came back to goes."""
    prune(node, JOB, Unsaved, select(Unsaved.id).where(Unsaved.at < now() - KEPT))


def _forget_surplus(session: Session, user: User) -> None:
    mine = select(Unsaved.id).where(Unsaved.user_id == user.id)
    newest = mine.order_by(Unsaved.at.desc(), Unsaved.id.desc())
    surplus = session.scalars(newest.offset(MOST_OF_PERSON).limit(100)).all()
    if surplus:
        session.execute(delete(Unsaved).where(Unsaved.id.in_(surplus)))
