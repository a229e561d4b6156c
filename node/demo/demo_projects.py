"""Reads the demonstration's projects and updates from YAML files and creates them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import update

from node.councils.models import Council
from node.database.tables import now
from node.people.models import User
from node.projects import service as projects
from node.projects.details import Details, parse
from node.projects.models import Project, ProjectVersion
from node.projects.validation import ProjectInput
from node.runtime import UnitOfWork
from node.updates import service as updates


@dataclass(frozen=True)
class DemoProject:
    """A project that was published `weeks_ago`, its updates with the weeks since each, and its
    earlier versions, each with the weeks since it was replaced.
    """

    project_input: ProjectInput
    weeks_ago: int
    updates: tuple[tuple[int, updates.UpdateInput], ...]
    earlier_versions: tuple[tuple[int, ProjectInput], ...] = ()


def read_projects(file: Path) -> list[DemoProject]:
    """Read the projects of one council."""
    return [_parse_project(entry) for entry in yaml.safe_load(file.read_text(encoding="utf-8"))]


def _parse_project(entry: Mapping[str, Any]) -> DemoProject:
    text = ProjectInput(
        entry["title"],
        entry["summary"],
        entry["phase"],
        "",
        entry.get("visibility", "public"),
        entry.get("language", "en"),
        parse(Details, entry.get("details", {})),
        entry.get("translations", {}),
    )
    demo_updates = tuple(
        (
            item["weeks_ago"],
            updates.UpdateInput(**{k: v for k, v in item.items() if k != "weeks_ago"}),
        )
        for item in entry.get("updates", ())
    )
    before = tuple(
        (item["until"], _build_earlier_version(text, item)) for item in entry.get("before", ())
    )
    return DemoProject(text, entry["weeks_ago"], demo_updates, before)


def _build_earlier_version(text: ProjectInput, entry: Mapping[str, Any]) -> ProjectInput:
    """The text of a project in an earlier phase, `without` the details that were added later."""
    unknown: dict[str, Any] = dict.fromkeys(entry.get("without", ()), ())
    details = replace(text.details, **unknown)
    summary = entry.get("summary", text.summary)
    return replace(text, phase=entry["phase"], summary=summary, details=details)


def create_project(
    work: UnitOfWork, council: Council, owner: User, demo_project: DemoProject
) -> None:
    """Create a project with its versions and updates, and backdate them."""
    work.by = owner.to_principal()
    texts = [*(text for _until, text in demo_project.earlier_versions), demo_project.project_input]
    project = projects.create(work, council, texts[0])
    projects.publish(work, project)
    published_at = _moment_weeks_ago(demo_project.weeks_ago)
    _backdate_versions(work, project, published_at)
    for (until, _text), text in zip(demo_project.earlier_versions, texts[1:], strict=True):
        projects.update(work, project, text, project.version)
        _backdate_versions(work, project, _moment_weeks_ago(until))
    project.created_at = project.published_at = last_changed_at = published_at
    for weeks_ago, update_input in demo_project.updates:
        project_update = updates.create(work, project, update_input)
        last_changed_at = _moment_weeks_ago(weeks_ago)
        project_update.published_at = project_update.changed_at = last_changed_at
    _backdate_review(work, project, last_changed_at)


def _backdate_versions(work: UnitOfWork, project: Project, moment: datetime) -> None:
    """Backdate the versions that were just written to `moment`."""
    just_now = ProjectVersion.project_id == project.id, ProjectVersion.at > _moment_weeks_ago(1)
    work.session.execute(update(ProjectVersion).where(*just_now).values(at=moment))


def _backdate_review(work: UnitOfWork, project: Project, last: datetime) -> None:
    """Have the project last reviewed at its last update, `last`."""
    weeks = work.settings.review_schedule.interval_weeks.get(project.phase.value)
    project.changed_at, project.confirmed_on = last, last.date()
    project.review_on = last.date() + timedelta(weeks=weeks) if weeks else None
    work.session.flush()


def _moment_weeks_ago(weeks: int) -> datetime:
    return now() - timedelta(weeks=weeks)
