"""Moves of councils to a successor: our own, and those of councils that we follow.

Several councils may move to the same successor. The old actor stays and points to it.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from federation.addressing import PUBLIC_COLLECTION
from federation.errors import FederationError
from federation.origin import check_id
from federation.vocabulary import ActorDocument
from federation.vocabulary import move as move_activity
from federation.vocabulary.activity_types import MOVE
from node.councils import service
from node.councils.models import Council
from node.database.tables import now
from node.errors import ConflictError, InvalidInputError
from node.federating.identity import actors, local_uris
from node.federating.models import Actor, Follow
from node.federating.outbound import outbox
from node.federating.peers import actor_moves
from node.federating.sync import actor_blocks, following
from node.messages import msg
from node.notification_events import service as events
from node.runtime import Handlers, NotHandledError, ReceivedActivity, UnitOfWork

MAX_ALIASES = 50


def add_alias(work: UnitOfWork, uri: str) -> None:
    """Add the remote actor `uri` to the aliases of our council, which allows it to move here.

    Raises `InvalidInputError` unless `uri` is an id on another server, `ConflictError` for too
    many aliases.
    """
    actor = service.require_own(work.session).actor
    try:
        check_id(uri, frozenset(work.settings.private_hosts))
    except FederationError as error:
        raise InvalidInputError(
            msg("This is not the ID of a council."), {"uri": msg("Enter the council’s ID")}
        ) from error
    if actors.local_by_uri(work.session, uri) is not None:
        raise InvalidInputError(
            msg("You entered an address on your own server."),
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
    """Remove an alias of our council. Raises `InvalidInputError` if there is no such alias."""
    actor = service.require_own(work.session).actor
    if uri not in actor.also_known_as:
        raise InvalidInputError(msg("This council does not have that alias."))
    actor.also_known_as = [alias for alias in actor.also_known_as if alias != uri]
    service.publish_actor_update(work)
    work.audit("council.alias.remove", actor.uri, alias=uri)


def move(work: UnitOfWork, successor: ActorDocument) -> None:
    """Move our council to `successor`, and ask our followers to follow it.

    Raises `InvalidInputError` if the successor does not list our council as an alias or has itself
    moved, `ConflictError` if our council has already moved.
    """
    actor = service.require_own(work.session).actor
    if actor.moved_to is not None:
        raise ConflictError(msg("This council has moved to %(moved_to)s.", moved_to=actor.moved_to))
    if successor.id == actor.uri or actors.local_by_uri(work.session, successor.id) is not None:
        raise InvalidInputError(
            msg("You entered an address on your own server."),
            {"address": msg("Enter the successor’s address")},
        )
    if actor.uri not in successor.also_known_as:
        raise InvalidInputError(
            msg(
                "%(id)s does not list this council as an alias. On that server, first "
                "run: moothall council alias add %(uri)s",
                id=successor.id,
                uri=actor.uri,
            )
        )
    if successor.moved_to is not None:
        raise InvalidInputError(
            msg(
                "%(id)s has itself moved to %(moved_to)s.",
                id=successor.id,
                moved_to=successor.moved_to,
            )
        )
    service.upsert(work, successor)
    _record_move(work, actor, successor.id)
    service.publish_actor_update(work)
    activity = move_activity(
        local_uris.new_activity(work.settings),
        actor.uri,
        successor.id,
        to=[PUBLIC_COLLECTION],
        cc=[actor.followers or ""],
    )
    outbox.publish(work, actor, activity)
    work.audit("council.move", actor.uri, to=successor.id)


def receive_move(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle the Move of a council that ours follows: follow its successor instead.

    Raises `NotHandledError` unless the successor is a council that lists the old one as an alias,
    has not moved, and is not blocked.
    """
    session = work.session
    old, target = actor_moves.validate_move(session, received.activity)
    successor = actors.local_by_uri(session, target)
    if successor is not None:
        aliases = successor.also_known_as
    elif received.document is None:
        raise NotHandledError(msg("the message about the move does not name a new account"))
    else:
        document = ActorDocument.parse(received.document)
        if document.type not in service.COUNCIL_ACTOR_TYPES:
            raise NotHandledError(msg("the successor is not an organisation"))
        if document.id != target or document.moved_to is not None:
            raise NotHandledError(
                msg("the successor’s ID does not match, or the successor has itself moved")
            )
        aliases = list(document.also_known_as)
    if old.uri not in aliases:
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
    is_our_follow = Follow.follower.has(Actor.is_local), Follow.followed_id == old.id
    for follow in session.scalars(select(Follow).where(*is_our_follow)):
        following.unfollow(work, follow)
    _move_followers(work, old.uri, target)
    work.audit("council.moved", old.uri, to=target)


def _move_followers(work: UnitOfWork, old: str, target: str) -> None:
    """Make officers who follow the council `old` follow its successor `target`."""
    old_council, successor = (service.by_actor_uri(work.session, uri) for uri in (old, target))
    if old_council is not None and successor is not None:
        events.move_council_watches(work.session, old_council.id, successor.id)


def _record_move(work: UnitOfWork, old: Actor, target: str) -> None:
    """Record that `old` moved to `target`.

    Remote actors that had moved to `old` now point to `target` as well, and an earlier move of
    `target` itself is cleared.
    """
    session = work.session
    is_other_remote = ~Actor.is_local, Actor.uri != target
    predecessors = update(Actor).where(Actor.moved_to == old.uri, *is_other_remote)
    session.execute(predecessors.values(moved_to=target))
    session.execute(update(Actor).where(Actor.uri == target, ~Actor.is_local).values(moved_to=None))
    old.moved_to, old.moved_at = target, now()


def successor_of(session: Session, council: Council) -> Actor | None:
    """The actor that a council moved to; None if it has not moved, or the actor is unknown."""
    return actors.by_uri(session, council.actor.moved_to) if council.actor.moved_to else None


HANDLERS = Handlers({(MOVE, ""): receive_move})
