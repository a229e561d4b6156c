"""From an activity to the rows that will be delivered.

The activity and its deliveries exist together or not at all.
"""

import json
from typing import Any, Literal

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from federation.origin import host_of
from federation.proofs import add_proof
from federation.vocabulary import id_of
from node.db import now
from node.federating import actors, peers, sharing
from node.federating.models import Actor, Delivery, Follow, OutboxActivity
from node.runtime import UnitOfWork

PUBLIC: Literal["public"] = "public"
PEERS: Literal["peers"] = "peers"
DIRECT: Literal["direct"] = "direct"
Audience = Literal["public", "peers"]


def publish(
    work: UnitOfWork, actor: Actor, activity: dict[str, Any], audience: Audience = PUBLIC
) -> OutboxActivity:
    """Put `activity` in the outbox of `actor`, for its followers; once for each shared inbox.

    What is for `peers` goes to followers on servers that the operator allowed by name, and to no
    unknown one, in open mode either. A Delete goes to all who ever got the object, whether they
    still follow or not.
    """
    return publish_to(work, actor, activity, followers(work.session, actor), audience)


def publish_to(
    work: UnitOfWork,
    actor: Actor,
    activity: dict[str, Any],
    inboxes: set[str],
    audience: Audience = PUBLIC,
) -> OutboxActivity:
    """As `publish`, for `inboxes` instead of the followers'."""
    session = work.session
    if audience == PEERS:
        inboxes = _allowed_by_name(session, inboxes)
    if activity["type"] == "Delete":
        about = _object(activity)
        earlier = select(Delivery.inbox).where(Delivery.object_uri == about).distinct()
        inboxes = {*inboxes, *session.scalars(earlier), *sharing.inboxes(session, about)}
    return _post(work, actor, activity, audience, inboxes)


def send(work: UnitOfWork, actor: Actor, activity: dict[str, Any], to: Actor) -> OutboxActivity:
    """Send `activity` to one actor, for nobody else to read."""
    return _post(work, actor, activity, DIRECT, {to.inbox})


def followers(session: Session, actor: Actor, *kinds: str) -> set[str]:
    """Where the followers of `actor` hear, once for each server; of actors of `kinds` only, if any."""
    inbox = func.coalesce(Actor.shared_inbox, Actor.inbox)
    query = (
        select(inbox)
        .join(Follow, Follow.follower_id == Actor.id)
        .where(Follow.followed_id == actor.id, Follow.state == "accepted")
        .distinct()
    )
    if kinds:
        query = query.where(Actor.kind.in_(kinds))
    return set(session.scalars(query))


def _allowed_by_name(session: Session, inboxes: set[str]) -> set[str]:
    hosts = {inbox: host_of(inbox) for inbox in inboxes}
    allowed = peers.allowed_by_name(session, set(hosts.values()))
    return {inbox for inbox, host in hosts.items() if host in allowed}


def _post(
    work: UnitOfWork, actor: Actor, activity: dict[str, Any], audience: str, inboxes: set[str]
) -> OutboxActivity:
    session = work.session
    if audience != DIRECT:  # others may pass it on
        activity = add_proof(activity, actors.proof_key(actor), now())
    row = OutboxActivity(
        uri=activity["id"],
        actor=actor,
        type=activity["type"],
        object_uri=_object(activity),
        body=json.dumps(activity, ensure_ascii=False, separators=(",", ":")),
        audience=audience,
    )
    session.add(row)
    session.flush()
    hosts = {inbox: host_of(inbox) for inbox in sorted(inboxes)}
    reachable = peers.allowed_among(session, work.settings, set(hosts.values()))
    deliveries = [
        {"activity_id": row.id, "inbox": inbox, "host": host, "object_uri": row.object_uri}
        for inbox, host in hosts.items()
        if host in reachable and host != work.settings.authority
    ]
    if deliveries:
        session.execute(insert(Delivery), deliveries)
    work.wake(Delivery.JOB)
    return row


def _object(activity: dict[str, Any]) -> str:
    """What deliveries are kept in order by: what it is about in the end, so an Undo comes after
    the Follow of the same actor, and what is announced after its announcement.
    """
    while activity["type"] in {"Undo", "Announce"}:
        about = activity["object"]
        if not isinstance(about, dict) or "object" not in about:
            break
        activity = about
    return id_of(activity["object"]) or ""
