"""What an officer who chooses to be seen can do. Nobody has an actor without choosing it, and
nothing of those who did not is in any document or page for others.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.orm import Session

from federation.addressing import PUBLIC, Addressed
from federation.origin import host_of
from federation.vocabulary import delete as delete_activity
from federation.vocabulary import update as update_activity
from federation.webfinger import USERNAME
from node import portions
from node.councils import service as councils
from node.errors import ConflictError, GoneError, InvalidInputError, NotFoundError
from node.federating import actors, addresses, publishing
from node.federating.models import Actor, Delivery, Follow, OutboxActivity
from node.people import service as people
from node.people.models import User
from node.runtime import UnitOfWork
from node.settings import Settings
from node.text import misfit, trim
from node.wording import Saying, say

KIND = "Person"
LONGEST = {"name": 200, "username": 40, "about": 500}
# Names by which nobody should seem to speak for the council or the node.
RESERVED = councils.RESERVED | {
    "abuse",
    "admin",
    "administrator",
    "council",
    "help",
    "info",
    "moderator",
    "moothall",
    "officer",
    "operator",
    "postmaster",
    "press",
    "root",
    "security",
    "support",
    "webmaster",
}
# So many names are tried to suggest one.
MOST_TRIED = 20


@dataclass(frozen=True)
class Profile:
    """What others see of an officer. `about` is plain text on one line, and may be empty."""

    name: str
    about: str = ""


def of_user(session: Session, user: User) -> Actor | None:
    """The actor of somebody who chose to be seen."""
    return session.scalar(select(Actor).where(Actor.user_id == user.id, is_seen()))


def is_seen() -> ColumnElement[bool]:
    """Whether an actor is that of an officer who is seen: whose account is in use, too."""
    in_use = Actor.user_id.in_(select(User.id).where(User.active))
    return and_(Actor.is_local, Actor.kind == KIND, in_use)


def by_username(session: Session, settings: Settings, username: str) -> Actor:
    """An officer who is seen. Raises `GoneError` for one who was, `NotFoundError` for none."""
    uri = addresses.officer(settings, username)
    actor = session.scalar(select(Actor).where(Actor.uri == uri, is_seen()))
    if actor is not None:
        return actor
    if actors.by_uri(session, uri) is not None:
        raise GoneError(say("This person’s profile is no longer public."))
    raise NotFoundError(say("There is no one with that name on this server."))


def gone_at(session: Session, uri: str) -> datetime | None:
    """When an officer chose not to be seen any more."""
    said = OutboxActivity.actor.has(Actor.uri == uri), OutboxActivity.object_uri == uri
    query = select(OutboxActivity.created_at).where(*said, OutboxActivity.type == "Delete")
    return session.scalar(query)


def about_of(actor: Actor) -> str:
    """What an officer says of themselves, as it was typed."""
    return Markup(actor.about).striptags()  # noqa: S704 -- it becomes plain text


def suggest(session: Session, settings: Settings, name: str) -> str:
    """A user name that is free, made of a person's name; empty where none is found."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", ".", plain)[: LONGEST["username"] - 2].strip(".")
    for number in range(1, MOST_TRIED + 1):
        wanted = words if number == 1 else f"{words}{number}"
        if words and not _wrong_username(session, settings, wanted):
            return wanted
    return ""


def choose(work: UnitOfWork, user: User, profile: Profile, username: str) -> Actor:
    """`user` is seen from now on: an actor with keys of its own, whose user name stays.

    Raises `ConflictError` if that was chosen before, `InvalidInputError` with what is wrong.
    """
    session, settings = work.session, work.settings
    council = councils.require_own(session).actor
    # One after the other: two who want the same name at once do not both get it.
    session.scalars(select(Actor.id).where(Actor.id == council.id).with_for_update()).one()
    if of_user(session, user) is not None:
        raise ConflictError(say("Your profile is already public."))
    username = username.strip().lower().removeprefix("@")
    profile = _trimmed(profile)
    wrong = _wrong(profile)
    if wrong_username := _wrong_username(session, settings, username):
        wrong["username"] = wrong_username
    if wrong:
        raise InvalidInputError(say("Your profile could not be created."), wrong)
    uri = addresses.officer(settings, username)
    actor = actors.create_local(
        session, settings, uri=uri, kind=KIND, username=username, name="", url=uri
    )
    actor.attributed_to, actor.user_id = council.uri, user.id
    _write(actor, profile)
    session.flush()
    work.audit("officer.choose", uri, name=actor.name)
    return actor


def change(work: UnitOfWork, actor: Actor, profile: Profile) -> None:
    """Say something else of oneself, and tell the followers. Raises `InvalidInputError`."""
    profile = _trimmed(profile)
    if wrong := _wrong(profile):
        raise InvalidInputError(say("Your profile could not be saved."), wrong)
    before = actor.name, actor.about
    _write(actor, profile)
    if (actor.name, actor.about) == before:
        return
    tell(work, actor)
    work.audit("officer.change", actor.uri, name=actor.name)


def tell(work: UnitOfWork, actor: Actor) -> None:
    """Tell the followers of an officer's actor what its document says now."""
    uri = addresses.new_activity(work.settings)
    document = actors.describe(work.settings, actor).dump(context=False)
    publishing.publish(work, actor, update_activity(uri, actor.uri, document, **audience(actor)))


def withdraw(work: UnitOfWork, actor: Actor) -> None:
    """An officer is not seen any more: whoever ever heard of the actor is told that it is no more,
    and what it said is shown to nobody. Its address is never given to anybody again.
    """
    to = _who_heard(work.session, actor)
    uri = addresses.new_activity(work.settings)
    gone = delete_activity(uri, actor.uri, actor.uri, **audience(actor))
    publishing.publish_to(work, actor, gone, to)
    actors.close(actor)
    actor.name = actor.about = ""
    actor.user_id = None
    portions.begin(work, WITHDRAWING, str(actor.id))
    work.audit("officer.withdraw", actor.uri)


def _withdraw_some(work: UnitOfWork, row: portions.LongWrite) -> bool:
    """Of an actor that is closed, a portion of what it said, the newest first, and of its
    followers.
    """
    session, actor_id = work.session, int(row.subject)
    is_shown = OutboxActivity.audience != publishing.NOBODY, OutboxActivity.type != "Delete"
    said = select(OutboxActivity.id).where(OutboxActivity.actor_id == actor_id, *is_shown)
    said = said.order_by(OutboxActivity.id.desc())
    ids = portions.take(session, OutboxActivity, said)
    hidden = update(OutboxActivity).where(OutboxActivity.id.in_(ids))
    follows = select(Follow.id).where(Follow.followed_id == actor_id)
    ended = delete(Follow).where(Follow.id.in_(portions.take(session, Follow, follows)))
    for statement in (hidden.values(audience=publishing.NOBODY), ended):
        session.execute(statement, execution_options=portions.UNSYNCHRONISED)
    return portions.is_any_left(session, said) or portions.is_any_left(session, follows)


WITHDRAWING = portions.Kind("withdraw-officer", _withdraw_some)


def deactivate(work: UnitOfWork, user: User) -> None:
    """An account is used no more, and whoever it is of is not seen any more."""
    actor = of_user(work.session, user)
    if actor is not None:
        withdraw(work, actor)
    people.deactivate(work, user)


def audience(actor: Actor) -> Addressed:
    """Whom what an officer's actor says is addressed to: everybody, and the followers."""
    return {"to": (PUBLIC,), "cc": (actor.followers or "",)}


def _who_heard(session: Session, actor: Actor) -> set[str]:
    """Where the followers of an actor hear, and every other server that was ever sent anything of
    it, once for each.
    """
    to = publishing.followers(session, actor) | publishing.holders(session, actor.uri)
    hosts = {host_of(inbox) for inbox in to}
    sent = (
        select(func.min(Delivery.inbox))
        .join(Delivery.activity)
        .where(OutboxActivity.actor_id == actor.id, Delivery.host.not_in(hosts))
        .group_by(Delivery.host)
    )
    return to | set(session.scalars(sent))


def _trimmed(profile: Profile) -> Profile:
    return Profile(trim(profile.name), trim(profile.about))


def _wrong(profile: Profile) -> dict[str, Saying]:
    wrong: dict[str, Saying] = {}
    if not profile.name:
        wrong["name"] = say("Enter your name in %(most)s characters or fewer", most=LONGEST["name"])
    for field in ("name", "about"):
        if why := misfit(getattr(profile, field), LONGEST[field]):
            wrong[field] = why
    return wrong


def _wrong_username(session: Session, settings: Settings, username: str) -> Saying | None:
    """What keeps somebody from having a user name. One that was had is never had again."""
    if not USERNAME.fullmatch(username) or len(username) > LONGEST["username"]:
        return say(
            "Enter a user name of %(most)s characters or fewer, using only "
            "letters, numbers, full stops and hyphens, such as sam.okoro",
            most=LONGEST["username"],
        )
    uri = addresses.officer(settings, username)
    is_taken = actors.local_by_username(session, username) or actors.by_uri(session, uri)
    if username in RESERVED or is_taken:
        return say("Choose another user name. This one is not available")
    return None


def _write(actor: Actor, profile: Profile) -> None:
    actor.name = profile.name
    actor.about = str(Markup("<p>{}</p>").format(profile.about)) if profile.about else ""
