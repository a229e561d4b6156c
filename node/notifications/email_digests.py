"""The e-mails of notices: at once, each morning, each Monday; none where nothing is new."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock
from functools import partial
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update

from node.db import now
from node.error_isolation import for_each
from node.mail import service as mail
from node.notifications import preferences, service
from node.notifications.models import Notification, NotificationSubscriber
from node.notifications.preferences import MailFrequency
from node.notifications.service import NotificationDetails
from node.people.models import User
from node.runtime import Node, UnitOfWork

JOB = "notice-mail"
LONDON = ZoneInfo("Europe/London")
# When people find the day's e-mail, and which day the week's.
SEND_TIME, MONDAY = clock(7), 0
# Whoever hears at once gets what follows soon after together.
MIN_INTERVAL = timedelta(minutes=5)
# So much is told in one e-mail.
MAX_ITEMS = 50


@dataclass(frozen=True)
class EmailDigest:
    """What one e-mail tells one person. `more` were left out."""

    user: User
    way: MailFrequency
    notifications: list[NotificationDetails]
    more: int
    language: str
    unsubscribe: str


@dataclass(frozen=True)
class RenderedDigest:
    """A digest in words."""

    subject: str
    text: str
    html: str


class DigestRecipient(NamedTuple):
    """One person, and which of the e-mails that they chose is due."""

    way: MailFrequency
    user_id: int

    def __str__(self) -> str:
        return f"{self.way} for person {self.user_id}"


class DigestRenderer(Protocol):
    def __call__(self, digest: EmailDigest) -> RenderedDigest: ...


def run_job(node: Node, write: DigestRenderer, moment: datetime | None = None) -> None:
    """The job: send all that is due by `moment`."""
    moment = moment or now()
    for way in (MailFrequency.once, MailFrequency.daily, MailFrequency.weekly):
        before = due_before(way, moment)
        recipients = [
            DigestRecipient(way, user_id) for user_id in _recipient_ids(node, way, before)
        ]
        act = partial(_send_in_transaction, node, before=before, moment=moment, write=write)
        for_each(node, JOB, recipients, act)


def _send_in_transaction(
    node: Node,
    recipient: DigestRecipient,
    *,
    before: datetime,
    moment: datetime,
    write: DigestRenderer,
) -> None:
    with node.work(by=JOB) as work:
        _send(work, recipient.user_id, recipient.way, before, moment, write)


def due_before(way: MailFrequency, moment: datetime) -> datetime:
    """What was told before this is due in an e-mail by `moment`."""
    if way is MailFrequency.once:
        return moment
    local = moment.astimezone(LONDON)
    day = local.date() if local.time() >= SEND_TIME else local.date() - timedelta(days=1)
    if way is MailFrequency.weekly:
        day -= timedelta(days=(day.weekday() - MONDAY) % 7)
    return _send_time_on(day)


def _send_time_on(day: date) -> datetime:
    return datetime.combine(day, SEND_TIME, LONDON)


def _recipient_ids(node: Node, way: MailFrequency, before: datetime) -> Iterable[int]:
    waits = select(Notification.user_id).where(
        Notification.waits_for == way.value, Notification.at < before
    )
    with node.reading() as session:
        return session.scalars(waits.distinct()).all()


def _send(
    work: UnitOfWork,
    user_id: int,
    way: MailFrequency,
    before: datetime,
    moment: datetime,
    write: DigestRenderer,
) -> None:
    session = work.session
    who = preferences.ensure_subscriber(work, user_id)
    # Of two workers, the second finds that nothing waits any more.
    session.refresh(who, with_for_update={"of": NotificationSubscriber})
    if (
        way is MailFrequency.once
        and who.mailed_at is not None
        and who.mailed_at > moment - MIN_INTERVAL
    ):
        return
    waits = (
        Notification.user_id == user_id,
        Notification.waits_for == way.value,
        Notification.at < before,
    )
    found: list[Notification] = []
    total = 0
    if who.user.active:
        unread = service.select_visible(work.node, who.user).where(
            *waits, Notification.read_at.is_(None)
        )
        total = session.scalar(select(func.count()).select_from(unread.subquery())) or 0
        found = list(session.scalars(unread.order_by(Notification.id).limit(MAX_ITEMS)))
    told = service.load_details(session, found)
    session.execute(update(Notification).where(*waits).values(waits_for=None))
    if not told:
        return
    unsubscribe = f"{work.settings.base_url}/unsubscribe/{who.token}/{way}"
    language = who.user.language or work.settings.language
    digest = EmailDigest(who.user, way, told, total - len(told), language, unsubscribe)
    written = write(digest)
    mail.send(
        work,
        who.user.email,
        written.subject,
        written.text,
        html=written.html,
        unsubscribe=unsubscribe,
        language=language,
    )
    who.mailed_at = moment if way is MailFrequency.once else who.mailed_at
