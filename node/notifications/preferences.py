"""How users want to be notified of each topic: their choice, or a quiet default."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node.database import change_tracking
from node.database.tables import insert_into, insert_once
from node.errors import InvalidInputError, NotFoundError
from node.languages import LANGUAGES
from node.messages import msg
from node.notification_kinds import Topic
from node.notifications.models import Notification, NotificationPreference, NotificationSubscriber
from node.people.models import User
from node.runtime import UnitOfWork


class MailFrequency(StrEnum):
    """How to notify a user. `app`: on the notifications page alone; emails come in addition."""

    app = "app"
    once = "once"
    daily = "daily"
    weekly = "weekly"
    nothing = "nothing"


EMAIL_FREQUENCIES = frozenset({MailFrequency.once, MailFrequency.daily, MailFrequency.weekly})
DEFAULT_FREQUENCIES: Mapping[Topic, MailFrequency] = {
    Topic.own: MailFrequency.weekly,
    Topic.asked: MailFrequency.daily,
    Topic.updates: MailFrequency.app,
    Topic.projects: MailFrequency.app,
    Topic.searches: MailFrequency.app,
}


def get_preferences(session: Session, user_id: int) -> dict[Topic, MailFrequency]:
    """How a user is notified of each topic."""
    return get_preferences_of_users(session, [user_id])[user_id]


@change_tracking.cached({"notice_choice": None})
def get_preferences_of_users(
    session: Session, user_ids: Collection[int]
) -> dict[int, dict[Topic, MailFrequency]]:
    """How each of these users is notified of each topic, by user id."""
    preferences = {user_id: dict(DEFAULT_FREQUENCIES) for user_id in user_ids}
    for row in session.scalars(
        select(NotificationPreference).where(NotificationPreference.user_id.in_(preferences))
    ):
        preferences[row.user_id][Topic(row.topic)] = MailFrequency(row.way)
    return preferences


def get_mail_language(session: Session, user_id: int, default: str) -> str:
    """The language of a user's emails: the one they chose, or `default`."""
    return session.scalar(select(User.language).where(User.id == user_id)) or default


def save_preferences(
    work: UnitOfWork, user_id: int, chosen: Mapping[str, str], mail_language: str
) -> None:
    """Set how a user is notified, by topic, and the language of emails. Also applies to
    notifications that wait for an email already.

    Raises `InvalidInputError` with an error for each invalid choice.
    """
    errors = {
        topic: msg("Select how you want to get these notifications")
        for topic, frequency in chosen.items()
        if frequency not in list(MailFrequency)
    }
    if mail_language not in LANGUAGES:
        errors["language"] = msg("Select a language for emails")
    if errors:
        raise InvalidInputError(msg("Your notification settings could not be saved."), errors)
    ensure_subscriber(work, user_id).user.language = mail_language
    _store_preferences(work, user_id, chosen)


def get_subscriber(session: Session, token: str) -> NotificationSubscriber:
    """The user whose emails have links with this token. Raises `NotFoundError`."""
    subscriber = session.scalar(
        select(NotificationSubscriber).where(NotificationSubscriber.token == token)
    )
    if subscriber is None:
        raise NotFoundError(msg("This link is not valid, or the account no longer exists."))
    return subscriber


def unsubscribe(
    work: UnitOfWork,
    subscriber: NotificationSubscriber,
    frequencies: Collection[MailFrequency],
) -> None:
    """Stop the emails of these frequencies; their topics move to the notifications page alone."""
    preferences = get_preferences(work.session, subscriber.user_id)
    stopped: dict[str, str] = {
        topic: MailFrequency.app
        for topic, frequency in preferences.items()
        if frequency in frequencies
    }
    _store_preferences(work, subscriber.user_id, stopped)


def _store_preferences(work: UnitOfWork, user_id: int, chosen: Mapping[str, str]) -> None:
    for topic, frequency in chosen.items():
        row = insert_into(work.session, NotificationPreference).values(
            user_id=user_id, topic=topic, way=frequency
        )
        keys = ["user_id", "topic"]
        work.session.execute(
            row.on_conflict_do_update(index_elements=keys, set_={"way": frequency})
        )
        waiting = (
            Notification.user_id == user_id,
            Notification.topic == topic,
            Notification.waits_for.is_not(None),
        )
        waits_for = frequency if frequency in EMAIL_FREQUENCIES else None
        work.session.execute(update(Notification).where(*waiting).values(waits_for=waits_for))


def ensure_subscriber(work: UnitOfWork, user_id: int) -> NotificationSubscriber:
    """The user's row, created on first use."""
    insert_once(work.session, NotificationSubscriber, user_id=user_id)
    return work.session.scalars(
        select(NotificationSubscriber).where(NotificationSubscriber.user_id == user_id)
    ).one()
