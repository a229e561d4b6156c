"""What the councils of the demonstration have done, as files tell it: projects and updates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from node.councils.models import Council
from node.db import now
from node.people.models import User
from node.projects import service as projects
from node.projects.details import Details, parse
from node.projects.models import Project
from node.projects.writing import Text
from node.runtime import UnitOfWork
from node.updates import service as updates


@dataclass(frozen=True)
class Story:
    """A project, the weeks since it was published, and its updates, each with its own."""

    text: Text
    weeks_ago: int
    updates: tuple[tuple[int, updates.Text], ...]


def read(file: Path) -> list[Story]:
    """The projects of one council."""
    return [_story(given) for given in yaml.safe_load(file.read_text(encoding="utf-8"))]


def _story(given: Mapping[str, Any]) -> Story:
    text = Text(
        given["title"],
        given["summary"],
        given["phase"],
        "",
        given.get("visibility", "public"),
        given.get("language", "en"),
        parse(Details, given.get("details", {})),
        given.get("translations", {}),
    )
    told = tuple(
        (one["weeks_ago"], updates.Text(**{k: v for k, v in one.items() if k != "weeks_ago"}))
        for one in given.get("updates", ())
    )
    return Story(text, given["weeks_ago"], told)


def tell(work: UnitOfWork, council: Council, owner: User, story: Story) -> None:
    """Publish a project and its updates as if it had happened when the story says."""
    project = projects.create(work, council, story.text)
    project.owner = owner
    projects.publish(work, project)
    moment = _ago(story.weeks_ago)
    project.created_at = project.published_at = moment
    for weeks_ago, text in story.updates:
        update = updates.write(work, project, text)
        moment = update.published_at = update.changed_at = _ago(weeks_ago)
    _leave(work, project, moment)


def _leave(work: UnitOfWork, project: Project, last: datetime) -> None:
    """Nobody has looked at the project since its last update."""
    weeks = work.settings.timetable.intervals.get(project.phase.value)
    project.changed_at, project.confirmed_on = last, last.date()
    project.review_on = last.date() + timedelta(weeks=weeks) if weeks else None
    work.session.flush()


def _ago(weeks: int) -> datetime:
    return now() - timedelta(weeks=weeks)
