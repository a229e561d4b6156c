"""Councils that go: ours to its successor, and those that we follow to theirs.

Several councils may have one successor. Nothing of the old one is lost: it says where it went.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from federation.addressing import PUBLIC
from federation.errors import FederationError
from federation.origin import check_id
from federation.vocabulary import Actor as ActorDocument
from federation.vocabulary import move as move_activity
from node.councils import service
from node.councils.models import Council
from node.db import now
from node.errors import ConflictError, InvalidInputError
from node.federating import actors, addresses, blocking, following, moving, publishing
from node.federating.models import Actor, Follow
from node.news import service as news
from node.runtime import Handlers, NotForUsError, Received, UnitOfWork
from node.wording import say

MOST_ALIASES = 50


def add_alias(work: UnitOfWork, uri: str) -> None:
    """Say that our council is also the actor `uri`: by this the other one may move here.

    Raises `InvalidInputError` for what is no id of an actor elsewhere.
    """
    actor = service.require_own(work.session).actor
    try:
        check_id(uri, frozenset(work.settings.private_hosts))
    except FederationError as error:
        raise InvalidInputError(
            say("That is not an actor ID."), {"uri": say("Enter the council’s ID")}
        ) from error
    if actors.local_by_uri(work.session, uri) is not None:
        raise InvalidInputError(
            say("That is your own server."),
            {"uri": say("Enter the ID of a council on another server")},
        )
    if uri in actor.also_known_as:
        return
    if len(actor.also_known_as) >= MOST_ALIASES:
        raise ConflictError(say("A council can have at most %(most)s aliases.", most=MOST_ALIASES))
    actor.also_known_as = [*actor.also_known_as, uri]
    service.tell(work)
    work.audit("council.alias.add", actor.uri, alias=uri)


def remove_alias(work: UnitOfWork, uri: str) -> None:
    """No longer say so. Raises `InvalidInputError` if it was not said."""
    actor = service.require_own(work.session).actor
    if uri not in actor.also_known_as:
        raise InvalidInputError(say("This council does not have that alias."))
    actor.also_known_as = [alias for alias in actor.also_known_as if alias != uri]
    service.tell(work)
    work.audit("council.alias.remove", actor.uri, alias=uri)


def move(work: UnitOfWork, found: ActorDocument) -> None:
    """Our council is from now on the one that was found; our followers are told to follow it.

    Raises `InvalidInputError` where the other does not say that it is ours, or has moved itself;
    `ConflictError` where ours has moved before.
    """
    actor = service.require_own(work.session).actor
    if actor.moved_to is not None:
        raise ConflictError(say("This council has moved to %(moved_to)s.", moved_to=actor.moved_to))
    if found.id == actor.uri or actors.local_by_uri(work.session, found.id) is not None:
        raise InvalidInputError(
            say("That is your own server."), {"address": say("Enter the successor’s address")}
        )
    if actor.uri not in found.also_known_as:
        raise InvalidInputError(
            say(
                "%(id)s does not list this council as an alias. On that server, first "
                "run: moothall council alias add %(uri)s",
                id=found.id,
                uri=actor.uri,
            )
        )
    if found.moved_to is not None:
        raise InvalidInputError(
            say("%(id)s has itself moved to %(moved_to)s.", id=found.id, moved_to=found.moved_to)
        )
    service.remember(work, found)
    _note(work, actor, found.id)
    service.tell(work)
    activity = move_activity(
        addresses.new_activity(work.settings),
        actor.uri,
        found.id,
        to=[PUBLIC],
        cc=[actor.followers or ""],
    )
    publishing.publish(work, actor, activity)
    work.audit("council.move", actor.uri, to=found.id)


def receive_move(work: UnitOfWork, received: Received) -> None:
    """A council that ours follows moved: ours follows its successor instead."""
    session = work.session
    old, target = moving.check(session, received.activity)
    successor = actors.local_by_uri(session, target)
    if successor is not None:
        names = successor.also_known_as
    elif received.document is None:
        raise NotForUsError(say("the move names no new account"))
    else:
        document = ActorDocument.parse(received.document)
        if document.type not in service.FOLLOWABLE:
            raise NotForUsError(say("the successor is not an organisation"))
        if document.id != target or document.moved_to is not None:
            raise NotForUsError(
                say("the successor’s ID does not match, or the successor has itself moved")
            )
        names = list(document.also_known_as)
    if old.uri not in names:
        raise NotForUsError(
            say("%(target)s does not list %(uri)s as an alias", target=target, uri=old.uri)
        )
    if successor is None:
        own = service.require_own(session).actor
        new = service.remember(work, document).actor
        if new.is_blocked or blocking.between(session, new, own) is not None:
            raise NotForUsError(say("the successor is blocked, or has blocked this council"))
        if following.between(session, own, new) is None:
            following.request(work, own, document)
    _note(work, old, target)
    ours = Follow.follower.has(Actor.is_local), Follow.followed_id == old.id
    for row in session.scalars(select(Follow).where(*ours)):
        following.end(work, row)
    _take_along(work, old.uri, target)
    work.audit("council.moved", old.uri, to=target)


def _take_along(work: UnitOfWork, old: str, target: str) -> None:
    """Whoever here follows a council that moved follows its successor."""
    first, second = (service.by_actor_uri(work.session, uri) for uri in (old, target))
    if first is not None and second is not None:
        news.merge_councils(work.session, first.id, second.id)


def _note(work: UnitOfWork, old: Actor, target: str) -> None:
    """Who had moved to the old one is by that with the new one, which itself has moved nowhere."""
    session = work.session
    theirs = ~Actor.is_local, Actor.uri != target
    led_here = update(Actor).where(Actor.moved_to == old.uri, *theirs)
    session.execute(led_here.values(moved_to=target))
    session.execute(update(Actor).where(Actor.uri == target, ~Actor.is_local).values(moved_to=None))
    old.moved_to, old.moved_at = target, now()


def successor_of(session: Session, council: Council) -> Actor | None:
    """Where a council went, if it did and we know who that is."""
    return actors.by_uri(session, council.actor.moved_to) if council.actor.moved_to else None


HANDLERS: Handlers = {(moving.MOVE, ""): receive_move}
