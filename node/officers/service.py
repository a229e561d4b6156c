"""Creates, changes and withdraws the public profiles of officers.

An officer has an actor only by choice; others appear in no public document or page.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.orm import Session

from federation.addressing import PUBLIC_COLLECTION, Addressing
from federation.origin import host_of
from federation.vocabulary import delete as delete_activity
from federation.vocabulary import update as update_activity
from federation.vocabulary.activity_types import DELETE
from federation.webfinger import USERNAME
from node.access import audiences
from node.councils import service as councils
from node.errors import ConflictError, GoneError, InvalidInputError, NotFoundError
from node.federating.identity import actors, local_uris
from node.federating.models import Actor, Delivery, Follow, OutboxActivity
from node.federating.outbound import outbox
from node.messages import Message, msg
from node.people import service as people
from node.people.models import User
from node.queue import batched_writes
from node.runtime import UnitOfWork
from node.settings import Settings
from node.text import find_text_error, trim

ACTOR_KIND = "Person"
MAX_LENGTHS = {"name": 200, "username": 40, "about": 500}
# User names that could seem to speak for the council or the server.
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
# User names tried to find a free one to suggest.
MAX_ATTEMPTS = 20


@dataclass(frozen=True)
class OfficerProfile:
    """The public part of an officer. `about` is plain text on one line, possibly empty."""

    name: str
    about: str = ""


def find_actor(session: Session, user: User) -> Actor | None:
    """The actor of a user with a public profile."""
    return session.scalar(select(Actor).where(Actor.user_id == user.id, is_public()))


def is_public() -> ColumnElement[bool]:
    """Condition for the actors of officers with a public profile and an active account."""
    is_active = Actor.user_id.in_(select(User.id).where(User.active))
    return and_(Actor.is_local, Actor.kind == ACTOR_KIND, is_active)


def by_username(session: Session, settings: Settings, username: str) -> Actor:
    """The actor of a public profile. Raises `GoneError` if it was withdrawn, `NotFoundError` if
    there was none.
    """
    uri = local_uris.officer(settings, username)
    actor = session.scalar(select(Actor).where(Actor.uri == uri, is_public()))
    if actor is not None:
        return actor
    if actors.by_uri(session, uri) is not None:
        raise GoneError(msg("This person’s profile is no longer public."))
    raise NotFoundError(msg("Account not found."))


def withdrawn_at(session: Session, uri: str) -> datetime | None:
    """When the profile with this actor id was withdrawn."""
    is_about_itself = OutboxActivity.actor.has(Actor.uri == uri), OutboxActivity.object_uri == uri
    query = select(OutboxActivity.created_at).where(*is_about_itself, OutboxActivity.type == DELETE)
    return session.scalar(query)


def about_text(actor: Actor) -> str:
    """An officer's description of themselves, as plain text."""
    return Markup(actor.about).striptags()  # noqa: S704 -- it becomes plain text


def suggest_username(session: Session, settings: Settings, name: str) -> str:
    """A free user name made from a person's name; empty if none is found."""
    ascii_name = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^a-z0-9]+", ".", ascii_name)[: MAX_LENGTHS["username"] - 2].strip(".")
    for number in range(1, MAX_ATTEMPTS + 1):
        username = stem if number == 1 else f"{stem}{number}"
        if stem and not _find_username_error(session, settings, username):
            return username
    return ""


def create_profile(work: UnitOfWork, user: User, profile: OfficerProfile, username: str) -> Actor:
    """Make `user` public: create an actor with its own keys and a permanent user name.

    Raises `ConflictError` if the profile is public already, `InvalidInputError` with an error for
    each invalid field.
    """
    session, settings = work.session, work.settings
    council = councils.require_own(session).actor
    # Serialise, so that two officers cannot get the same user name at once.
    session.scalars(select(Actor.id).where(Actor.id == council.id).with_for_update()).one()
    if find_actor(session, user) is not None:
        raise ConflictError(msg("Your profile is already public."))
    username = username.strip().lower().removeprefix("@")
    profile = _clean_profile(profile)
    errors = _find_profile_errors(profile)
    if username_error := _find_username_error(session, settings, username):
        errors["username"] = username_error
    if errors:
        raise InvalidInputError(msg("Your profile could not be created."), errors)
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
    """Change a public profile and send followers an `Update`. Raises `InvalidInputError`."""
    profile = _clean_profile(profile)
    if errors := _find_profile_errors(profile):
        raise InvalidInputError(msg("Your profile could not be saved."), errors)
    before = actor.name, actor.about
    _apply_profile(actor, profile)
    if (actor.name, actor.about) == before:
        return
    publish_actor_update(work, actor)
    work.audit("officer.change", actor.uri, name=actor.name)


def publish_actor_update(work: UnitOfWork, actor: Actor) -> None:
    """Send the followers of an officer's actor an `Update` with its current document."""
    uri = local_uris.new_activity(work.settings)
    document = actors.build_document(work.settings, actor).dump(context=False)
    outbox.publish(
        work, actor, update_activity(uri, actor.uri, document, **address_publicly(actor))
    )


def withdraw_profile(work: UnitOfWork, actor: Actor) -> None:
    """Withdraw a public profile: send a `Delete` to every server that got anything from the actor,
    close the actor, and start the long write that hides its activities and ends its follows. The
    user name is never given to anyone again.
    """
    inboxes = _list_informed_inboxes(work.session, actor)
    uri = local_uris.new_activity(work.settings)
    activity = delete_activity(uri, actor.uri, actor.uri, **address_publicly(actor))
    outbox.publish_to(work, actor, activity, inboxes)
    actors.close(actor)
    actor.name = actor.about = ""
    actor.user_id = None
    batched_writes.start(work, WITHDRAW_OFFICER, str(actor.id))
    work.audit("officer.withdraw", actor.uri)


def _withdraw_batch(work: UnitOfWork, row: batched_writes.BatchedWrite) -> bool:
    """Hide a batch of a closed actor's activities, the newest first, and delete a batch of its
    follows. False when nothing is left.
    """
    session, actor_id = work.session, int(row.subject)
    is_visible = OutboxActivity.audience != audiences.NOBODY, OutboxActivity.type != DELETE
    activities = select(OutboxActivity.id).where(OutboxActivity.actor_id == actor_id, *is_visible)
    activities = activities.order_by(OutboxActivity.id.desc())
    ids = batched_writes.lock_batch(session, OutboxActivity, activities)
    hide = update(OutboxActivity).where(OutboxActivity.id.in_(ids))
    follows = select(Follow.id).where(Follow.followed_id == actor_id)
    end_follows = delete(Follow).where(
        Follow.id.in_(batched_writes.lock_batch(session, Follow, follows))
    )
    for statement in (hide.values(audience=audiences.NOBODY), end_follows):
        session.execute(statement, execution_options=batched_writes.NO_SESSION_SYNC)
    return batched_writes.is_any_left(session, activities) or batched_writes.is_any_left(
        session, follows
    )


WITHDRAW_OFFICER = batched_writes.BatchedWriteKind("withdraw-officer", _withdraw_batch)


def deactivate(work: UnitOfWork, user: User) -> None:
    """Close an account and withdraw its public profile, if any."""
    actor = find_actor(work.session, user)
    if actor is not None:
        withdraw_profile(work, actor)
    people.deactivate(work, user)


def address_publicly(actor: Actor) -> Addressing:
    """The addressing of an officer's activities: to the public, cc followers."""
    return {"to": (PUBLIC_COLLECTION,), "cc": (actor.followers or "",)}


def _list_informed_inboxes(session: Session, actor: Actor) -> set[str]:
    """The inboxes of an actor's followers and of holders of its document, and one inbox of every
    other server that was ever sent anything by the actor.
    """
    inboxes = outbox.follower_inboxes(session, actor) | outbox.find_holder_inboxes(
        session, actor.uri
    )
    hosts = {host_of(inbox) for inbox in inboxes}
    others = (
        select(func.min(Delivery.inbox))
        .join(Delivery.activity)
        .where(OutboxActivity.actor_id == actor.id, Delivery.host.not_in(hosts))
        .group_by(Delivery.host)
    )
    return inboxes | set(session.scalars(others))


def _clean_profile(profile: OfficerProfile) -> OfficerProfile:
    return OfficerProfile(trim(profile.name), trim(profile.about))


def _find_profile_errors(profile: OfficerProfile) -> dict[str, Message]:
    errors: dict[str, Message] = {}
    if not profile.name:
        errors["name"] = msg(
            "Enter your name in %(most)s characters or fewer", most=MAX_LENGTHS["name"]
        )
    for field in ("name", "about"):
        if error := find_text_error(getattr(profile, field), MAX_LENGTHS[field]):
            errors[field] = error
    return errors


def _find_username_error(session: Session, settings: Settings, username: str) -> Message | None:
    """Why a user name cannot be chosen; None if it can. User names are never reused."""
    if not USERNAME.fullmatch(username) or len(username) > MAX_LENGTHS["username"]:
        return msg(
            "Enter a username of %(most)s characters or fewer, using only letters, "
            "numbers, full stops and hyphens, such as sam.okoro",
            most=MAX_LENGTHS["username"],
        )
    uri = local_uris.officer(settings, username)
    is_taken = actors.local_by_username(session, username) or actors.by_uri(session, uri)
    if username in RESERVED_USERNAMES or is_taken:
        return msg("This username is not available. Choose another one.")
    return None


def _apply_profile(actor: Actor, profile: OfficerProfile) -> None:
    actor.name = profile.name
    actor.about = str(Markup("<p>{}</p>").format(profile.about)) if profile.about else ""
