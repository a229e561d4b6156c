"""How a person hears of what: their choice, else what is usual, which is quiet."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node import change_tracking
from node.db import insert_into, insert_once
from node.errors import InvalidInputError, NotFoundError
from node.events.kinds import Topic
from node.languages import LANGUAGES
from node.messages import msg
from node.notifications.models import Notification, NotificationPreference, NotificationSubscriber
from node.people.models import User
from node.runtime import UnitOfWork


class MailFrequency(StrEnum):
    """How to hear of something. `app`: on the page of notices alone; the e-mails come besides."""

    app = "app"
    once = "once"
    daily = "daily"
    weekly = "weekly"
    nothing = "nothing"


EMAILED_FREQUENCIES = frozenset({MailFrequency.once, MailFrequency.daily, MailFrequency.weekly})
DEFAULT_FREQUENCIES: Mapping[Topic, MailFrequency] = {
    Topic.own: MailFrequency.weekly,
    Topic.asked: MailFrequency.daily,
    Topic.updates: MailFrequency.app,
    Topic.projects: MailFrequency.app,
    Topic.searches: MailFrequency.app,
}


def get_preferences(session: Session, user_id: int) -> dict[Topic, MailFrequency]:
    """How somebody hears of each topic."""
    return get_preferences_of_users(session, [user_id])[user_id]


@change_tracking.cached({"notice_choice": None})
def get_preferences_of_users(
    session: Session, user_ids: Collection[int]
) -> dict[int, dict[Topic, MailFrequency]]:
    """The same of several people."""
    found = {user_id: dict(DEFAULT_FREQUENCIES) for user_id in user_ids}
    for row in session.scalars(
        select(NotificationPreference).where(NotificationPreference.user_id.in_(found))
    ):
        found[row.user_id][Topic(row.topic)] = MailFrequency(row.way)
    return found


def get_mail_language(session: Session, user_id: int, usual: str) -> str:
    """The language of somebody's e-mails: the one they chose, or the node's."""
    return session.scalar(select(User.language).where(User.id == user_id)) or usual


def save_preferences(
    work: UnitOfWork, user_id: int, chosen: Mapping[str, str], mail_language: str
) -> None:
    """Hear of these topics so from now on, and by e-mail in that language; what waits for an e-mail
    already, too.

    Raises `InvalidInputError` with everything that is no choice.
    """
    wrong = {
        topic: msg("Select how you want to get these notifications")
        for topic, way in chosen.items()
        if way not in list(MailFrequency)
    }
    if mail_language not in LANGUAGES:
        wrong["language"] = msg("Select a language for emails")
    if wrong:
        raise InvalidInputError(msg("Your notification settings could not be saved."), wrong)
    ensure_subscriber(work, user_id).user.language = mail_language
    _store_preferences(work, user_id, chosen)


def get_subscriber(session: Session, token: str) -> NotificationSubscriber:
    """Whoever the link in an e-mail was made for. Raises `NotFoundError`."""
    found = session.scalar(
        select(NotificationSubscriber).where(NotificationSubscriber.token == token)
    )
    if found is None:
        raise NotFoundError(msg("This link is not valid, or the account no longer exists."))
    return found


def unsubscribe(
    work: UnitOfWork, who: NotificationSubscriber, ways: Collection[MailFrequency]
) -> None:
    """Somebody gets these e-mails no more: what they were of is on their page alone."""
    mailed = get_preferences(work.session, who.user_id).items()
    _store_preferences(
        work, who.user_id, {topic: MailFrequency.app for topic, way in mailed if way in ways}
    )


def _store_preferences(work: UnitOfWork, user_id: int, chosen: Mapping[str, str]) -> None:
    for topic, way in chosen.items():
        new = insert_into(work.session, NotificationPreference).values(
            user_id=user_id, topic=topic, way=way
        )
        keys = ["user_id", "topic"]
        work.session.execute(new.on_conflict_do_update(index_elements=keys, set_={"way": way}))
        waiting = (
            Notification.user_id == user_id,
            Notification.topic == topic,
            Notification.waits_for.is_not(None),
        )
        again = way if way in EMAILED_FREQUENCIES else None
        work.session.execute(update(Notification).where(*waiting).values(waits_for=again))


def ensure_subscriber(work: UnitOfWork, user_id: int) -> NotificationSubscriber:
    """Somebody's row, made on first use."""
    insert_once(work.session, NotificationSubscriber, user_id=user_id)
    return work.session.scalars(
        select(NotificationSubscriber).where(NotificationSubscriber.user_id == user_id)
    ).one()
