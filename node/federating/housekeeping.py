"""What is kept of others has an end: done messages, actors that nothing here needs, what they
deleted, and what of ours was for one actor alone.

Each hour, what is too old goes, and the oldest of what is too much. What others can make grow
within an hour is limited where it grows.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog
from sqlalchemy import Select, exists, func, or_, select

from node import error_isolation
from node.db import Base, now
from node.federating import delivery
from node.federating.models import (
    Actor,
    ActorKey,
    Delivery,
    InboxItem,
    OutboxActivity,
    Reaction,
    RemoteTombstone,
)
from node.federating.outbox import DIRECT, NOBODY
from node.hourly_jobs import run_hourly
from node.pruning import prune, prune_surplus
from node.runtime import Node

log = structlog.get_logger(__name__)

JOB = "housekeeping"
# An actor that was read so recently may have sent something that still waits.
MIN_ACTOR_AGE = timedelta(hours=1)
# Of the actors of one server that nothing here needs, so many are kept.
MAX_ACTORS_PER_HOST = 1_000
# Of what an actor said it deleted, so much is kept, and for so long.
MAX_TOMBSTONES_PER_ACTOR, TOMBSTONE_RETENTION = 20_000, timedelta(days=365)
# Of what all said they deleted, and of what all like and pass on, so much is kept.
MAX_TOMBSTONES, MAX_REACTIONS = 1_000_000, 500_000
# What was for one actor alone, or was withdrawn, once its delivery is forgotten: so long, and so
# much.
DIRECT_RETENTION, MAX_DIRECT = timedelta(days=30), 100_000


def run_job(node: Node) -> None:
    """The job, which tidies up once an hour."""
    run_hourly(node, JOB, lambda: prune_all(node))


def prune_all(node: Node) -> None:
    """Delete what is too old or too much, of each kind."""
    gone: dict[str, int] = {}
    steps: Mapping[str, Callable[[Node], int]] = {
        "deliveries": delivery.prune,
        "messages": _prune_messages,
        "actors": _prune_actors,
        "deletions": _prune_tombstones,
        "answers": _prune_direct_activities,
        "reactions": _prune_reactions,
        "failures of jobs": _prune_failures,
    }

    def act(name: str) -> None:
        gone[name] = steps[name](node)

    error_isolation.for_each(node, JOB, steps, act)
    if any(gone.values()):
        log.info("tidied", **gone)


def _prune_messages(node: Node) -> int:
    settings, since = node.settings, func.coalesce(InboxItem.finished_at, InboxItem.received_at)
    done = select(InboxItem.id).where(InboxItem.state != InboxItem.WAITING)
    old = done.where(since < now() - timedelta(settings.inbox_days))
    return prune(node, JOB, InboxItem, old) + prune_surplus(
        node, JOB, InboxItem, done, InboxItem.id, settings.most_handled
    )


def _prune_actors(node: Node) -> int:
    deleted = _prune_actors_beyond(node, _select_unreferenced_actors(), node.settings.most_actors)
    per_host = (
        _select_unreferenced_actors()
        .with_only_columns(Actor.host, func.count())
        .group_by(Actor.host)
    ).having(func.count() > MAX_ACTORS_PER_HOST)
    with node.reading() as session:
        crowded = [host for host, _ in session.execute(per_host)]
    for host in crowded:
        of_host = _select_unreferenced_actors().where(Actor.host == host)
        deleted += _prune_actors_beyond(node, of_host, MAX_ACTORS_PER_HOST)
    return deleted


def _prune_actors_beyond(node: Node, chosen: Select[int], most: int) -> int:
    return prune_surplus(node, JOB, Actor, chosen, Actor.fetched_at, most)


def _select_unreferenced_actors() -> Select[int]:
    """Actors of others, and not of the last hour, that no row but their keys refers to."""
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
    """An actor has so many, and all together; of more, the latest."""
    crowded = select(RemoteTombstone.actor_id).group_by(RemoteTombstone.actor_id)
    keys, before = (
        select(RemoteTombstone.uri, RemoteTombstone.actor_id),
        now() - TOMBSTONE_RETENTION,
    )
    with node.reading() as session:
        over = (
            select(RemoteTombstone.at)
            .order_by(RemoteTombstone.at.desc())
            .offset(MAX_TOMBSTONES - 1)
            .limit(1)
        )
        surplus = [keys.where(RemoteTombstone.at < max(before, session.scalar(over) or before))]
        for actor_id in session.scalars(crowded.having(func.count() > MAX_TOMBSTONES_PER_ACTOR)):
            mine = select(RemoteTombstone.at).where(RemoteTombstone.actor_id == actor_id)
            newest = (
                mine.order_by(RemoteTombstone.at.desc())
                .offset(MAX_TOMBSTONES_PER_ACTOR - 1)
                .limit(1)
            )
            last = session.scalar(newest)
            surplus.append(
                keys.where(RemoteTombstone.actor_id == actor_id, RemoteTombstone.at < last)
            )
    return sum(prune(node, JOB, RemoteTombstone, old) for old in surplus)


def _prune_failures(node: Node) -> int:
    return prune(node, JOB, error_isolation.JobFailure, error_isolation.select_expired_failures())


def _prune_direct_activities(node: Node) -> int:
    waits = exists().where(Delivery.activity_id == OutboxActivity.id)
    is_unread = OutboxActivity.audience.in_((DIRECT, NOBODY))
    answers = select(OutboxActivity.id).where(is_unread, ~waits)
    old = answers.where(OutboxActivity.created_at < now() - DIRECT_RETENTION)
    return prune(node, JOB, OutboxActivity, old) + prune_surplus(
        node, JOB, OutboxActivity, answers, OutboxActivity.id, MAX_DIRECT
    )


def _prune_reactions(node: Node) -> int:
    theirs = select(Reaction.id).where(Reaction.actor.has(~Actor.is_local))
    return prune_surplus(node, JOB, Reaction, theirs, Reaction.id, MAX_REACTIONS)
