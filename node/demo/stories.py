"""What the councils of the demonstration have done, as files tell it: projects and updates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import update

from node.councils.models import Council
from node.db import now
from node.people.models import User
from node.projects import service as projects
from node.projects.details import Details, parse
from node.projects.models import Project, Version
from node.projects.writing import Text
from node.runtime import UnitOfWork
from node.updates import service as updates


@dataclass(frozen=True)
class Story:
    """A project, the weeks since it was published, its updates, each with its own, and what it said
    before, each until so many weeks ago.
    """

    text: Text
    weeks_ago: int
    updates: tuple[tuple[int, updates.Text], ...]
    before: tuple[tuple[int, Text], ...] = ()


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
    before = tuple((one["until"], _earlier(text, one)) for one in given.get("before", ()))
    return Story(text, given["weeks_ago"], told, before)


def _earlier(text: Text, given: Mapping[str, Any]) -> Text:
    """What a project said in an earlier phase, `without` what was not known yet."""
    unknown: dict[str, Any] = dict.fromkeys(given.get("without", ()), ())
    details = replace(text.details, **unknown)
    summary = given.get("summary", text.summary)
    return replace(text, phase=given["phase"], summary=summary, details=details)


def tell(work: UnitOfWork, council: Council, owner: User, story: Story) -> None:
    """Its owner publishes a project and its updates, as if it had been when the story says."""
    work.by = owner.email
    texts = [*(text for _until, text in story.before), story.text]
    project = projects.create(work, council, texts[0])
    projects.publish(work, project)
    moment = _ago(story.weeks_ago)
    _said(work, project, moment)
    for (until, _text), text in zip(story.before, texts[1:], strict=True):
        projects.update(work, project, text, project.version)
        _said(work, project, _ago(until))
    project.created_at = project.published_at = moment
    for weeks_ago, said in story.updates:
        told = updates.write(work, project, said)
        moment = told.published_at = told.changed_at = _ago(weeks_ago)
    _leave(work, project, moment)


def _said(work: UnitOfWork, project: Project, moment: datetime) -> None:
    """What was written just now was written then."""
    just_now = Version.project_id == project.id, Version.at > _ago(1)
    work.session.execute(update(Version).where(*just_now).values(at=moment))


def _leave(work: UnitOfWork, project: Project, last: datetime) -> None:
    """Nobody has looked at the project since its last update."""
    weeks = work.settings.timetable.intervals.get(project.phase.value)
    project.changed_at, project.confirmed_on = last, last.date()
    project.review_on = last.date() + timedelta(weeks=weeks) if weeks else None
    work.session.flush()


def _ago(weeks: int) -> datetime:
    return now() - timedelta(weeks=weeks)
