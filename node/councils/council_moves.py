"""Councils that go: ours to its successor, and those that we follow to theirs.

Several councils may have one successor. Nothing of the old one is lost: it says where it went.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from federation.addressing import PUBLIC
from federation.errors import FederationError
from federation.origin import check_id
from federation.vocabulary import ActorDocument
from federation.vocabulary import move as move_activity
from node.councils import service
from node.councils.models import Council
from node.db import now
from node.errors import ConflictError, InvalidInputError
from node.events import service as news
from node.federating import actor_blocks, actor_moves, actors, following, local_uris, outbox
from node.federating.models import Actor, Follow
from node.messages import msg
from node.runtime import Handlers, NotHandledError, ReceivedActivity, UnitOfWork

MAX_ALIASES = 50


def add_alias(work: UnitOfWork, uri: str) -> None:
    """Say that our council is also the actor `uri`: by this the other one may move here.

    Raises `InvalidInputError` for what is no id of an actor elsewhere.
    """
    actor = service.require_own(work.session).actor
    try:
        check_id(uri, frozenset(work.settings.private_hosts))
    except FederationError as error:
        raise InvalidInputError(
            msg("That is not an actor ID."), {"uri": msg("Enter the council’s ID")}
        ) from error
    if actors.local_by_uri(work.session, uri) is not None:
        raise InvalidInputError(
            msg("That is your own server."),
            {"uri": msg("Enter the ID of a council on another server")},
        )
    if uri in actor.also_known_as:
        return
    if len(actor.also_known_as) >= MAX_ALIASES:
        raise ConflictError(msg("A council can have at most %(most)s aliases.", most=MAX_ALIASES))
    actor.also_known_as = [*actor.also_known_as, uri]
    service.publish_actor_update(work)
    work.audit("council.alias.add", actor.uri, alias=uri)


def remove_alias(work: UnitOfWork, uri: str) -> None:
    """No longer say so. Raises `InvalidInputError` if it was not said."""
    actor = service.require_own(work.session).actor
    if uri not in actor.also_known_as:
        raise InvalidInputError(msg("This council does not have that alias."))
    actor.also_known_as = [alias for alias in actor.also_known_as if alias != uri]
    service.publish_actor_update(work)
    work.audit("council.alias.remove", actor.uri, alias=uri)


def move(work: UnitOfWork, found: ActorDocument) -> None:
    """Our council is from now on the one that was found; our followers are told to follow it.

    Raises `InvalidInputError` where the other does not say that it is ours, or has moved itself;
    `ConflictError` where ours has moved before.
    """
    actor = service.require_own(work.session).actor
    if actor.moved_to is not None:
        raise ConflictError(msg("This council has moved to %(moved_to)s.", moved_to=actor.moved_to))
    if found.id == actor.uri or actors.local_by_uri(work.session, found.id) is not None:
        raise InvalidInputError(
            msg("That is your own server."), {"address": msg("Enter the successor’s address")}
        )
    if actor.uri not in found.also_known_as:
        raise InvalidInputError(
            msg(
                "%(id)s does not list this council as an alias. On that server, first "
                "run: moothall council alias add %(uri)s",
                id=found.id,
                uri=actor.uri,
            )
        )
    if found.moved_to is not None:
        raise InvalidInputError(
            msg("%(id)s has itself moved to %(moved_to)s.", id=found.id, moved_to=found.moved_to)
        )
    service.upsert(work, found)
    _record_move(work, actor, found.id)
    service.publish_actor_update(work)
    activity = move_activity(
        local_uris.new_activity(work.settings),
        actor.uri,
        found.id,
        to=[PUBLIC],
        cc=[actor.followers or ""],
    )
    outbox.publish(work, actor, activity)
    work.audit("council.move", actor.uri, to=found.id)


def receive_move(work: UnitOfWork, received: ReceivedActivity) -> None:
    """A council that ours follows moved: ours follows its successor instead."""
    session = work.session
    old, target = actor_moves.check_move(session, received.activity)
    successor = actors.local_by_uri(session, target)
    if successor is not None:
        names = successor.also_known_as
    elif received.document is None:
        raise NotHandledError(msg("the move names no new account"))
    else:
        document = ActorDocument.parse(received.document)
        if document.type not in service.COUNCIL_ACTOR_TYPES:
            raise NotHandledError(msg("the successor is not an organisation"))
        if document.id != target or document.moved_to is not None:
            raise NotHandledError(
                msg("the successor’s ID does not match, or the successor has itself moved")
            )
        names = list(document.also_known_as)
    if old.uri not in names:
        raise NotHandledError(
            msg("%(target)s does not list %(uri)s as an alias", target=target, uri=old.uri)
        )
    if successor is None:
        own = service.require_own(session).actor
        new = service.upsert(work, document).actor
        if new.is_blocked or actor_blocks.find_block(session, new, own) is not None:
            raise NotHandledError(msg("the successor is blocked, or has blocked this council"))
        if following.find_follow(session, own, new) is None:
            following.request_follow(work, own, document)
    _record_move(work, old, target)
    ours = Follow.follower.has(Actor.is_local), Follow.followed_id == old.id
    for row in session.scalars(select(Follow).where(*ours)):
        following.unfollow(work, row)
    _move_followers(work, old.uri, target)
    work.audit("council.moved", old.uri, to=target)


def _move_followers(work: UnitOfWork, old: str, target: str) -> None:
    """Whoever here follows a council that moved follows its successor."""
    first, second = (service.by_actor_uri(work.session, uri) for uri in (old, target))
    if first is not None and second is not None:
        news.merge_councils(work.session, first.id, second.id)


def _record_move(work: UnitOfWork, old: Actor, target: str) -> None:
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


HANDLERS: Handlers = {(actor_moves.MOVE, ""): receive_move}
