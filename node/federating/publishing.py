"""From an activity to the rows that will be delivered.

The activity and its deliveries exist together or not at all.
"""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.addressing import is_public
from federation.origin import host_of
from federation.vocabulary import id_of
from node.federating import peers
from node.federating.models import Actor, Delivery, Follow, OutboxActivity
from node.runtime import UnitOfWork

DELIVER = "deliver"


def publish(work: UnitOfWork, actor: Actor, activity: dict[str, Any]) -> OutboxActivity:
    """Put `activity` in the outbox of `actor`, for all its followers and all who got the same
    object before.
    """
    session = work.session
    followers = session.scalars(
        select(Actor)
        .join(Follow, Follow.follower_id == Actor.id)
        .where(Follow.followed_id == actor.id, Follow.state == "accepted")
    )
    inboxes = {follower.shared_inbox or follower.inbox for follower in followers}
    earlier = select(Delivery.inbox).where(Delivery.object_uri == _object(activity)).distinct()
    return _post(work, actor, activity, inboxes | set(session.scalars(earlier)))


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
        is_public=is_public(activity.get("to"), activity.get("cc")),
    )
    session.add(row)
    for inbox in sorted(_reachable(session, work, inboxes)):
        session.add(
            Delivery(activity=row, inbox=inbox, host=host_of(inbox), object_uri=row.object_uri)
        )
    session.flush()
    work.wake(DELIVER)
    return row


def _reachable(session: Session, work: UnitOfWork, inboxes: Iterable[str]) -> list[str]:
    """Without our own inboxes, and without hosts that we do not speak with."""
    return [
        inbox
        for inbox in inboxes
        if (host := host_of(inbox)) != work.settings.authority
        and peers.is_allowed(session, work.settings, host)
    ]


def _object(activity: dict[str, Any]) -> str:
    return id_of(activity["object"]) or ""
