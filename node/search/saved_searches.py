"""Searches that people keep under a name, and what is new in them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.db import now
from node.errors import InvalidInputError, NotFoundError
from node.federating.viewer import LOCAL_USER
from node.messages import msg
from node.people.models import User
from node.projects.models import Project
from node.runtime import UnitOfWork
from node.search import indexing, service
from node.search.models import SavedSearch
from node.search.search_params import SearchParams, from_query_string
from node.text import misfit, trim

MAX_LEN_NAME = 100
# Enough for anybody.
MAX_PER_PERSON = 50
MAX_NEW_MATCHES = 20
CHECK_INTERVAL = timedelta(minutes=10)
# What was begun so long ago is committed by now.
COMMIT_GRACE = timedelta(minutes=1)


def list_of_user(session: Session, user: User) -> Sequence[SavedSearch]:
    """The searches of somebody, by name."""
    mine = select(SavedSearch).where(SavedSearch.user_id == user.id)
    return session.scalars(mine.order_by(func.lower(SavedSearch.name), SavedSearch.id)).all()


def get_by_token(session: Session, user: User, token: str) -> SavedSearch:
    """Raises `NotFoundError`, for one of somebody else too."""
    mine = SavedSearch.token == token, SavedSearch.user_id == user.id
    found = session.scalar(select(SavedSearch).where(*mine))
    if found is None:
        raise NotFoundError(msg("There is no such search."))
    return found


def save(
    work: UnitOfWork, user: User, name: str, wanted: SearchParams, *, alerts: bool
) -> SavedSearch:
    """Keep a search. Raises `InvalidInputError`."""
    name = _validate_name(name)
    if len(list_of_user(work.session, user)) >= MAX_PER_PERSON:
        raise InvalidInputError(
            msg(
                "You have %(most)s saved searches, which is the maximum. Delete one "
                "before you save another.",
                most=MAX_PER_PERSON,
            )
        )
    made = SavedSearch(user_id=user.id, name=name, asked=wanted.query_string[:2000], alerts=alerts)
    work.session.add(made)
    work.session.flush()
    return made


def change(work: UnitOfWork, saved: SavedSearch, name: str, *, alerts: bool) -> None:
    """Give it another name, and be told of what is new in it, or no longer.

    Raises `InvalidInputError`.
    """
    saved.name = _validate_name(name)
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
    wanted = from_query_string(saved.asked)
    found = service.list_new_since(session, wanted, LOCAL_USER, since, MAX_NEW_MATCHES)
    return [project for project in found if _first_seen_at(project) <= until]


def _first_seen_at(project: Project) -> datetime:
    """When it was first to be found here."""
    if project.is_local and project.published_at is not None:
        return project.published_at
    return project.created_at


def _validate_name(name: str) -> str:
    name = trim(name)
    if not name:
        raise InvalidInputError(
            msg("The search could not be saved."), {"name": msg("Enter a name for the search")}
        )
    if wrong := misfit(name, MAX_LEN_NAME):
        raise InvalidInputError(msg("The search could not be saved."), {"name": wrong})
    return name


def list_due(session: Session, moment: datetime) -> Sequence[int]:
    """The ids of the searches whose owners may have something to be told by now."""
    waits = SavedSearch.alerts, SavedSearch.checked_at < moment - CHECK_INTERVAL
    due_first = select(SavedSearch.id).where(*waits).order_by(SavedSearch.checked_at)
    return session.scalars(due_first).all()


def is_up_to_date(session: Session) -> bool:
    """Whether the index has all that it can: who asks it what is new before misses something."""
    return not indexing.is_behind(session)
