"""Webhooks: whom to tell, and putting messages to them in the queue."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from node import portions
from node.db import now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.federating.readers import ANYBODY, OUR_OWN
from node.feeds.describing import moment
from node.hooks import Hooks
from node.outbound.errors import OutboundError
from node.outbound.targets import parse_target
from node.people import credentials
from node.people.credentials import Change
from node.people.models import User
from node.people.permissions import allows
from node.projects import service as projects
from node.projects.models import Project, Visibility
from node.runtime import UnitOfWork
from node.updates.models import State, Update
from node.webhooks import events
from node.webhooks.events import CHOICES, Event
from node.webhooks.models import Webhook, WebhookMessage, new_secret
from node.wording import Saying, say

PERMISSION = "projects.edit"
# So many may one person have, and so many messages wait for one of them.
MOST, MOST_WAITING = 10, 1_000
# For so long messages are signed with the secret before too.
OVERLAP = timedelta(days=1)
SHOWN = 20


def add(
    work: UnitOfWork, user: User, url: str, wanted: Sequence[str], *, tells_all: bool
) -> Webhook:
    """Tell `url` of what happens from now on. Raises `InvalidInputError`."""
    url = url.strip()
    wrong: dict[str, Saying] = {}
    try:
        parse_target(url, private_hosts=())
    except OutboundError as error:
        wrong["url"] = (
            say("This address cannot be used: %(why)s", why=error.text_for_officers)
            if url
            else say("Enter an address that begins with https://")
        )
    if not wanted or not set(wanted) <= set(CHOICES):
        wrong["events"] = say("Select which events to send")
    if wrong:
        raise InvalidInputError(say("The webhook could not be saved."), wrong)
    mine = Webhook.user_id == user.id, Webhook.removed_at.is_(None)
    query = select(func.count()).select_from(Webhook).where(*mine)
    if (work.session.scalar(query) or 0) >= MOST:
        raise ConflictError(
            say("You already have %(most)s webhooks. Remove one before you add another.", most=MOST)
        )
    chosen = [event.value for event in CHOICES if event in wanted]
    hook = Webhook(user=user, url=url, events=chosen, tells_all=tells_all)
    work.session.add(hook)
    work.session.flush()
    credentials.notify(work, user, Change.webhook, url=url)
    work.audit("webhook.add", url, events=chosen, tells_all=tells_all)
    return hook


def of_user(session: Session, user: User, *, everybodys: bool) -> list[Webhook]:
    """A person's webhooks; or all, for whoever looks after the node."""
    query = select(Webhook).where(Webhook.removed_at.is_(None))
    query = query.order_by(Webhook.id.desc()).limit(200)
    return list(session.scalars(query if everybodys else query.where(Webhook.user_id == user.id)))


def find(session: Session, user: User, number: int, *, everybodys: bool) -> Webhook:
    """Raises `NotFoundError` for none, and for somebody else's."""
    hook = session.get(Webhook, number)
    is_there = hook is not None and hook.removed_at is None
    if hook is None or not is_there or not (everybodys or hook.user_id == user.id):
        raise NotFoundError(say("There is no such webhook."))
    return hook


def messages(session: Session, hook: Webhook) -> list[WebhookMessage]:
    """The newest messages to a webhook."""
    query = select(WebhookMessage).where(WebhookMessage.webhook_id == hook.id)
    return list(session.scalars(query.order_by(WebhookMessage.id.desc()).limit(SHOWN)))


def change_secret(work: UnitOfWork, hook: Webhook) -> str:
    """A new secret, which is shown this once."""
    hook.old_secret, hook.secret, hook.changed_secret_at = hook.secret, new_secret(), now()
    work.audit("webhook.secret", hook.url)
    return hook.secret


def keys(hook: Webhook) -> list[str]:
    """With what messages are signed now."""
    changed = hook.changed_secret_at
    is_new = hook.old_secret is not None and changed is not None and changed > now() - OVERLAP
    return [hook.secret, *([hook.old_secret] if is_new and hook.old_secret else [])]


def remove(work: UnitOfWork, hook: Webhook) -> None:
    """Nothing more is sent there. The messages go first, and the webhook with the last of them."""
    work.audit("webhook.remove", hook.url)
    hook.removed_at = hook.off_at = now()
    portions.begin(work, REMOVING, str(hook.id))


def _remove_some(work: UnitOfWork, row: portions.LongWrite) -> bool:
    session, hook_id = work.session, int(row.subject)
    messages = select(WebhookMessage.id).where(WebhookMessage.webhook_id == hook_id)
    ids = portions.take(session, WebhookMessage, messages)
    gone = delete(WebhookMessage).where(WebhookMessage.id.in_(ids))
    session.execute(gone, execution_options=portions.UNSYNCHRONISED)
    if portions.is_any_left(session, messages):
        return True
    session.execute(delete(Webhook).where(Webhook.id == hook_id))
    return False


REMOVING = portions.Kind("remove-webhook", _remove_some)


def end_all(work: UnitOfWork, user: User) -> None:
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


def test(work: UnitOfWork, hook: Webhook) -> None:
    """Send a message that is about nothing."""
    if hook.off_at is not None:
        raise ConflictError(say("The webhook is switched off. Switch it on first."))
    _queue(work, hook, Event.test, {"sentence": "This is a test."})


def hear(work: UnitOfWork, event: str, project: Project, before: Visibility) -> None:
    """Something happened to a project of ours: tell all webhooks that want to hear of it.

    `before` is who could see the project until now.
    """
    for hook in _listening(work):
        said: Event | None = Event(event)
        if not hook.tells_all:
            said = events.to_everybody(Event(event), before, project.visibility)
        if said is not None and said in hook.events:
            is_gone = said is Event.deleted
            data = events.trace(project) if is_gone else events.of_project(work.settings, project)
            _queue(work, hook, said, data)


def announce(work: UnitOfWork, update: Update) -> None:
    """An update of ours was written; of one that was deleted nothing is told."""
    if update.state is State.deleted:
        return
    is_public = update.project.visibility is Visibility.public
    for hook in _listening(work):
        if Event.told in hook.events and (hook.tells_all or is_public):
            _queue(work, hook, Event.told, events.of_update(work.settings, update))


def _listening(work: UnitOfWork) -> list[Webhook]:
    query = select(Webhook).join(User).where(Webhook.off_at.is_(None), User.active)
    found = work.session.scalars(query.order_by(Webhook.id))
    return [hook for hook in found if may_have(work.node.hooks, hook.user)]


def may_have(hooks: Hooks, user: User) -> bool:
    """Whether a person may have webhooks now; asked whenever one is used."""
    return user.active and allows((role.name for role in user.roles), PERMISSION, hooks)


def still_fits(session: Session, hook: Webhook, message: WebhookMessage) -> bool:
    """Whether what a message describes is there, and for those whom the webhook tells; asked when
    it is sent, which may be days after it was written. One that describes nothing always fits.
    """
    event, data = Event(message.event), json.loads(message.body)["data"]
    if event in {Event.deleted, Event.test}:
        return True
    is_told = event is Event.told
    if is_told:
        published = Update.uri == data["id"], Update.state == State.published
        if session.scalar(select(Update.id).where(*published)) is None:
            return False
    reader = OUR_OWN if hook.tells_all else ANYBODY
    return projects.by_uri(session, data["project" if is_told else "id"], reader) is not None


def _queue(work: UnitOfWork, hook: Webhook, event: Event, data: dict[str, Any]) -> None:
    waiting = WebhookMessage.webhook_id == hook.id, WebhookMessage.state == WebhookMessage.WAITING
    query = select(func.count()).select_from(WebhookMessage).where(*waiting)
    if (work.session.scalar(query) or 0) >= MOST_WAITING:
        return
    body = {"type": event.value, "timestamp": moment(now()), "data": data}
    written = json.dumps(body, ensure_ascii=False)
    work.session.add(WebhookMessage(webhook=hook, event=event.value, body=written))
    work.session.flush()
    work.wake(WebhookMessage.JOB)
