"""Where an actor of another server says it moved to, read at its own origin.

A Move is proved from both sides: the old actor sent it, and the new one names the old. What would
not count is not fetched.
"""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.origin import host_of
from federation.properties import JsonObject
from federation.vocabulary import Activity
from node.db import now
from node.federating import actors, fetching, peer_suggestions, peers
from node.federating.models import Actor, Follow, InboxItem
from node.messages import msg
from node.runtime import Node, NotHandledError

MOVE = "Move"
# Nobody moves twice in this time, or is looked up more often than so for saying that they do.
MIN_MOVE_INTERVAL = timedelta(days=7)
MAX_ATTEMPTS = 5


def fetch_successor(node: Node, activity: Activity) -> JsonObject | None:
    """The document of the actor that `activity` names as the new one.

    None for one of this node, and for a Move that does not count. Raises `NotFetchedError`; where
    it is because nobody decided about its server, that is suggested to the operator.
    """
    with node.reading() as session:
        try:
            old, target = check_move(session, activity)
        except NotHandledError:
            return None
        found_from, name = old.host, old.name
        is_ours = actors.local_by_uri(session, target) is not None
        host = host_of(target)
        is_allowed = peers.is_allowed(session, node.settings, host)
    if is_ours:
        return None
    if not is_allowed:
        with node.work(by=activity.actor) as work:
            peer_suggestions.suggest(work, {host: f"{name} says that it moved there"}, found_from)
    return fetching.fetch_document(node, target, referrer_host=found_from)


def check_move(session: Session, activity: Activity) -> tuple[Actor, str]:
    """Who moves, and to which id. Raises `NotForUsError` for a Move that does not count."""
    if activity.object_id != activity.actor:
        raise NotHandledError(msg("the message moves an account other than the sender’s"))
    if activity.target is None or activity.target == activity.actor:
        raise NotHandledError(msg("the move does not name a new account"))
    old = actors.by_uri(session, activity.actor)
    ours = Follow.follower.has(Actor.is_local), Follow.followed.has(Actor.uri == activity.actor)
    follows = session.scalar(select(Follow.id).where(*ours, Follow.state != "rejected").limit(1))
    if old is None or old.is_local or follows is None:
        raise NotHandledError(msg("we do not follow the account that moved"))
    since = now() - MIN_MOVE_INTERVAL
    if old.moved_at is not None and old.moved_at > since:
        raise NotHandledError(msg("the account moved less than a week ago"))
    said = InboxItem.host == old.host, InboxItem.actor_uri == old.uri, InboxItem.type == MOVE
    tries = select(func.count()).where(*said, InboxItem.received_at > since)
    if (session.scalar(tries) or 0) > MAX_ATTEMPTS:
        raise NotHandledError(msg("more than %(most)s moves in a week", most=MAX_ATTEMPTS))
    return old, activity.target
