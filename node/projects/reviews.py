"""The review date of a project of ours: when it is to be looked at again, and what moves that."""

from datetime import date, timedelta

from node.db import now
from node.errors import ConflictError
from node.projects.details import Freshness
from node.projects.models import FRESHNESS, Project, new_revision
from node.settings import Settings
from node.wording import say


def today() -> date:
    return now().date()


def confirm(settings: Settings, project: Project) -> bool:
    """Somebody wrote in a published project of ours, or said that it is true: it is fresh, and its
    review moves on. Returns whether others are to be told, since it was not fresh before.

    What is retired is looked at no more.
    """
    before, weeks = project.freshness, settings.timetable.intervals.get(project.phase.value)
    project.confirmed_on, project.archived_on = today(), None
    project.review_on = today() + timedelta(weeks=weeks) if weeks else None
    move(project, Freshness.fresh if weeks else Freshness.unsaid)
    return project.freshness is not before


def move(project: Project, word: Freshness) -> None:
    """Say something else of a project, which is a new state of it for whoever compares."""
    if word is project.freshness:
        return
    if word not in FRESHNESS[project.freshness]:
        raise ConflictError(say("This cannot be said of the project as it is now."))
    project.freshness, project.revision = word, new_revision()
