"""Saved searches: saving, changing and deleting them, and finding their new results."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.access.viewer import LOCAL_USER
from node.database.tables import now
from node.errors import InvalidInputError, NotFoundError
from node.messages import msg
from node.people.models import User
from node.projects.models import Project
from node.runtime import UnitOfWork
from node.search import indexing, service
from node.search.models import SavedSearch
from node.search.search_params import SearchParams, from_query_string
from node.text import find_text_error, trim

MAX_LEN_NAME = 100
MAX_PER_PERSON = 50
# New results of one search in one run of the job.
MAX_NEW_MATCHES = 20
CHECK_INTERVAL = timedelta(minutes=10)
# Changes older than this are taken to be committed, so that none is missed.
COMMIT_GRACE = timedelta(minutes=1)


def list_of_user(session: Session, user: User) -> Sequence[SavedSearch]:
    """The searches that `user` saved, by name."""
    query = select(SavedSearch).where(SavedSearch.user_id == user.id)
    return session.scalars(query.order_by(func.lower(SavedSearch.name), SavedSearch.id)).all()


def get_by_token(session: Session, user: User, token: str) -> SavedSearch:
    """A saved search of `user`. Raises `NotFoundError`, also for another person's search."""
    query = select(SavedSearch).where(SavedSearch.token == token, SavedSearch.user_id == user.id)
    saved = session.scalar(query)
    if saved is None:
        raise NotFoundError(msg("Saved search not found."))
    return saved


def save(
    work: UnitOfWork, user: User, name: str, params: SearchParams, *, alerts: bool
) -> SavedSearch:
    """Save a search for `user`. Raises `InvalidInputError`."""
    name = _validate_name(name)
    if len(list_of_user(work.session, user)) >= MAX_PER_PERSON:
        raise InvalidInputError(
            msg(
                "You have %(most)s saved searches, which is the maximum. Delete one "
                "before you save another.",
                most=MAX_PER_PERSON,
            )
        )
    saved = SavedSearch(user_id=user.id, name=name, asked=params.query_string[:2000], alerts=alerts)
    work.session.add(saved)
    work.session.flush()
    return saved


def change(work: UnitOfWork, saved: SavedSearch, name: str, *, alerts: bool) -> None:
    """Rename a saved search and switch its notifications on or off.

    Turned on, they start with results from now on. Raises `InvalidInputError`.
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
    """The search's projects that were published here, or received from other servers, after
    `since` and up to `until`; newest first, at most `MAX_NEW_MATCHES`.
    """
    params = from_query_string(saved.asked)
    matches = service.list_new_since(session, params, LOCAL_USER, since, MAX_NEW_MATCHES)
    return [project for project in matches if _first_seen_at(project) <= until]


def _first_seen_at(project: Project) -> datetime:
    """When the project could first be found on this server."""
    if project.is_local and project.published_at is not None:
        return project.published_at
    return project.created_at


def _validate_name(name: str) -> str:
    name = trim(name)
    if not name:
        raise InvalidInputError(
            msg("The search could not be saved."), {"name": msg("Enter a name for the search")}
        )
    if error := find_text_error(name, MAX_LEN_NAME):
        raise InvalidInputError(msg("The search could not be saved."), {"name": error})
    return name


def list_due(session: Session, moment: datetime) -> Sequence[int]:
    """The ids of searches with notifications that are due to be checked, longest waiting first."""
    is_due = SavedSearch.alerts, SavedSearch.checked_at < moment - CHECK_INTERVAL
    query = select(SavedSearch.id).where(*is_due).order_by(SavedSearch.checked_at)
    return session.scalars(query).all()


def is_up_to_date(session: Session) -> bool:
    """Whether every project is indexed. Until then, a check for new results would miss some."""
    return not indexing.is_behind(session)
