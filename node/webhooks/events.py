"""What a webhook can be told of, and what it is told. Pure."""

from enum import StrEnum
from typing import Any

from node.feeds import representations
from node.projects.licensing import licence_url
from node.projects.models import Project, Visibility
from node.settings import Settings
from node.updates.models import Update


class WebhookEvent(StrEnum):
    """Something that happened to a project of ours."""

    published = "project.published"
    updated = "project.updated"
    deleted = "project.deleted"
    update_published = "update.published"
    test = "test"


SUBSCRIBABLE_EVENTS = (
    WebhookEvent.published,
    WebhookEvent.updated,
    WebhookEvent.deleted,
    WebhookEvent.update_published,
)


def project_payload(settings: Settings, project: Project) -> dict[str, Any]:
    page = f"{settings.base_url}/projects/{project.token}"
    return representations.describe_project(project, page, licence_url(settings, project))


def deleted_payload(project: Project) -> dict[str, Any]:
    """All that is said of one that is gone, or that whoever hears of it may no longer see."""
    return {"token": project.token, "id": project.uri}


def update_payload(settings: Settings, update: Update) -> dict[str, Any]:
    return representations.describe_update(update, f"{settings.base_url}/updates/{update.token}")


def public_event(
    event: WebhookEvent, before: Visibility, now_is: Visibility
) -> WebhookEvent | None:
    """What an event is to those who hear of public projects alone; None where it is nothing."""
    was, is_now = before is Visibility.public, now_is is Visibility.public
    if event is not WebhookEvent.updated:
        return event if is_now else None
    if was and is_now:
        return event
    if is_now:
        return WebhookEvent.published
    return WebhookEvent.deleted if was else None
