"""Searches that people keep under a name, and what is new in them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.db import now
from node.errors import InvalidInputError, NotFoundError
from node.federating.readers import OUR_OWN
from node.people.models import User
from node.projects.models import Project
from node.runtime import UnitOfWork
from node.search import indexing, service
from node.search.models import SavedSearch
from node.search.wanted import Wanted, from_query
from node.text import misfit, trim
from node.wording import say

LONGEST = 100
# Enough for anybody.
MOST_OF_PERSON = 50
MOST_NEW = 20
EVERY = timedelta(minutes=10)
# What was begun so long ago is committed by now.
SETTLED = timedelta(minutes=1)


def of(session: Session, user: User) -> Sequence[SavedSearch]:
    """The searches of somebody, by name."""
    mine = select(SavedSearch).where(SavedSearch.user_id == user.id)
    return session.scalars(mine.order_by(func.lower(SavedSearch.name), SavedSearch.id)).all()


def by_token(session: Session, user: User, token: str) -> SavedSearch:
    """Raises `NotFoundError`, for one of somebody else too."""
    mine = SavedSearch.token == token, SavedSearch.user_id == user.id
    found = session.scalar(select(SavedSearch).where(*mine))
    if found is None:
        raise NotFoundError(say("There is no such search."))
    return found


def save(work: UnitOfWork, user: User, name: str, wanted: Wanted, *, alerts: bool) -> SavedSearch:
    """Keep a search. Raises `InvalidInputError`."""
    name = _checked(name)
    if len(of(work.session, user)) >= MOST_OF_PERSON:
        raise InvalidInputError(
            say(
                "You have %(most)s saved searches, which is the maximum. Delete one "
                "before you save another.",
                most=MOST_OF_PERSON,
            )
        )
    made = SavedSearch(user_id=user.id, name=name, asked=wanted.query[:2000], alerts=alerts)
    work.session.add(made)
    work.session.flush()
    return made


def change(work: UnitOfWork, saved: SavedSearch, name: str, *, alerts: bool) -> None:
    """Give it another name, and be told of what is new in it, or no longer.

    Raises `InvalidInputError`.
    """
    saved.name = _checked(name)
    if alerts and not saved.alerts:
        saved.checked_at = now()
    saved.alerts = alerts
    work.session.flush()


def delete(work: UnitOfWork, saved: SavedSearch) -> None:
    work.session.delete(saved)
    work.session.flush()


def new_matches(
    session: Session, saved: SavedSearch, since: datetime, until: datetime
) -> list[Project]:
    """What the search finds that came here, or was published, after `since` and up to `until`;
    newest first.
    """
    wanted = from_query(saved.asked)
    found = service.new_since(session, wanted, OUR_OWN, since, MOST_NEW)
    return [project for project in found if _came(project) <= until]


def _came(project: Project) -> datetime:
    """When it was first to be found here."""
    if project.is_local and project.published_at is not None:
        return project.published_at
    return project.created_at


def _checked(name: str) -> str:
    name = trim(name)
    if not name:
        raise InvalidInputError(
            say("The search could not be saved."), {"name": say("Enter a name for the search")}
        )
    if wrong := misfit(name, LONGEST):
        raise InvalidInputError(say("The search could not be saved."), {"name": wrong})
    return name


def due(session: Session, moment: datetime) -> Sequence[int]:
    """The ids of the searches whose owners may have something to be told by now."""
    waits = SavedSearch.alerts, SavedSearch.checked_at < moment - EVERY
    due_first = select(SavedSearch.id).where(*waits).order_by(SavedSearch.checked_at)
    return session.scalars(due_first).all()


def is_up_to_date(session: Session) -> bool:
    """Whether the index has all that it can: who asks it what is new before misses something."""
    return not indexing.is_behind(session)
