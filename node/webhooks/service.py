"""Webhooks: whom to tell, and putting messages to them in the queue."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from node import long_writes
from node.db import now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.federating.viewer import ANONYMOUS, LOCAL_USER
from node.feeds.representations import format_moment
from node.hooks import Hooks
from node.messages import Message, msg
from node.outbound.errors import OutboundError
from node.outbound.targets import parse_target
from node.people import credentials
from node.people.credentials import AccountChange
from node.people.models import User
from node.people.permissions import is_allowed
from node.projects import service as projects
from node.projects.models import Project, Visibility
from node.runtime import UnitOfWork
from node.updates.models import Update, UpdateState
from node.webhooks import events
from node.webhooks.events import SUBSCRIBABLE_EVENTS, WebhookEvent
from node.webhooks.models import Webhook, WebhookMessage, new_secret

PERMISSION = "projects.edit"
# So many may one person have, and so many messages wait for one of them.
MAX_PER_PERSON, MAX_PENDING = 10, 1_000
# For so long messages are signed with the secret before too.
OLD_SECRET_VALID_FOR = timedelta(days=1)
MAX_SHOWN = 20


def add(
    work: UnitOfWork, user: User, url: str, wanted: Sequence[str], *, tells_all: bool
) -> Webhook:
    """Tell `url` of what happens from now on. Raises `InvalidInputError`."""
    url = url.strip()
    wrong: dict[str, Message] = {}
    try:
        parse_target(url, private_hosts=())
    except OutboundError as error:
        wrong["url"] = (
            msg("This address cannot be used: %(why)s", why=error.text_for_officers)
            if url
            else msg("Enter an address that begins with https://")
        )
    if not wanted or not set(wanted) <= set(SUBSCRIBABLE_EVENTS):
        wrong["events"] = msg("Select which events to send")
    if wrong:
        raise InvalidInputError(msg("The webhook could not be saved."), wrong)
    mine = Webhook.user_id == user.id, Webhook.removed_at.is_(None)
    query = select(func.count()).select_from(Webhook).where(*mine)
    if (work.session.scalar(query) or 0) >= MAX_PER_PERSON:
        raise ConflictError(
            msg(
                "You already have %(most)s webhooks. Remove one before you add another.",
                most=MAX_PER_PERSON,
            )
        )
    chosen = [event.value for event in SUBSCRIBABLE_EVENTS if event in wanted]
    hook = Webhook(user=user, url=url, events=chosen, tells_all=tells_all)
    work.session.add(hook)
    work.session.flush()
    credentials.notify_user(work, user, AccountChange.webhook, url=url)
    work.audit("webhook.add", url, events=chosen, tells_all=tells_all)
    return hook


def list_of_user(session: Session, user: User, *, all_users: bool) -> list[Webhook]:
    """A person's webhooks; or all, for whoever looks after the node."""
    query = select(Webhook).where(Webhook.removed_at.is_(None))
    query = query.order_by(Webhook.id.desc()).limit(200)
    return list(session.scalars(query if all_users else query.where(Webhook.user_id == user.id)))


def find(session: Session, user: User, number: int, *, all_users: bool) -> Webhook:
    """Raises `NotFoundError` for none, and for somebody else's."""
    hook = session.get(Webhook, number)
    is_there = hook is not None and hook.removed_at is None
    if hook is None or not is_there or not (all_users or hook.user_id == user.id):
        raise NotFoundError(msg("There is no such webhook."))
    return hook


def list_messages(session: Session, hook: Webhook) -> list[WebhookMessage]:
    """The newest messages to a webhook."""
    query = select(WebhookMessage).where(WebhookMessage.webhook_id == hook.id)
    return list(session.scalars(query.order_by(WebhookMessage.id.desc()).limit(MAX_SHOWN)))


def change_secret(work: UnitOfWork, hook: Webhook) -> str:
    """A new secret, which is shown this once."""
    hook.old_secret, hook.secret, hook.changed_secret_at = hook.secret, new_secret(), now()
    work.audit("webhook.secret", hook.url)
    return hook.secret


def signing_secrets(hook: Webhook) -> list[str]:
    """With what messages are signed now."""
    changed = hook.changed_secret_at
    is_new = (
        hook.old_secret is not None
        and changed is not None
        and changed > now() - OLD_SECRET_VALID_FOR
    )
    return [hook.secret, *([hook.old_secret] if is_new and hook.old_secret else [])]


def remove(work: UnitOfWork, hook: Webhook) -> None:
    """Nothing more is sent there. The messages go first, and the webhook with the last of them."""
    work.audit("webhook.remove", hook.url)
    hook.removed_at = hook.off_at = now()
    long_writes.begin(work, REMOVE_WEBHOOK, str(hook.id))


def _remove_some(work: UnitOfWork, row: long_writes.LongWrite) -> bool:
    session, hook_id = work.session, int(row.subject)
    messages = select(WebhookMessage.id).where(WebhookMessage.webhook_id == hook_id)
    ids = long_writes.lock_batch(session, WebhookMessage, messages)
    gone = delete(WebhookMessage).where(WebhookMessage.id.in_(ids))
    session.execute(gone, execution_options=long_writes.UNSYNCHRONISED)
    if long_writes.is_any_left(session, messages):
        return True
    session.execute(delete(Webhook).where(Webhook.id == hook_id))
    return False


REMOVE_WEBHOOK = long_writes.LongWriteKind("remove-webhook", _remove_some)


def disable_all(work: UnitOfWork, user: User) -> None:
    """Nothing more is sent to a person's webhooks until they switch them on, and the secrets that
    were shown are no good any more.
    """
    for hook in work.session.scalars(select(Webhook).where(Webhook.user_id == user.id)):
        hook.secret, hook.old_secret, hook.changed_secret_at = new_secret(), None, now()
        hook.off_at = hook.off_at or now()


def switch_on(work: UnitOfWork, hook: Webhook) -> None:
    """Somebody saw to it that the address answers again."""
    hook.off_at = hook.failing_since = None
    work.audit("webhook.on", hook.url)


def queue_test(work: UnitOfWork, hook: Webhook) -> None:
    """Send a message that is about nothing."""
    if hook.off_at is not None:
        raise ConflictError(msg("The webhook is switched off. Switch it on first."))
    _enqueue(work, hook, WebhookEvent.test, {"sentence": "This is a test."})


def on_project_event(work: UnitOfWork, event: str, project: Project, before: Visibility) -> None:
    """Something happened to a project of ours: tell all webhooks that want to hear of it.

    `before` is who could see the project until now.
    """
    for hook in _active_webhooks(work):
        said: WebhookEvent | None = WebhookEvent(event)
        if not hook.tells_all:
            said = events.public_event(WebhookEvent(event), before, project.visibility)
        if said is not None and said in hook.events:
            is_gone = said is WebhookEvent.deleted
            data = (
                events.deleted_payload(project)
                if is_gone
                else events.project_payload(work.settings, project)
            )
            _enqueue(work, hook, said, data)


def on_update_event(work: UnitOfWork, update: Update) -> None:
    """An update of ours was written; of one that was deleted nothing is told."""
    if update.state is UpdateState.deleted:
        return
    is_public = update.project.visibility is Visibility.public
    for hook in _active_webhooks(work):
        if WebhookEvent.update_published in hook.events and (hook.tells_all or is_public):
            _enqueue(
                work,
                hook,
                WebhookEvent.update_published,
                events.update_payload(work.settings, update),
            )


def _active_webhooks(work: UnitOfWork) -> list[Webhook]:
    query = select(Webhook).join(User).where(Webhook.off_at.is_(None), User.active)
    found = work.session.scalars(query.order_by(Webhook.id))
    return [hook for hook in found if can_have_webhooks(work.node.hooks, hook.user)]


def can_have_webhooks(hooks: Hooks, user: User) -> bool:
    """Whether a person may have webhooks now; asked whenever one is used."""
    return user.active and is_allowed((role.name for role in user.roles), PERMISSION, hooks)


def is_still_valid(session: Session, hook: Webhook, message: WebhookMessage) -> bool:
    """Whether what a message describes is there, and for those whom the webhook tells; asked when
    it is sent, which may be days after it was written. One that describes nothing always fits.
    """
    event, data = WebhookEvent(message.event), json.loads(message.body)["data"]
    if event in {WebhookEvent.deleted, WebhookEvent.test}:
        return True
    is_told = event is WebhookEvent.update_published
    if is_told:
        published = Update.uri == data["id"], Update.state == UpdateState.published
        if session.scalar(select(Update.id).where(*published)) is None:
            return False
    reader = LOCAL_USER if hook.tells_all else ANONYMOUS
    return projects.by_uri(session, data["project" if is_told else "id"], reader) is not None


def _enqueue(work: UnitOfWork, hook: Webhook, event: WebhookEvent, data: dict[str, Any]) -> None:
    waiting = WebhookMessage.webhook_id == hook.id, WebhookMessage.state == WebhookMessage.WAITING
    query = select(func.count()).select_from(WebhookMessage).where(*waiting)
    if (work.session.scalar(query) or 0) >= MAX_PENDING:
        return
    body = {"type": event.value, "timestamp": format_moment(now()), "data": data}
    written = json.dumps(body, ensure_ascii=False)
    work.session.add(WebhookMessage(webhook=hook, event=event.value, body=written))
    work.session.flush()
    work.wake(WebhookMessage.JOB)
