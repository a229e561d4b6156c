"""Remembers that other servers deleted something which has not arrived here yet."""

from sqlalchemy import func, select

from federation.origin import same_origin
from node.database.tables import insert_once, now
from node.federating.identity import actors
from node.federating.models import Actor, Follow, RemoteTombstone
from node.messages import msg
from node.runtime import NotHandledError, ReceivedActivity, UnitOfWork

# Stored deletions of what was never received, per server; without those of accounts that ours
# follow.
MAX_TOMBSTONES_PER_HOST = 2_000


def receive_delete(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Remember the Delete of something that is not here, so that it is not shown if it arrives
    later.
    """
    if received.is_unverified:
        raise NotHandledError(msg("a deletion of something this server does not have"))
    uri, actor = received.activity.object_id, actors.by_uri(work.session, received.activity.actor)
    if actor is None:
        raise NotHandledError(msg("by an account this server does not know"))
    if uri is None or not same_origin(uri, actor.uri) or uri == actor.uri:
        raise NotHandledError(msg("a deletion of something that does not belong to the sender"))
    deletions = select(func.count()).select_from(RemoteTombstone).join(Actor)
    host_deletions = deletions.where(Actor.host == actor.host)
    our_follow = select(Follow.id).where(Follow.followed_id == actor.id, Follow.state != "rejected")
    if (
        work.session.scalar(our_follow) is None
        and (work.session.scalar(host_deletions) or 0) >= MAX_TOMBSTONES_PER_HOST
    ):
        raise NotHandledError(msg("too many deletions of items this server never received"))
    insert_once(work.session, RemoteTombstone, uri=uri, actor_id=actor.id, at=now())
