"""Manages webhooks, and queues messages to them when projects or updates change."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from node.access.permissions import EDIT, is_allowed
from node.access.viewer import ANONYMOUS, LOCAL_USER, Viewer
from node.access.visibility import can_see
from node.database.tables import now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.feeds.representations import format_moment
from node.messages import Message, msg
from node.outbound.errors import OutboundError
from node.outbound.targets import parse_target
from node.people import credentials
from node.people.credentials import AccountChange
from node.people.events import CredentialsRevoked
from node.people.models import User
from node.plugin_api.hooks import Hooks
from node.projects import service as projects
from node.projects.events import ProjectDeleted, ProjectEvent, ProjectPublished, ProjectUpdated
from node.projects.models import Project
from node.queue import batched_writes
from node.runtime import UnitOfWork
from node.updates.events import UpdateWritten
from node.updates.models import Update, UpdateState
from node.webhooks import events
from node.webhooks.events import SUBSCRIBABLE_EVENTS, WebhookEvent
from node.webhooks.models import Webhook, WebhookMessage, new_secret

# Webhooks of one user, and pending messages to one webhook; further ones are dropped.
MAX_PER_PERSON, MAX_PENDING = 10, 1_000
# How long messages are also signed with the previous secret.
OLD_SECRET_VALID_FOR = timedelta(days=1)
MAX_SHOWN = 20


def add_webhook(
    work: UnitOfWork, user: User, url: str, event_names: Sequence[str], *, tells_all: bool
) -> Webhook:
    """Add a webhook for these events. Raises `InvalidInputError` for an invalid URL or event, and
    `ConflictError` if the user has too many webhooks.
    """
    url = url.strip()
    errors: dict[str, Message] = {}
    try:
        parse_target(url, private_hosts=())
    except OutboundError as error:
        errors["url"] = (
            msg("This address cannot be used. %(why)s", why=error.text_for_officers)
            if url
            else msg("Enter an address that begins with https://")
        )
    if not event_names or not set(event_names) <= set(SUBSCRIBABLE_EVENTS):
        errors["events"] = msg("Select which events to send")
    if errors:
        raise InvalidInputError(msg("The webhook could not be saved."), errors)
    is_own = Webhook.user_id == user.id, Webhook.removed_at.is_(None)
    query = select(func.count()).select_from(Webhook).where(*is_own)
    if (work.session.scalar(query) or 0) >= MAX_PER_PERSON:
        raise ConflictError(
            msg(
                "You already have %(most)s webhooks. Remove one before you add another.",
                most=MAX_PER_PERSON,
            )
        )
    subscribed = [event.value for event in SUBSCRIBABLE_EVENTS if event in event_names]
    webhook = Webhook(user=user, url=url, events=subscribed, tells_all=tells_all)
    work.session.add(webhook)
    work.session.flush()
    credentials.notify_user(work, user, AccountChange.webhook, url=url)
    work.audit("webhook.add", url, events=subscribed, tells_all=tells_all)
    return webhook


def list_of_user(session: Session, user: User, *, all_users: bool) -> list[Webhook]:
    """A user's webhooks; or those of all users, for an operator."""
    query = select(Webhook).where(Webhook.removed_at.is_(None))
    query = query.order_by(Webhook.id.desc()).limit(200)
    return list(session.scalars(query if all_users else query.where(Webhook.user_id == user.id)))


def find(session: Session, user: User, webhook_id: int, *, all_users: bool) -> Webhook:
    """Raises `NotFoundError` if there is none, or it is another user's and not `all_users`."""
    webhook = session.get(Webhook, webhook_id)
    is_removed = webhook is None or webhook.removed_at is not None
    if webhook is None or is_removed or not (all_users or webhook.user_id == user.id):
        raise NotFoundError(msg("Webhook not found."))
    return webhook


def list_messages(session: Session, webhook: Webhook) -> list[WebhookMessage]:
    """The newest messages to a webhook."""
    query = select(WebhookMessage).where(WebhookMessage.webhook_id == webhook.id)
    return list(session.scalars(query.order_by(WebhookMessage.id.desc()).limit(MAX_SHOWN)))


def change_secret(work: UnitOfWork, webhook: Webhook) -> str:
    """Replace the secret of a webhook. Returns the new one, which is shown only once."""
    webhook.old_secret, webhook.secret, webhook.changed_secret_at = (
        webhook.secret,
        new_secret(),
        now(),
    )
    work.audit("webhook.secret", webhook.url)
    return webhook.secret


def signing_secrets(webhook: Webhook) -> list[str]:
    """The secrets that messages are signed with now, the current one first."""
    changed_at = webhook.changed_secret_at
    secrets = [webhook.secret]
    if webhook.old_secret and changed_at and changed_at > now() - OLD_SECRET_VALID_FOR:
        secrets.append(webhook.old_secret)
    return secrets


def remove_webhook(work: UnitOfWork, webhook: Webhook) -> None:
    """Switch a webhook off and start the long write that deletes its messages, and then itself."""
    work.audit("webhook.remove", webhook.url)
    webhook.removed_at = webhook.off_at = now()
    batched_writes.start(work, REMOVE_WEBHOOK, str(webhook.id))


def _remove_batch(work: UnitOfWork, row: batched_writes.BatchedWrite) -> bool:
    session, webhook_id = work.session, int(row.subject)
    messages = select(WebhookMessage.id).where(WebhookMessage.webhook_id == webhook_id)
    ids = batched_writes.lock_batch(session, WebhookMessage, messages)
    deletion = delete(WebhookMessage).where(WebhookMessage.id.in_(ids))
    session.execute(deletion, execution_options=batched_writes.NO_SESSION_SYNC)
    if batched_writes.is_any_left(session, messages):
        return True
    session.execute(delete(Webhook).where(Webhook.id == webhook_id))
    return False


REMOVE_WEBHOOK = batched_writes.BatchedWriteKind("remove-webhook", _remove_batch)


def on_credentials_revoked(work: UnitOfWork, event: CredentialsRevoked) -> None:
    """Switch off all webhooks of a user, and replace their secrets."""
    is_of_user = Webhook.user_id == event.user_id
    for webhook in work.session.scalars(select(Webhook).where(is_of_user)):
        webhook.secret, webhook.old_secret, webhook.changed_secret_at = new_secret(), None, now()
        webhook.off_at = webhook.off_at or now()


def switch_on(work: UnitOfWork, webhook: Webhook) -> None:
    """Switch a webhook on again, and forget its failures."""
    webhook.off_at = webhook.failing_since = None
    work.audit("webhook.on", webhook.url)


def queue_test(work: UnitOfWork, webhook: Webhook) -> None:
    """Queue a test message. Raises `ConflictError` if the webhook is switched off."""
    if webhook.off_at is not None:
        raise ConflictError(msg("The webhook is switched off. Switch it on first."))
    _enqueue(work, webhook, WebhookEvent.test, {"sentence": "This is a test."})


EVENTS: Mapping[type[ProjectEvent], WebhookEvent] = {
    ProjectPublished: WebhookEvent.published,
    ProjectUpdated: WebhookEvent.updated,
    ProjectDeleted: WebhookEvent.deleted,
}


def on_project_event(work: UnitOfWork, event: ProjectEvent) -> None:
    """Queue messages about an event of a local project to the webhooks subscribed to it."""
    project, webhook_event = work.session.get_one(Project, event.project_id), EVENTS[type(event)]
    for webhook in _active_webhooks(work):
        visible_event: WebhookEvent | None = webhook_event
        if not webhook.tells_all:
            visible_event = events.public_event(webhook_event, event.before, project.visibility)
        if visible_event is not None and visible_event in webhook.events:
            data = (
                events.deleted_payload(project)
                if visible_event is WebhookEvent.deleted
                else events.project_payload(work.settings, project)
            )
            _enqueue(work, webhook, visible_event, data)


def on_update_written(work: UnitOfWork, event: UpdateWritten) -> None:
    """Queue messages about an update that was written here."""
    update = work.session.get_one(Update, event.update_id)
    for webhook in _active_webhooks(work):
        can_know = can_see(_viewer_of(webhook), update.project.resource)
        if WebhookEvent.update_published in webhook.events and can_know:
            _enqueue(
                work,
                webhook,
                WebhookEvent.update_published,
                events.update_payload(work.settings, update),
            )


def _active_webhooks(work: UnitOfWork) -> list[Webhook]:
    query = select(Webhook).join(User).where(Webhook.off_at.is_(None), User.active)
    webhooks = work.session.scalars(query.order_by(Webhook.id))
    return [webhook for webhook in webhooks if can_have_webhooks(work.node.hooks, webhook.user)]


def can_have_webhooks(hooks: Hooks, user: User) -> bool:
    """Whether a user may have webhooks; checked whenever one is used."""
    return user.active and is_allowed((role.name for role in user.roles), EDIT, hooks)


def is_still_valid(session: Session, webhook: Webhook, message: WebhookMessage) -> bool:
    """Whether the webhook may still see the subject of a message; checked when it is sent, which
    may be days after it was queued. Messages without a subject are always valid.
    """
    event, data = WebhookEvent(message.event), json.loads(message.body)["data"]
    if event in {WebhookEvent.deleted, WebhookEvent.test}:
        return True
    is_update = event is WebhookEvent.update_published
    if is_update:
        is_published = Update.uri == data["id"], Update.state == UpdateState.published
        if session.scalar(select(Update.id).where(*is_published)) is None:
            return False
    uri = data["project" if is_update else "id"]
    return projects.by_uri(session, uri, _viewer_of(webhook)) is not None


def _viewer_of(webhook: Webhook) -> Viewer:
    return LOCAL_USER if webhook.tells_all else ANONYMOUS


def _enqueue(work: UnitOfWork, webhook: Webhook, event: WebhookEvent, data: dict[str, Any]) -> None:
    is_pending = (
        WebhookMessage.webhook_id == webhook.id,
        WebhookMessage.state == WebhookMessage.WAITING_STATE,
    )
    query = select(func.count()).select_from(WebhookMessage).where(*is_pending)
    if (work.session.scalar(query) or 0) >= MAX_PENDING:
        return
    payload = {"type": event.value, "timestamp": format_moment(now()), "data": data}
    body = json.dumps(payload, ensure_ascii=False)
    work.session.add(WebhookMessage(webhook=webhook, event=event.value, body=body))
    work.session.flush()
    work.wake(WebhookMessage.JOB)
