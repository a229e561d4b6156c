"""Explains why this node has no copy of another server's object: the first reason that holds, in
the order in which an incoming message is checked.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from federation.errors import AddressError
from federation.origin import host_of
from node.federating.models import Actor, Comparison, Follow, InboxItem, RefusalCount
from node.federating.peers import service as peers
from node.operating.delivery_reasons import HostOutcome
from node.settings import Settings


def explain_missing(session: Session, settings: Settings, uri: str) -> HostOutcome | None:
    """Why the object with the id `uri` is not known here; None if `uri` is no address."""
    try:
        host = host_of(uri)
    except AddressError:
        return None
    if host == settings.authority:
        return HostOutcome(host, "not_here")
    if not peers.is_allowed(session, settings, host):
        is_blocked = peers.is_blocked(session, host)
        return HostOutcome(host, "here_blocked" if is_blocked else "here_not_allowed")
    return _outcome_of_message(session, host, uri) or _outcome_of_server(session, host)


def _outcome_of_message(session: Session, host: str, uri: str) -> HostOutcome | None:
    """The outcome of the last message about the object, if one was received."""
    messages = select(InboxItem).where(InboxItem.object_uri == uri).order_by(InboxItem.id.desc())
    message = session.scalars(messages.limit(1)).first()
    if message is None:
        return None
    return HostOutcome(host, "came", message.received_at, message.outcome, message.attempts)


def _outcome_of_server(session: Session, host: str) -> HostOutcome:
    """The reason that lies in our relation to the object's server: follows, refusals, sync."""
    our_actor, their_actor = aliased(Actor), aliased(Actor)
    followed_ids = (
        select(Follow.followed_id)
        .join(our_actor, our_actor.id == Follow.follower_id)
        .join(their_actor, their_actor.id == Follow.followed_id)
        .where(our_actor.is_local, their_actor.host == host, Follow.state == "accepted")
    )
    if session.scalar(followed_ids.limit(1)) is None:
        return HostOutcome(host, "not_followed")
    refusals = select(RefusalCount).where(RefusalCount.host == host)
    refusal = session.scalars(refusals.order_by(RefusalCount.last_at.desc()).limit(1)).first()
    if refusal is not None:
        return HostOutcome(host, "refused_here", refusal.last_at, refusal.detail, refusal.count)
    comparisons = select(Comparison).where(Comparison.actor_id.in_(followed_ids))
    comparison = session.scalars(
        comparisons.order_by(Comparison.compared_at.desc()).limit(1)
    ).first()
    return HostOutcome(
        host,
        "not_told",
        comparison.compared_at if comparison else None,
        comparison.outcome if comparison else "",
    )
