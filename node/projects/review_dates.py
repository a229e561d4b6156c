"""The review date of a local project: when it is due, and what moves it."""

from datetime import date, timedelta

from node.database.tables import now
from node.errors import ConflictError, InvalidInputError
from node.messages import msg
from node.projects.details import Freshness
from node.projects.models import FRESHNESS_TRANSITIONS, Project, new_revision
from node.settings import Settings

# A project has to be reviewed at least once a year.
MAX_REVIEW_INTERVAL = timedelta(days=366)


def today() -> date:
    return now().date()


def confirm(settings: Settings, project: Project) -> bool:
    """Mark a published local project as fresh after an edit, an update or a confirmation, and move
    its review date.

    A chosen review date stays until it has passed. Retired projects have no review date. Returns
    whether the freshness changed, so that the project has to be federated again.
    """
    before, weeks = (
        project.freshness,
        settings.review_schedule.interval_weeks.get(project.phase.value),
    )
    project.confirmed_on, project.archived_on = today(), None
    if project.review_chosen_on and (project.review_chosen_on <= today() or not weeks):
        project.review_chosen_on = None
    usual_date = today() + timedelta(weeks=weeks) if weeks else None
    project.review_on = project.review_chosen_on or usual_date
    change_freshness(project, Freshness.fresh if weeks else Freshness.unsaid)
    return project.freshness is not before


def choose_review_date(project: Project, day: date | None) -> None:
    """Set the review date; None for the usual one. The caller must call `confirm` afterwards.

    Raises `InvalidInputError` for a date that has passed or is more than a year ahead.
    """
    error = None
    if day is not None and day <= today():
        error = msg("Review date must be in the future")
    elif day is not None and day > today() + MAX_REVIEW_INTERVAL:
        error = msg("Review date must be within the next year")
    if error:
        raise InvalidInputError(msg("The review date could not be saved."), {"day": error})
    project.review_chosen_on = day


def change_freshness(project: Project, freshness: Freshness) -> None:
    """Change the freshness, which gives the project a new revision for comparison between nodes.

    Raises `ConflictError` for a change that `FRESHNESS_TRANSITIONS` does not allow.
    """
    if freshness is project.freshness:
        return
    if freshness not in FRESHNESS_TRANSITIONS[project.freshness]:
        raise ConflictError(msg("The project’s review status cannot change in this way."))
    project.freshness, project.revision = freshness, new_revision()
