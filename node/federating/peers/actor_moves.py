"""Moves of remote actors to a new account, fetched from the new account's server.

A Move is proved from both sides: the old actor sends it, and the new actor's `alsoKnownAs` names
the old one. Nothing is fetched for a Move that would be ignored.
"""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.origin import host_of
from federation.properties import JsonObject
from federation.vocabulary import Activity
from federation.vocabulary.activity_types import MOVE
from node.database.tables import now
from node.federating.identity import actors
from node.federating.models import Actor, Follow, InboxItem
from node.federating.peers import fetching, peer_suggestions
from node.federating.peers import service as peers
from node.messages import msg
from node.principal import Principal
from node.runtime import Node, NotHandledError

# An actor may move once in this time, and `MAX_ATTEMPTS` of its Moves are looked up.
MIN_MOVE_INTERVAL = timedelta(days=7)
MAX_ATTEMPTS = 5


def fetch_successor(node: Node, activity: Activity) -> JsonObject | None:
    """The document of the actor that a Move names as its target.

    None for an actor of this node, and for a Move that is ignored. A target on a server without a
    decision is suggested to the operator. Raises `FetchError`.
    """
    with node.reading() as session:
        try:
            old, target = validate_move(session, activity)
        except NotHandledError:
            return None
        old_host, name = old.host, old.name
        is_local = actors.local_by_uri(session, target) is not None
        host = host_of(target)
        is_allowed = peers.is_allowed(session, node.settings, host)
    if is_local:
        return None
    if not is_allowed:
        with node.work(by=Principal.actor(activity.actor)) as work:
            peer_suggestions.suggest(work, {host: f"{name} says that it moved there"}, old_host)
    return fetching.fetch_document(node, target, referrer_host=old_host)


def validate_move(session: Session, activity: Activity) -> tuple[Actor, str]:
    """The actor that moves, and the URI of its new account.

    Raises `NotHandledError` for a Move that is ignored.
    """
    if activity.object_id != activity.actor:
        raise NotHandledError(msg("the message moves an account other than the sender’s"))
    if activity.target is None or activity.target == activity.actor:
        raise NotHandledError(msg("the move does not name a new account"))
    old = actors.by_uri(session, activity.actor)
    our_follow = (
        Follow.follower.has(Actor.is_local),
        Follow.followed.has(Actor.uri == activity.actor),
    )
    follow_id = session.scalar(
        select(Follow.id).where(*our_follow, Follow.state != "rejected").limit(1)
    )
    if old is None or old.is_local or follow_id is None:
        raise NotHandledError(msg("your council does not follow the account that moved"))
    since = now() - MIN_MOVE_INTERVAL
    if old.moved_at is not None and old.moved_at > since:
        raise NotHandledError(msg("the account moved less than a week ago"))
    is_move = InboxItem.host == old.host, InboxItem.actor_uri == old.uri, InboxItem.type == MOVE
    recent_moves = select(func.count()).where(*is_move, InboxItem.received_at > since)
    if (session.scalar(recent_moves) or 0) > MAX_ATTEMPTS:
        raise NotHandledError(msg("more than %(most)s moves in a week", most=MAX_ATTEMPTS))
    return old, activity.target
