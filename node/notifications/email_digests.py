"""Queues emails of unread notifications: at once, every morning or every Monday."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock
from functools import partial
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update

from node.database.tables import now
from node.mail import service as mail
from node.notifications import preferences, service
from node.notifications.models import Notification, NotificationSubscriber
from node.notifications.preferences import MailFrequency
from node.notifications.service import NotificationDetails
from node.people.models import User
from node.principal import Principal
from node.queue.error_isolation import for_each
from node.runtime import Node, UnitOfWork

JOB = "notice-mail"
LONDON = ZoneInfo("Europe/London")
# Daily digests are due from this time (London), weekly ones on this weekday.
SEND_TIME, MONDAY = clock(7), 0
# Immediate emails to one person are at least this far apart: what follows soon comes together.
MIN_INTERVAL = timedelta(minutes=5)
# Notifications in one email.
MAX_ITEMS = 50


@dataclass(frozen=True)
class EmailDigest:
    """The content of one email to one person. `more` is the number of notifications left out,
    `unsubscribe` the URL that ends these emails.
    """

    user: User
    frequency: MailFrequency
    notifications: list[NotificationDetails]
    more: int
    language: str
    unsubscribe: str


@dataclass(frozen=True)
class RenderedDigest:
    """A digest as an email, with its body as text and as HTML."""

    subject: str
    text: str
    html: str


class DigestRecipient(NamedTuple):
    """A person with a due email of one frequency."""

    frequency: MailFrequency
    user_id: int

    def __str__(self) -> str:
        return f"{self.frequency} for person {self.user_id}"


class DigestRenderer(Protocol):
    def __call__(self, digest: EmailDigest) -> RenderedDigest: ...


def run_job(node: Node, render: DigestRenderer, moment: datetime | None = None) -> None:
    """Job: send all emails that are due at `moment`, by default now."""
    moment = moment or now()
    for frequency in (MailFrequency.once, MailFrequency.daily, MailFrequency.weekly):
        before = due_before(frequency, moment)
        recipients = [
            DigestRecipient(frequency, user_id)
            for user_id in _recipient_ids(node, frequency, before)
        ]
        send = partial(_send_in_transaction, node, before=before, moment=moment, write=render)
        for_each(node, JOB, recipients, send)


def _send_in_transaction(
    node: Node,
    recipient: DigestRecipient,
    *,
    before: datetime,
    moment: datetime,
    write: DigestRenderer,
) -> None:
    with node.work(by=Principal.job(JOB)) as work:
        _queue_digest(work, recipient.user_id, recipient.frequency, before, moment, write)


def due_before(frequency: MailFrequency, moment: datetime) -> datetime:
    """Notifications older than the returned time are due in an email at `moment`."""
    if frequency is MailFrequency.once:
        return moment
    local = moment.astimezone(LONDON)
    day = local.date() if local.time() >= SEND_TIME else local.date() - timedelta(days=1)
    if frequency is MailFrequency.weekly:
        day -= timedelta(days=(day.weekday() - MONDAY) % 7)
    return _send_time_on(day)


def _send_time_on(day: date) -> datetime:
    return datetime.combine(day, SEND_TIME, LONDON)


def _recipient_ids(node: Node, frequency: MailFrequency, before: datetime) -> Iterable[int]:
    is_due = select(Notification.user_id).where(
        Notification.waits_for == frequency.value, Notification.at < before
    )
    with node.reading() as session:
        return session.scalars(is_due.distinct()).all()


def _queue_digest(
    work: UnitOfWork,
    user_id: int,
    frequency: MailFrequency,
    before: datetime,
    moment: datetime,
    render: DigestRenderer,
) -> None:
    session = work.session
    subscriber = preferences.ensure_subscriber(work, user_id)
    # With the row locked, a second worker finds nothing that waits.
    session.refresh(subscriber, with_for_update={"of": NotificationSubscriber})
    if (
        frequency is MailFrequency.once
        and subscriber.mailed_at is not None
        and subscriber.mailed_at > moment - MIN_INTERVAL
    ):
        return
    is_due = (
        Notification.user_id == user_id,
        Notification.waits_for == frequency.value,
        Notification.at < before,
    )
    notifications: list[Notification] = []
    total = 0
    if subscriber.user.active:
        unread = service.select_visible(work.node, subscriber.user).where(
            *is_due, Notification.read_at.is_(None)
        )
        total = session.scalar(select(func.count()).select_from(unread.subquery())) or 0
        notifications = list(session.scalars(unread.order_by(Notification.id).limit(MAX_ITEMS)))
    details = service.load_details(session, notifications)
    session.execute(update(Notification).where(*is_due).values(waits_for=None))
    if not details:
        return
    unsubscribe = f"{work.settings.base_url}/unsubscribe/{subscriber.token}/{frequency}"
    language = subscriber.user.language or work.settings.language
    digest = EmailDigest(
        subscriber.user, frequency, details, total - len(details), language, unsubscribe
    )
    rendered = render(digest)
    mail.send(
        work,
        subscriber.user.email,
        rendered.subject,
        rendered.text,
        html=rendered.html,
        unsubscribe=unsubscribe,
        language=language,
    )
    subscriber.mailed_at = moment if frequency is MailFrequency.once else subscriber.mailed_at
