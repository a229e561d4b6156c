"""What a webhook can be told of, and what it is told. Pure."""

from enum import StrEnum
from typing import Any

from node.feeds import describing
from node.projects.licensing import licence_url
from node.projects.models import Project, Visibility
from node.settings import Settings
from node.updates.models import Update


class Event(StrEnum):
    """Something that happened to a project of ours."""

    published = "project.published"
    updated = "project.updated"
    deleted = "project.deleted"
    told = "update.published"
    test = "test"


CHOICES = (Event.published, Event.updated, Event.deleted, Event.told)


def of_project(settings: Settings, project: Project) -> dict[str, Any]:
    page = f"{settings.base_url}/projects/{project.token}"
    return describing.whole(project, page, licence_url(settings, project))


def trace(project: Project) -> dict[str, Any]:
    """All that is said of one that is gone, or that whoever hears of it may no longer see."""
    return {"token": project.token, "id": project.uri}


def of_update(settings: Settings, update: Update) -> dict[str, Any]:
    return describing.update(update, f"{settings.base_url}/updates/{update.token}")


def to_everybody(event: Event, before: Visibility, now_is: Visibility) -> Event | None:
    """What an event is to those who hear of public projects alone; None where it is nothing."""
    was, is_now = before is Visibility.public, now_is is Visibility.public
    if event is not Event.updated:
        return event if is_now else None
    if was and is_now:
        return event
    if is_now:
        return Event.published
    return Event.deleted if was else None
