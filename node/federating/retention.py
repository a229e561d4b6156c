"""How long the federation's tables keep rows.

What other servers can add within an hour is limited where it is added.
"""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from node.access.audiences import DIRECT, NOBODY
from node.database.tables import Base, now
from node.federating.models import (
    Actor,
    ActorKey,
    Delivery,
    DeliveryAttempt,
    Disclosure,
    InboxItem,
    OutboxActivity,
    Reaction,
    RemoteTombstone,
)
from node.queue.pruning import MaxAge, MaxRows, Retention

# Finished deliveries: for how long, and how many in each state. Attempts per delivery: the latest.
DELIVERY_MAX_AGE, MAX_FINISHED_PER_STATE = timedelta(days=90), 1_000_000
MAX_ATTEMPTS_KEPT = 20
# A recently fetched actor may have sent a message that still waits.
MIN_ACTOR_AGE = timedelta(hours=1)
# Unreferenced actors that are kept per server.
MAX_ACTORS_PER_HOST = 1_000
# Tombstones that are kept per actor, and for how long.
MAX_TOMBSTONES_PER_ACTOR, TOMBSTONE_MAX_AGE = 20_000, timedelta(days=365)
# Tombstones and remote reactions that are kept in all.
MAX_TOMBSTONES, MAX_REACTIONS = 1_000_000, 500_000
# Direct and withdrawn activities without deliveries: how long and how many are kept.
DIRECT_ACTIVITY_MAX_AGE, MAX_DIRECT_ACTIVITIES = timedelta(days=30), 100_000
# Those that have an owner may still be answered.
OWNED_ACTIVITY_MAX_AGE = timedelta(days=365)


def _is_deletion_acknowledged() -> ColumnElement[bool]:
    """Disclosures are kept until the host has acknowledged the object's Delete, and then as long as
    deliveries.
    """
    return Disclosure.deleted_at < now() - DELIVERY_MAX_AGE


def _is_unreferenced_actor() -> ColumnElement[bool]:
    """Remote actors, fetched over an hour ago, that only their own keys refer to."""
    referred_to = [
        Actor.id.in_(select(column).where(column.is_not(None)))
        for table in Base.metadata.tables.values()
        if table is not ActorKey.__table__
        for column in table.columns
        if any(key.column is Actor.__table__.c.id for key in column.foreign_keys)
    ]
    is_old = Actor.fetched_at < now() - MIN_ACTOR_AGE
    return and_(~Actor.is_local, ~Actor.is_blocked, is_old, ~or_(*referred_to))


def _is_direct_without_delivery() -> ColumnElement[bool]:
    has_delivery = exists().where(Delivery.activity_id == OutboxActivity.id)
    return and_(OutboxActivity.audience.in_((DIRECT, NOBODY)), ~has_delivery)


RETENTION = (
    Retention(
        "deliveries",
        Delivery,
        (
            MaxAge(Delivery.finished_at, lambda _: DELIVERY_MAX_AGE),
            MaxRows(lambda _: MAX_FINISHED_PER_STATE, Delivery.finished_at, per=Delivery.state),
        ),
        lambda: Delivery.state.in_(("delivered", "failed")),
    ),
    Retention(
        "delivery_attempts",
        DeliveryAttempt,
        (
            MaxRows(
                lambda _: MAX_ATTEMPTS_KEPT, DeliveryAttempt.id, per=DeliveryAttempt.delivery_id
            ),
        ),
    ),
    Retention(
        "disclosures",
        Disclosure,
        (MaxAge(Disclosure.last_at, lambda _: DELIVERY_MAX_AGE),),
        _is_deletion_acknowledged,
    ),
    Retention(
        "messages",
        InboxItem,
        (
            MaxAge(
                func.coalesce(InboxItem.finished_at, InboxItem.received_at),
                lambda settings: timedelta(settings.inbox_days),
            ),
            MaxRows(lambda settings: settings.most_handled, InboxItem.id),
        ),
        lambda: InboxItem.state != InboxItem.WAITING_STATE,
    ),
    Retention(
        "actors",
        Actor,
        (
            MaxRows(lambda settings: settings.most_actors, Actor.fetched_at),
            MaxRows(lambda _: MAX_ACTORS_PER_HOST, Actor.fetched_at, per=Actor.host),
        ),
        _is_unreferenced_actor,
    ),
    Retention(
        "tombstones",
        RemoteTombstone,
        (
            MaxAge(RemoteTombstone.at, lambda _: TOMBSTONE_MAX_AGE),
            MaxRows(lambda _: MAX_TOMBSTONES, RemoteTombstone.at),
            MaxRows(
                lambda _: MAX_TOMBSTONES_PER_ACTOR, RemoteTombstone.at, RemoteTombstone.actor_id
            ),
        ),
    ),
    Retention(
        "direct_activities",
        OutboxActivity,
        (
            MaxAge(OutboxActivity.created_at, lambda _: DIRECT_ACTIVITY_MAX_AGE),
            MaxRows(lambda _: MAX_DIRECT_ACTIVITIES, OutboxActivity.id),
        ),
        lambda: and_(_is_direct_without_delivery(), OutboxActivity.owner.is_(None)),
    ),
    Retention(
        "owned_activities",
        OutboxActivity,
        (
            MaxAge(OutboxActivity.created_at, lambda _: OWNED_ACTIVITY_MAX_AGE),
            MaxRows(lambda _: MAX_DIRECT_ACTIVITIES, OutboxActivity.id),
        ),
        lambda: and_(_is_direct_without_delivery(), OutboxActivity.owner.is_not(None)),
    ),
    Retention(
        "reactions",
        Reaction,
        (MaxRows(lambda _: MAX_REACTIONS, Reaction.id),),
        lambda: Reaction.actor.has(~Actor.is_local),
    ),
)
