"""Where an actor of another server says it moved to, read at its own origin.

A Move is proved from both sides: the old actor sent it, and the new one names the old. What would
not count is not fetched.
"""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.origin import host_of
from federation.reading import Document
from federation.vocabulary import Activity
from node.db import now
from node.federating import actors, fetching, peers, suggesting
from node.federating.models import Actor, Follow, InboxItem
from node.runtime import Node, NotForUsError
from node.wording import say

MOVE = "Move"
# Nobody moves twice in this time, or is looked up more often than so for saying that they do.
REST = timedelta(days=7)
MOST_TRIES = 5


def successor(node: Node, activity: Activity) -> Document | None:
    """The document of the actor that `activity` names as the new one.

    None for one of this node, and for a Move that does not count. Raises `NotFetchedError`; where
    it is because nobody decided about its server, that is suggested to the operator.
    """
    with node.reading() as session:
        try:
            old, target = check(session, activity)
        except NotForUsError:
            return None
        found_from, name = old.host, old.name
        is_ours = actors.local_by_uri(session, target) is not None
        host = host_of(target)
        is_allowed = peers.is_allowed(session, node.settings, host)
    if is_ours:
        return None
    if not is_allowed:
        with node.work(by=activity.actor) as work:
            suggesting.suggest(work, {host: f"{name} says that it moved there"}, found_from)
    return fetching.document(node, target, sent_by=found_from)


def check(session: Session, activity: Activity) -> tuple[Actor, str]:
    """Who moves, and to which id. Raises `NotForUsError` for a Move that does not count."""
    if activity.object_id != activity.actor:
        raise NotForUsError(say("the message moves an account other than the sender’s"))
    if activity.target is None or activity.target == activity.actor:
        raise NotForUsError(say("the move does not name a new account"))
    old = actors.by_uri(session, activity.actor)
    ours = Follow.follower.has(Actor.is_local), Follow.followed.has(Actor.uri == activity.actor)
    follows = session.scalar(select(Follow.id).where(*ours, Follow.state != "rejected").limit(1))
    if old is None or old.is_local or follows is None:
        raise NotForUsError(say("we do not follow the account that moved"))
    since = now() - REST
    if old.moved_at is not None and old.moved_at > since:
        raise NotForUsError(say("the account moved less than a week ago"))
    said = InboxItem.host == old.host, InboxItem.actor_uri == old.uri, InboxItem.type == MOVE
    tries = select(func.count()).where(*said, InboxItem.received_at > since)
    if (session.scalar(tries) or 0) > MOST_TRIES:
        raise NotForUsError(say("more than %(most)s moves in a week", most=MOST_TRIES))
    return old, activity.target
