"""The review date of a project of ours: when it is to be looked at again, and what moves that."""

from datetime import date, timedelta

from node.db import now
from node.errors import ConflictError, InvalidInputError
from node.messages import msg
from node.projects.details import Freshness
from node.projects.models import FRESHNESS_TRANSITIONS, Project, new_revision
from node.settings import Settings

# Nobody looks after what nobody looks at for longer.
MAX_REVIEW_INTERVAL = timedelta(days=366)


def today() -> date:
    return now().date()


def confirm(settings: Settings, project: Project) -> bool:
    """Somebody wrote in a published project of ours, or said that it is true: it is fresh, and its
    review moves on. Returns whether others are to be told, since it was not fresh before.

    A day that was chosen stands until it comes. What is retired is looked at no more.
    """
    before, weeks = (
        project.freshness,
        settings.review_schedule.interval_weeks.get(project.phase.value),
    )
    project.confirmed_on, project.archived_on = today(), None
    if project.review_chosen_on and (project.review_chosen_on <= today() or not weeks):
        project.review_chosen_on = None
    usual = today() + timedelta(weeks=weeks) if weeks else None
    project.review_on = project.review_chosen_on or usual
    change_freshness(project, Freshness.fresh if weeks else Freshness.unsaid)
    return project.freshness is not before


def choose_review_date(project: Project, day: date | None) -> None:
    """The project is to be looked at again on that day; None: when it is usual. It is for whoever
    calls this to say that the project is true. Raises `InvalidInputError`.
    """
    wrong = None
    if day is not None and day <= today():
        wrong = msg("Review date must be in the future")
    elif day is not None and day > today() + MAX_REVIEW_INTERVAL:
        wrong = msg("Review date must be within the next year")
    if wrong:
        raise InvalidInputError(msg("The review date could not be saved."), {"day": wrong})
    project.review_chosen_on = day


def change_freshness(project: Project, word: Freshness) -> None:
    """Say something else of a project, which is a new state of it for whoever compares."""
    if word is project.freshness:
        return
    if word not in FRESHNESS_TRANSITIONS[project.freshness]:
        raise ConflictError(msg("The project’s review status cannot change in this way."))
    project.freshness, project.revision = word, new_revision()
