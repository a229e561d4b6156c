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
from node.isolation import each
from node.mail import service as mail
from node.notices import choices, service
from node.notices.choices import Way
from node.notices.models import Notice, Subscriber
from node.notices.service import Told
from node.people.models import User
from node.runtime import Node, UnitOfWork

JOB = "notice-mail"
LONDON = ZoneInfo("Europe/London")
# When people find the day's e-mail, and which day the week's.
AT, MONDAY = clock(7), 0
# Whoever hears at once gets what follows soon after together.
PAUSE = timedelta(minutes=5)
# So much is told in one e-mail.
MOST_TOLD = 50


@dataclass(frozen=True)
class Digest:
    """What one e-mail tells one person. `more` were left out."""

    user: User
    way: Way
    told: list[Told]
    more: int
    language: str
    unsubscribe: str


@dataclass(frozen=True)
class Written:
    """A digest in words."""

    subject: str
    text: str
    html: str


class Recipient(NamedTuple):
    """One person, and which of the e-mails that they chose is due."""

    way: Way
    user_id: int

    def __str__(self) -> str:
        return f"{self.way} for person {self.user_id}"


class Writer(Protocol):
    def __call__(self, digest: Digest) -> Written: ...


def work_off(node: Node, write: Writer, moment: datetime | None = None) -> None:
    """The job: send all that is due by `moment`."""
    moment = moment or now()
    for way in (Way.once, Way.daily, Way.weekly):
        before = due(way, moment)
        recipients = [Recipient(way, user_id) for user_id in _waiting(node, way, before)]
        act = partial(_send_to, node, before=before, moment=moment, write=write)
        each(node, JOB, recipients, act)


def _send_to(
    node: Node, recipient: Recipient, *, before: datetime, moment: datetime, write: Writer
) -> None:
    with node.work(by=JOB) as work:
        _send(work, recipient.user_id, recipient.way, before, moment, write)


def due(way: Way, moment: datetime) -> datetime:
    """What was told before this is due in an e-mail by `moment`."""
    if way is Way.once:
        return moment
    local = moment.astimezone(LONDON)
    day = local.date() if local.time() >= AT else local.date() - timedelta(days=1)
    if way is Way.weekly:
        day -= timedelta(days=(day.weekday() - MONDAY) % 7)
    return _in_london(day)


def _in_london(day: date) -> datetime:
    return datetime.combine(day, AT, LONDON)


def _waiting(node: Node, way: Way, before: datetime) -> Iterable[int]:
    waits = select(Notice.user_id).where(Notice.waits_for == way.value, Notice.at < before)
    with node.reading() as session:
        return session.scalars(waits.distinct()).all()


def _send(
    work: UnitOfWork, user_id: int, way: Way, before: datetime, moment: datetime, write: Writer
) -> None:
    session = work.session
    who = choices.subscriber(work, user_id)
    # Of two workers, the second finds that nothing waits any more.
    session.refresh(who, with_for_update={"of": Subscriber})
    if way is Way.once and who.mailed_at is not None and who.mailed_at > moment - PAUSE:
        return
    waits = Notice.user_id == user_id, Notice.waits_for == way.value, Notice.at < before
    found: list[Notice] = []
    total = 0
    if who.user.active:
        unread = service.visible(work.node, who.user).where(*waits, Notice.read_at.is_(None))
        total = session.scalar(select(func.count()).select_from(unread.subquery())) or 0
        found = list(session.scalars(unread.order_by(Notice.id).limit(MOST_TOLD)))
    told = service.described(session, found)
    session.execute(update(Notice).where(*waits).values(waits_for=None))
    if not told:
        return
    unsubscribe = f"{work.settings.base_url}/unsubscribe/{who.token}/{way}"
    language = who.user.language or work.settings.language
    digest = Digest(who.user, way, told, total - len(told), language, unsubscribe)
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
    who.mailed_at = moment if way is Way.once else who.mailed_at
