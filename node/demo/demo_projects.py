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
from node.projects.models import Project, ProjectVersion
from node.projects.validation import ProjectInput
from node.runtime import UnitOfWork
from node.updates import service as updates


@dataclass(frozen=True)
class DemoProject:
    """A project, the weeks since it was published, its updates, each with its own, and what it said
    before, each until so many weeks ago.
    """

    text: ProjectInput
    weeks_ago: int
    updates: tuple[tuple[int, updates.UpdateInput], ...]
    before: tuple[tuple[int, ProjectInput], ...] = ()


def read_projects(file: Path) -> list[DemoProject]:
    """The projects of one council."""
    return [_parse_project(given) for given in yaml.safe_load(file.read_text(encoding="utf-8"))]


def _parse_project(given: Mapping[str, Any]) -> DemoProject:
    text = ProjectInput(
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
        (
            one["weeks_ago"],
            updates.UpdateInput(**{k: v for k, v in one.items() if k != "weeks_ago"}),
        )
        for one in given.get("updates", ())
    )
    before = tuple((one["until"], _earlier_text(text, one)) for one in given.get("before", ()))
    return DemoProject(text, given["weeks_ago"], told, before)


def _earlier_text(text: ProjectInput, given: Mapping[str, Any]) -> ProjectInput:
    """What a project said in an earlier phase, `without` what was not known yet."""
    unknown: dict[str, Any] = dict.fromkeys(given.get("without", ()), ())
    details = replace(text.details, **unknown)
    summary = given.get("summary", text.summary)
    return replace(text, phase=given["phase"], summary=summary, details=details)


def create_project(work: UnitOfWork, council: Council, owner: User, story: DemoProject) -> None:
    """Its owner publishes a project and its updates, as if it had been when the story says."""
    work.by = owner.email
    texts = [*(text for _until, text in story.before), story.text]
    project = projects.create(work, council, texts[0])
    projects.publish(work, project)
    moment = _weeks_ago(story.weeks_ago)
    _backdate_versions(work, project, moment)
    for (until, _text), text in zip(story.before, texts[1:], strict=True):
        projects.update(work, project, text, project.version)
        _backdate_versions(work, project, _weeks_ago(until))
    project.created_at = project.published_at = moment
    for weeks_ago, said in story.updates:
        told = updates.create(work, project, said)
        moment = told.published_at = told.changed_at = _weeks_ago(weeks_ago)
    _backdate_review(work, project, moment)


def _backdate_versions(work: UnitOfWork, project: Project, moment: datetime) -> None:
    """What was written just now was written then."""
    just_now = ProjectVersion.project_id == project.id, ProjectVersion.at > _weeks_ago(1)
    work.session.execute(update(ProjectVersion).where(*just_now).values(at=moment))


def _backdate_review(work: UnitOfWork, project: Project, last: datetime) -> None:
    """Nobody has looked at the project since its last update."""
    weeks = work.settings.review_schedule.interval_weeks.get(project.phase.value)
    project.changed_at, project.confirmed_on = last, last.date()
    project.review_on = last.date() + timedelta(weeks=weeks) if weeks else None
    work.session.flush()


def _weeks_ago(weeks: int) -> datetime:
    return now() - timedelta(weeks=weeks)
