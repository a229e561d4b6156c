"""From an activity to the rows that will be delivered.

The activity and its deliveries exist together or not at all.
"""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, insert, select

from federation.addressing import is_public
from federation.origin import host_of
from federation.vocabulary import id_of
from node.federating import peers
from node.federating.models import Actor, Delivery, Follow, OutboxActivity
from node.runtime import UnitOfWork


def publish(work: UnitOfWork, actor: Actor, activity: dict[str, Any]) -> OutboxActivity:
    """Put `activity` in the outbox of `actor`, for its followers; once for each shared inbox.

    A Delete goes to all who ever got the object, whether they still follow or not.
    """
    inbox = func.coalesce(Actor.shared_inbox, Actor.inbox)
    followers = (
        select(inbox)
        .join(Follow, Follow.follower_id == Actor.id)
        .where(Follow.followed_id == actor.id, Follow.state == "accepted")
        .distinct()
    )
    inboxes = set(work.session.scalars(followers))
    if activity["type"] == "Delete":
        earlier = select(Delivery.inbox).where(Delivery.object_uri == _object(activity)).distinct()
        inboxes |= set(work.session.scalars(earlier))
    return _post(work, actor, activity, inboxes)


def send(work: UnitOfWork, actor: Actor, activity: dict[str, Any], to: Actor) -> OutboxActivity:
    """Send `activity` to one actor."""
    return _post(work, actor, activity, {to.inbox})


def _post(
    work: UnitOfWork, actor: Actor, activity: dict[str, Any], inboxes: Iterable[str]
) -> OutboxActivity:
    session = work.session
    row = OutboxActivity(
        uri=activity["id"],
        actor=actor,
        type=activity["type"],
        object_uri=_object(activity),
        body=json.dumps(activity, ensure_ascii=False, separators=(",", ":")),
        audience="public" if is_public(activity.get("to"), activity.get("cc")) else "direct",
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
    """What deliveries are kept in order by: an Undo comes after the Follow of the same actor."""
    about = activity["object"]
    if activity["type"] == "Undo" and isinstance(about, dict):
        about = about["object"]
    return id_of(about) or ""
