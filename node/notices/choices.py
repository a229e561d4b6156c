"""How a person hears of what: their choice, else what is usual, which is quiet."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node import changes
from node.db import insert_into, insert_once
from node.errors import InvalidInputError, NotFoundError
from node.languages import LANGUAGES
from node.news.kinds import Topic
from node.notices.models import Choice, Notice, Subscriber
from node.people.models import User
from node.runtime import UnitOfWork
from node.wording import say


class Way(StrEnum):
    """How to hear of something. `app`: on the page of notices alone; the e-mails come besides."""

    app = "app"
    once = "once"
    daily = "daily"
    weekly = "weekly"
    nothing = "nothing"


MAILED = frozenset({Way.once, Way.daily, Way.weekly})
USUAL: Mapping[Topic, Way] = {
    Topic.own: Way.weekly,
    Topic.asked: Way.daily,
    Topic.updates: Way.app,
    Topic.projects: Way.app,
    Topic.searches: Way.app,
}


def of(session: Session, user_id: int) -> dict[Topic, Way]:
    """How somebody hears of each topic."""
    return of_all(session, [user_id])[user_id]


@changes.cached({"notice_choice": None})
def of_all(session: Session, user_ids: Collection[int]) -> dict[int, dict[Topic, Way]]:
    """The same of several people."""
    found = {user_id: dict(USUAL) for user_id in user_ids}
    for row in session.scalars(select(Choice).where(Choice.user_id.in_(found))):
        found[row.user_id][Topic(row.topic)] = Way(row.way)
    return found


def language(session: Session, user_id: int, usual: str) -> str:
    """The language of somebody's e-mails: the one they chose, or the node's."""
    return session.scalar(select(User.language).where(User.id == user_id)) or usual


def choose(work: UnitOfWork, user_id: int, chosen: Mapping[str, str], mail_language: str) -> None:
    """Hear of these topics so from now on, and by e-mail in that language; what waits for an e-mail
    already, too.

    Raises `InvalidInputError` with everything that is no choice.
    """
    wrong = {
        topic: say("Select how you want to get these notifications")
        for topic, way in chosen.items()
        if way not in list(Way)
    }
    if mail_language not in LANGUAGES:
        wrong["language"] = say("Select a language for emails")
    if wrong:
        raise InvalidInputError(say("Your notification settings could not be saved."), wrong)
    subscriber(work, user_id).user.language = mail_language
    _write(work, user_id, chosen)


def by_token(session: Session, token: str) -> Subscriber:
    """Whoever the link in an e-mail was made for. Raises `NotFoundError`."""
    found = session.scalar(select(Subscriber).where(Subscriber.token == token))
    if found is None:
        raise NotFoundError(say("This link is not valid, or the account no longer exists."))
    return found


def unsubscribe(work: UnitOfWork, who: Subscriber, ways: Collection[Way]) -> None:
    """Somebody gets these e-mails no more: what they were of is on their page alone."""
    mailed = of(work.session, who.user_id).items()
    _write(work, who.user_id, {topic: Way.app for topic, way in mailed if way in ways})


def _write(work: UnitOfWork, user_id: int, chosen: Mapping[str, str]) -> None:
    for topic, way in chosen.items():
        new = insert_into(work.session, Choice).values(user_id=user_id, topic=topic, way=way)
        keys = ["user_id", "topic"]
        work.session.execute(new.on_conflict_do_update(index_elements=keys, set_={"way": way}))
        waiting = (
            Notice.user_id == user_id,
            Notice.topic == topic,
            Notice.waits_for.is_not(None),
        )
        again = way if way in MAILED else None
        work.session.execute(update(Notice).where(*waiting).values(waits_for=again))


def subscriber(work: UnitOfWork, user_id: int) -> Subscriber:
    """Somebody's row, made on first use."""
    insert_once(work.session, Subscriber, user_id=user_id)
    return work.session.scalars(select(Subscriber).where(Subscriber.user_id == user_id)).one()
