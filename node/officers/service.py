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
from node import long_writes
from node.councils import service as councils
from node.errors import ConflictError, GoneError, InvalidInputError, NotFoundError
from node.federating import actors, local_uris, outbox
from node.federating.models import Actor, Delivery, Follow, OutboxActivity
from node.messages import Message, msg
from node.people import service as people
from node.people.models import User
from node.runtime import UnitOfWork
from node.settings import Settings
from node.text import misfit, trim

ACTOR_KIND = "Person"
MAX_LENGTHS = {"name": 200, "username": 40, "about": 500}
# Names by which nobody should seem to speak for the council or the node.
RESERVED_USERNAMES = councils.RESERVED_SLUGS | {
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
MAX_ATTEMPTS = 20


@dataclass(frozen=True)
class OfficerProfile:
    """What others see of an officer. `about` is plain text on one line, and may be empty."""

    name: str
    about: str = ""


def find_actor(session: Session, user: User) -> Actor | None:
    """The actor of somebody who chose to be seen."""
    return session.scalar(select(Actor).where(Actor.user_id == user.id, is_public()))


def is_public() -> ColumnElement[bool]:
    """Whether an actor is that of an officer who is seen: whose account is in use, too."""
    in_use = Actor.user_id.in_(select(User.id).where(User.active))
    return and_(Actor.is_local, Actor.kind == ACTOR_KIND, in_use)


def by_username(session: Session, settings: Settings, username: str) -> Actor:
    """An officer who is seen. Raises `GoneError` for one who was, `NotFoundError` for none."""
    uri = local_uris.officer(settings, username)
    actor = session.scalar(select(Actor).where(Actor.uri == uri, is_public()))
    if actor is not None:
        return actor
    if actors.by_uri(session, uri) is not None:
        raise GoneError(msg("This person’s profile is no longer public."))
    raise NotFoundError(msg("There is no one with that name on this server."))


def withdrawn_at(session: Session, uri: str) -> datetime | None:
    """When an officer chose not to be seen any more."""
    said = OutboxActivity.actor.has(Actor.uri == uri), OutboxActivity.object_uri == uri
    query = select(OutboxActivity.created_at).where(*said, OutboxActivity.type == "Delete")
    return session.scalar(query)


def about_text(actor: Actor) -> str:
    """What an officer says of themselves, as it was typed."""
    return Markup(actor.about).striptags()  # noqa: S704 -- it becomes plain text


def suggest_username(session: Session, settings: Settings, name: str) -> str:
    """A user name that is free, made of a person's name; empty where none is found."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", ".", plain)[: MAX_LENGTHS["username"] - 2].strip(".")
    for number in range(1, MAX_ATTEMPTS + 1):
        wanted = words if number == 1 else f"{words}{number}"
        if words and not _username_error(session, settings, wanted):
            return wanted
    return ""


def create_profile(work: UnitOfWork, user: User, profile: OfficerProfile, username: str) -> Actor:
    """`user` is seen from now on: an actor with keys of its own, whose user name stays.

    Raises `ConflictError` if that was chosen before, `InvalidInputError` with what is wrong.
    """
    session, settings = work.session, work.settings
    council = councils.require_own(session).actor
    # One after the other: two who want the same name at once do not both get it.
    session.scalars(select(Actor.id).where(Actor.id == council.id).with_for_update()).one()
    if find_actor(session, user) is not None:
        raise ConflictError(msg("Your profile is already public."))
    username = username.strip().lower().removeprefix("@")
    profile = _clean(profile)
    wrong = _errors(profile)
    if wrong_username := _username_error(session, settings, username):
        wrong["username"] = wrong_username
    if wrong:
        raise InvalidInputError(msg("Your profile could not be created."), wrong)
    uri = local_uris.officer(settings, username)
    actor = actors.create_local(
        session, settings, uri=uri, kind=ACTOR_KIND, username=username, name="", url=uri
    )
    actor.attributed_to, actor.user_id = council.uri, user.id
    _apply_profile(actor, profile)
    session.flush()
    work.audit("officer.choose", uri, name=actor.name)
    return actor


def update_profile(work: UnitOfWork, actor: Actor, profile: OfficerProfile) -> None:
    """Say something else of oneself, and tell the followers. Raises `InvalidInputError`."""
    profile = _clean(profile)
    if wrong := _errors(profile):
        raise InvalidInputError(msg("Your profile could not be saved."), wrong)
    before = actor.name, actor.about
    _apply_profile(actor, profile)
    if (actor.name, actor.about) == before:
        return
    publish_actor_update(work, actor)
    work.audit("officer.change", actor.uri, name=actor.name)


def publish_actor_update(work: UnitOfWork, actor: Actor) -> None:
    """Tell the followers of an officer's actor what its document says now."""
    uri = local_uris.new_activity(work.settings)
    document = actors.build_document(work.settings, actor).dump(context=False)
    outbox.publish(work, actor, update_activity(uri, actor.uri, document, **address_to(actor)))


def withdraw_profile(work: UnitOfWork, actor: Actor) -> None:
    """An officer is not seen any more: whoever ever heard of the actor is told that it is no more,
    and what it said is shown to nobody. Its address is never given to anybody again.
    """
    to = _informed_inboxes(work.session, actor)
    uri = local_uris.new_activity(work.settings)
    gone = delete_activity(uri, actor.uri, actor.uri, **address_to(actor))
    outbox.publish_to(work, actor, gone, to)
    actors.close(actor)
    actor.name = actor.about = ""
    actor.user_id = None
    long_writes.begin(work, WITHDRAW_OFFICER, str(actor.id))
    work.audit("officer.withdraw", actor.uri)


def _withdraw_some(work: UnitOfWork, row: long_writes.LongWrite) -> bool:
    """Of an actor that is closed, a portion of what it said, the newest first, and of its
    followers.
    """
    session, actor_id = work.session, int(row.subject)
    is_shown = OutboxActivity.audience != outbox.NOBODY, OutboxActivity.type != "Delete"
    said = select(OutboxActivity.id).where(OutboxActivity.actor_id == actor_id, *is_shown)
    said = said.order_by(OutboxActivity.id.desc())
    ids = long_writes.lock_batch(session, OutboxActivity, said)
    hidden = update(OutboxActivity).where(OutboxActivity.id.in_(ids))
    follows = select(Follow.id).where(Follow.followed_id == actor_id)
    ended = delete(Follow).where(Follow.id.in_(long_writes.lock_batch(session, Follow, follows)))
    for statement in (hidden.values(audience=outbox.NOBODY), ended):
        session.execute(statement, execution_options=long_writes.UNSYNCHRONISED)
    return long_writes.is_any_left(session, said) or long_writes.is_any_left(session, follows)


WITHDRAW_OFFICER = long_writes.LongWriteKind("withdraw-officer", _withdraw_some)


def deactivate(work: UnitOfWork, user: User) -> None:
    """An account is used no more, and whoever it is of is not seen any more."""
    actor = find_actor(work.session, user)
    if actor is not None:
        withdraw_profile(work, actor)
    people.deactivate(work, user)


def address_to(actor: Actor) -> Addressed:
    """Whom what an officer's actor says is addressed to: everybody, and the followers."""
    return {"to": (PUBLIC,), "cc": (actor.followers or "",)}


def _informed_inboxes(session: Session, actor: Actor) -> set[str]:
    """Where the followers of an actor hear, and every other server that was ever sent anything of
    it, once for each.
    """
    to = outbox.follower_inboxes(session, actor) | outbox.holder_inboxes(session, actor.uri)
    hosts = {host_of(inbox) for inbox in to}
    sent = (
        select(func.min(Delivery.inbox))
        .join(Delivery.activity)
        .where(OutboxActivity.actor_id == actor.id, Delivery.host.not_in(hosts))
        .group_by(Delivery.host)
    )
    return to | set(session.scalars(sent))


def _clean(profile: OfficerProfile) -> OfficerProfile:
    return OfficerProfile(trim(profile.name), trim(profile.about))


def _errors(profile: OfficerProfile) -> dict[str, Message]:
    wrong: dict[str, Message] = {}
    if not profile.name:
        wrong["name"] = msg(
            "Enter your name in %(most)s characters or fewer", most=MAX_LENGTHS["name"]
        )
    for field in ("name", "about"):
        if why := misfit(getattr(profile, field), MAX_LENGTHS[field]):
            wrong[field] = why
    return wrong


def _username_error(session: Session, settings: Settings, username: str) -> Message | None:
    """What keeps somebody from having a user name. One that was had is never had again."""
    if not USERNAME.fullmatch(username) or len(username) > MAX_LENGTHS["username"]:
        return msg(
            "Enter a user name of %(most)s characters or fewer, using only "
            "letters, numbers, full stops and hyphens, such as sam.okoro",
            most=MAX_LENGTHS["username"],
        )
    uri = local_uris.officer(settings, username)
    is_taken = actors.local_by_username(session, username) or actors.by_uri(session, uri)
    if username in RESERVED_USERNAMES or is_taken:
        return msg("Choose another user name. This one is not available")
    return None


def _apply_profile(actor: Actor, profile: OfficerProfile) -> None:
    actor.name = profile.name
    actor.about = str(Markup("<p>{}</p>").format(profile.about)) if profile.about else ""
