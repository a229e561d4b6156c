"""Keeping what is typed, until it is saved, discarded or too old."""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from node.db import now
from node.errors import InvalidInputError, NotFoundError
from node.people.models import User
from node.runtime import Node, UnitOfWork
from node.unsaved.models import Unsaved
from node.wording import say

JOB = "unsaved"
# A person has so much, for so long; of what is nobody's there is so much, and not for long.
MOST_OF_PERSON, KEPT = 30, timedelta(days=30)
MOST_OF_NOBODY, KEPT_OF_NOBODY = 200, timedelta(days=1)
# Of nobody's, one browser session has so much, and all that was sent without one so much.
MOST_OF_SESSION, MOST_WITHOUT = 5, 100
# More than the longest form holds.
LONGEST, LONGEST_PATH = 400_000, 500
# What a form sends that nobody typed: its token, the buttons, and what is looked up beside it.
NOT_TYPED = frozenset({"csrf_token", "then", "add", "remove", "find", "_continue", "_for"})

Fields = Sequence[tuple[str, str]]


def typed(sent: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What somebody typed, of what a form sent."""
    return [(name, value) for name, value in sent if name not in NOT_TYPED]


def says_something(fields: Fields) -> bool:
    return any(value.strip() for name, value in fields if name != "version")


def keep(
    work: UnitOfWork, user: User | None, path: str, fields: Fields, within: str = ""
) -> Unsaved:
    """Keep what somebody typed in the form at `path`, in place of what was kept of it before.
    `within` names the browser session of nobody.

    Raises `InvalidInputError` for what is too long for any form.
    """
    if len(path) > LONGEST_PATH or len(json.dumps(fields)) > LONGEST:
        raise InvalidInputError(say("That is more than any form takes."))
    session = work.session
    kept = of_path(session, user, path) if user is not None else None
    if kept is None:
        kept = Unsaved(user_id=user.id if user is not None else None, path=path)
        session.add(kept)
    kept.fields, kept.at = [list(pair) for pair in fields], now()
    if user is None:
        kept.session = within
    session.flush()
    if user is not None:
        _forget_surplus(session, Unsaved.user_id == user.id, MOST_OF_PERSON)
    else:
        of_nobody = Unsaved.user_id.is_(None)
        most = MOST_OF_SESSION if within else MOST_WITHOUT
        _forget_surplus(session, of_nobody & (Unsaved.session == within), most)
        _forget_surplus(session, of_nobody, MOST_OF_NOBODY)
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
    may_have = or_(Unsaved.user_id == user.id, Unsaved.user_id.is_(None))
    kept = session.scalar(select(Unsaved).where(Unsaved.token == token, may_have))
    if kept is None:
        raise NotFoundError(say("There is no such unsaved text. It was saved, or discarded."))
    return kept


def discard(work: UnitOfWork, kept: Unsaved) -> None:
    work.session.delete(kept)


def saved(session: Session, user: User, path: str) -> None:
    """What was typed in the form at `path` is saved now."""
    session.execute(delete(Unsaved).where(Unsaved.user_id == user.id, Unsaved.path == path))


def work_off(node: Node) -> None:
    """The job, which tidies up once an hour."""
    node.tidied.outcome(JOB, lambda: tidy(node))


def tidy(node: Node) -> None:
    """What nobody came back to goes."""
    moment, of_nobody = now(), Unsaved.user_id.is_(None)
    is_old = or_(Unsaved.at < moment - KEPT, of_nobody & (Unsaved.at < moment - KEPT_OF_NOBODY))
    with node.work(by=JOB) as work:
        work.session.execute(delete(Unsaved).where(is_old))


def _forget_surplus(session: Session, mine: ColumnElement[bool], most: int) -> None:
    newest = select(Unsaved.id).where(mine).order_by(Unsaved.at.desc(), Unsaved.id.desc())
    surplus = session.scalars(newest.offset(most).limit(100)).all()
    if surplus:
        session.execute(delete(Unsaved).where(Unsaved.id.in_(surplus)))
