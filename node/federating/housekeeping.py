"""Deletes old data of other servers: processed messages, unreferenced actors, tombstones,
reactions; and our direct activities.

Runs hourly by age and by number. What other servers can add within an hour is limited where it is
added.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog
from sqlalchemy import Select, exists, func, or_, select

from node.access.audiences import DIRECT, NOBODY
from node.database.tables import Base, now
from node.federating.models import (
    Actor,
    ActorKey,
    Delivery,
    InboxItem,
    OutboxActivity,
    Reaction,
    RemoteTombstone,
)
from node.federating.outbound import delivery
from node.queue import error_isolation
from node.queue.hourly_jobs import run_hourly
from node.queue.pruning import prune, prune_surplus
from node.runtime import Node

log = structlog.get_logger(__name__)

JOB = "housekeeping"
# A recently fetched actor may have sent a message that still waits.
MIN_ACTOR_AGE = timedelta(hours=1)
# Unreferenced actors that are kept per server.
MAX_ACTORS_PER_HOST = 1_000
# Tombstones that are kept per actor, and for how long.
MAX_TOMBSTONES_PER_ACTOR, TOMBSTONE_RETENTION = 20_000, timedelta(days=365)
# Tombstones and remote reactions that are kept in all.
MAX_TOMBSTONES, MAX_REACTIONS = 1_000_000, 500_000
# Direct and withdrawn activities without deliveries: how long and how many are kept.
DIRECT_ACTIVITY_RETENTION, MAX_DIRECT_ACTIVITIES = timedelta(days=30), 100_000


def run_job(node: Node) -> None:
    """The job: prune everything, once an hour."""
    run_hourly(node, JOB, lambda: prune_all(node))


def prune_all(node: Node) -> None:
    """Delete what is too old or exceeds its limit, kind by kind. A failing step does not stop the
    others.
    """
    deleted: dict[str, int] = {}
    steps: Mapping[str, Callable[[Node], int]] = {
        "deliveries": delivery.prune,
        "messages": _prune_messages,
        "actors": _prune_actors,
        "tombstones": _prune_tombstones,
        "direct_activities": _prune_direct_activities,
        "reactions": _prune_reactions,
        "job_failures": _prune_failures,
    }

    def run_step(name: str) -> None:
        deleted[name] = steps[name](node)

    error_isolation.for_each(node, JOB, steps, run_step)
    if any(deleted.values()):
        log.info("old data deleted", **deleted)


def _prune_messages(node: Node) -> int:
    settings = node.settings
    finished_at = func.coalesce(InboxItem.finished_at, InboxItem.received_at)
    processed = select(InboxItem.id).where(InboxItem.state != InboxItem.WAITING_STATE)
    expired = processed.where(finished_at < now() - timedelta(settings.inbox_days))
    return prune(node, JOB, InboxItem, expired) + prune_surplus(
        node, JOB, InboxItem, processed, InboxItem.id, settings.most_handled
    )


def _prune_actors(node: Node) -> int:
    deleted = _prune_actors_beyond(node, _select_unreferenced_actors(), node.settings.most_actors)
    per_host = (
        _select_unreferenced_actors()
        .with_only_columns(Actor.host, func.count())
        .group_by(Actor.host)
    ).having(func.count() > MAX_ACTORS_PER_HOST)
    with node.reading() as session:
        crowded_hosts = [host for host, _ in session.execute(per_host)]
    for host in crowded_hosts:
        of_host = _select_unreferenced_actors().where(Actor.host == host)
        deleted += _prune_actors_beyond(node, of_host, MAX_ACTORS_PER_HOST)
    return deleted


def _prune_actors_beyond(node: Node, query: Select[int], limit: int) -> int:
    return prune_surplus(node, JOB, Actor, query, Actor.fetched_at, limit)


def _select_unreferenced_actors() -> Select[int]:
    """Remote actors, fetched over an hour ago, that only their own keys refer to."""
    referred_to = [
        Actor.id.in_(select(column).where(column.is_not(None)))
        for table in Base.metadata.tables.values()
        if table is not ActorKey.__table__
        for column in table.columns
        if any(key.column is Actor.__table__.c.id for key in column.foreign_keys)
    ]
    is_old = Actor.fetched_at < now() - MIN_ACTOR_AGE
    return select(Actor.id).where(~Actor.is_local, ~Actor.is_blocked, is_old, ~or_(*referred_to))


def _prune_tombstones(node: Node) -> int:
    """Delete expired tombstones, and the oldest beyond the limits per actor and in all."""
    by_actor = select(RemoteTombstone.actor_id).group_by(RemoteTombstone.actor_id)
    tombstones = select(RemoteTombstone.uri, RemoteTombstone.actor_id)
    cutoff = now() - TOMBSTONE_RETENTION
    with node.reading() as session:
        total_limit_at = (
            select(RemoteTombstone.at)
            .order_by(RemoteTombstone.at.desc())
            .offset(MAX_TOMBSTONES - 1)
            .limit(1)
        )
        surplus = [
            tombstones.where(
                RemoteTombstone.at < max(cutoff, session.scalar(total_limit_at) or cutoff)
            )
        ]
        for actor_id in session.scalars(by_actor.having(func.count() > MAX_TOMBSTONES_PER_ACTOR)):
            actor_times = select(RemoteTombstone.at).where(RemoteTombstone.actor_id == actor_id)
            limit_at = (
                actor_times.order_by(RemoteTombstone.at.desc())
                .offset(MAX_TOMBSTONES_PER_ACTOR - 1)
                .limit(1)
            )
            oldest_kept = session.scalar(limit_at)
            surplus.append(
                tombstones.where(
                    RemoteTombstone.actor_id == actor_id, RemoteTombstone.at < oldest_kept
                )
            )
    return sum(prune(node, JOB, RemoteTombstone, query) for query in surplus)


def _prune_failures(node: Node) -> int:
    return prune(node, JOB, error_isolation.JobFailure, error_isolation.select_expired_failures())


def _prune_direct_activities(node: Node) -> int:
    has_delivery = exists().where(Delivery.activity_id == OutboxActivity.id)
    is_unlisted = OutboxActivity.audience.in_((DIRECT, NOBODY))
    activities = select(OutboxActivity.id).where(is_unlisted, ~has_delivery)
    expired = activities.where(OutboxActivity.created_at < now() - DIRECT_ACTIVITY_RETENTION)
    return prune(node, JOB, OutboxActivity, expired) + prune_surplus(
        node, JOB, OutboxActivity, activities, OutboxActivity.id, MAX_DIRECT_ACTIVITIES
    )


def _prune_reactions(node: Node) -> int:
    remote_reactions = select(Reaction.id).where(Reaction.actor.has(~Actor.is_local))
    return prune_surplus(node, JOB, Reaction, remote_reactions, Reaction.id, MAX_REACTIONS)
