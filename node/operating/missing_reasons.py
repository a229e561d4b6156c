"""Why this node knows nothing of something that another server has: the first reason that holds, in
the order in which a message is looked at.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from federation.errors import AddressError
from federation.origin import host_of
from node.federating import peers
from node.federating.models import Actor, Comparison, Follow, InboxItem, RefusalCount
from node.operating.delivery_reasons import HostOutcome
from node.settings import Settings


def explain_missing(session: Session, settings: Settings, named: str) -> HostOutcome | None:
    """What became of `named`, which is not known here; None for what is no address."""
    try:
        host = host_of(named)
    except AddressError:
        return None
    if host == settings.authority:
        return HostOutcome(host, "not_here")
    if not peers.is_allowed(session, settings, host):
        is_blocked = peers.is_blocked(session, host)
        return HostOutcome(host, "here_blocked" if is_blocked else "here_not_allowed")
    return _from_message(session, host, named) or _from_server(session, host)


def _from_message(session: Session, host: str, named: str) -> HostOutcome | None:
    """What came of the last message about it, if there is one."""
    about = select(InboxItem).where(InboxItem.object_uri == named).order_by(InboxItem.id.desc())
    message = session.scalars(about.limit(1)).first()
    if message is None:
        return None
    return HostOutcome(host, "came", message.received_at, message.outcome, message.attempts)


def _from_server(session: Session, host: str) -> HostOutcome:
    """How it is between us and its server."""
    ours, theirs = aliased(Actor), aliased(Actor)
    followed = (
        select(Follow.followed_id)
        .join(ours, ours.id == Follow.follower_id)
        .join(theirs, theirs.id == Follow.followed_id)
        .where(ours.is_local, theirs.host == host, Follow.state == "accepted")
    )
    if session.scalar(followed.limit(1)) is None:
        return HostOutcome(host, "not_followed")
    refusals = select(RefusalCount).where(RefusalCount.host == host)
    refusal = session.scalars(refusals.order_by(RefusalCount.last_at.desc()).limit(1)).first()
    if refusal is not None:
        return HostOutcome(host, "refused_here", refusal.last_at, refusal.detail, refusal.count)
    compared = select(Comparison).where(Comparison.actor_id.in_(followed))
    row = session.scalars(compared.order_by(Comparison.compared_at.desc()).limit(1)).first()
    return HostOutcome(
        host, "not_told", row.compared_at if row else None, row.outcome if row else ""
    )
