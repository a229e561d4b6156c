"""The events that webhooks can subscribe to, and their payloads. Pure."""

from enum import StrEnum
from typing import Any

from node.access.visibility import Visibility
from node.feeds import representations
from node.projects.licensing import licence_url
from node.projects.models import Project
from node.settings import Settings
from node.updates.models import Update


class WebhookEvent(StrEnum):
    """The type of a message."""

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
    """The payload for a project that was deleted, or that the subscriber may no longer see."""
    return {"token": project.token, "id": project.uri}


def update_payload(settings: Settings, update: Update) -> dict[str, Any]:
    return representations.describe_update(update, f"{settings.base_url}/updates/{update.token}")


def public_event(event: WebhookEvent, before: Visibility, after: Visibility) -> WebhookEvent | None:
    """The event as seen by webhooks for public projects only; None if it concerns none of them.

    `before` and `after` are the project's visibility. A project that becomes public is published
    to these webhooks, one that is no longer public is deleted.
    """
    was_public, is_public = before is Visibility.public, after is Visibility.public
    if event is not WebhookEvent.updated:
        return event if is_public else None
    if was_public and is_public:
        return event
    if is_public:
        return WebhookEvent.published
    return WebhookEvent.deleted if was_public else None
