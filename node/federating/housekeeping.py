"""What is kept of others has an end: done messages, actors that nothing here needs, what they
deleted, and what of ours was for one actor alone.

Each hour, what is too old goes, and the oldest of what is too much. What others can make grow
within an hour is limited where it grows.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog
from sqlalchemy import Select, exists, func, or_, select

from node import isolation
from node.db import Base, now
from node.federating import delivery
from node.federating.models import (
    Actor,
    ActorKey,
    Deleted,
    Delivery,
    InboxItem,
    OutboxActivity,
    Reaction,
)
from node.federating.publishing import DIRECT, NOBODY
from node.hourly import once_an_hour
from node.pruning import prune, prune_surplus
from node.runtime import Node

log = structlog.get_logger(__name__)

JOB = "housekeeping"
# An actor that was read so recently may have sent something that still waits.
NEWCOMER = timedelta(hours=1)
# Of the actors of one server that nothing here needs, so many are kept.
MOST_ACTORS_OF_HOST = 1_000
# Of what an actor said it deleted, so much is kept, and for so long.
MOST_DELETED_OF_ACTOR, DELETED_KEPT = 20_000, timedelta(days=365)
# Of what all said they deleted, and of what all like and pass on, so much is kept.
MOST_DELETED, MOST_REACTIONS = 1_000_000, 500_000
# What was for one actor alone, or was withdrawn, once its delivery is forgotten: so long, and so
# much.
DIRECT_KEPT, MOST_DIRECT = timedelta(days=30), 100_000


def work_off(node: Node) -> None:
    """The job, which tidies up once an hour."""
    once_an_hour(node, JOB, lambda: tidy(node))


def tidy(node: Node) -> None:
    """Delete what is too old or too much, of each kind."""
    gone: dict[str, int] = {}
    steps: Mapping[str, Callable[[Node], int]] = {
        "deliveries": delivery.prune,
        "messages": _prune_messages,
        "actors": _prune_actors,
        "deletions": _prune_deletions,
        "answers": _prune_answers,
        "reactions": _prune_reactions,
        "failures of jobs": _prune_failures,
    }

    def act(name: str) -> None:
        gone[name] = steps[name](node)

    isolation.each(node, JOB, steps, act)
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
    deleted = _prune_actors_beyond(node, _unneeded(), node.settings.most_actors)
    per_host = (
        _unneeded().with_only_columns(Actor.host, func.count()).group_by(Actor.host)
    ).having(func.count() > MOST_ACTORS_OF_HOST)
    with node.reading() as session:
        crowded = [host for host, _ in session.execute(per_host)]
    for host in crowded:
        of_host = _unneeded().where(Actor.host == host)
        deleted += _prune_actors_beyond(node, of_host, MOST_ACTORS_OF_HOST)
    return deleted


def _prune_actors_beyond(node: Node, chosen: Select[int], most: int) -> int:
    return prune_surplus(node, JOB, Actor, chosen, Actor.fetched_at, most)


def _unneeded() -> Select[int]:
    """Actors of others, and not of the last hour, that no row but their keys refers to."""
    referred_to = [
        Actor.id.in_(select(column).where(column.is_not(None)))
        for table in Base.metadata.tables.values()
        if table is not ActorKey.__table__
        for column in table.columns
        if any(key.column is Actor.__table__.c.id for key in column.foreign_keys)
    ]
    is_old = Actor.fetched_at < now() - NEWCOMER
    return select(Actor.id).where(~Actor.is_local, ~Actor.is_blocked, is_old, ~or_(*referred_to))


def _prune_deletions(node: Node) -> int:
    """An actor has so many, and all together; of more, the latest."""
    crowded = select(Deleted.actor_id).group_by(Deleted.actor_id)
    keys, before = select(Deleted.uri, Deleted.actor_id), now() - DELETED_KEPT
    with node.reading() as session:
        over = select(Deleted.at).order_by(Deleted.at.desc()).offset(MOST_DELETED - 1).limit(1)
        surplus = [keys.where(Deleted.at < max(before, session.scalar(over) or before))]
        for actor_id in session.scalars(crowded.having(func.count() > MOST_DELETED_OF_ACTOR)):
            mine = select(Deleted.at).where(Deleted.actor_id == actor_id)
            newest = mine.order_by(Deleted.at.desc()).offset(MOST_DELETED_OF_ACTOR - 1).limit(1)
            last = session.scalar(newest)
            surplus.append(keys.where(Deleted.actor_id == actor_id, Deleted.at < last))
    return sum(prune(node, JOB, Deleted, old) for old in surplus)


def _prune_failures(node: Node) -> int:
    return prune(node, JOB, isolation.JobFailure, isolation.forgotten())


def _prune_answers(node: Node) -> int:
    waits = exists().where(Delivery.activity_id == OutboxActivity.id)
    is_unread = OutboxActivity.audience.in_((DIRECT, NOBODY))
    answers = select(OutboxActivity.id).where(is_unread, ~waits)
    old = answers.where(OutboxActivity.created_at < now() - DIRECT_KEPT)
    return prune(node, JOB, OutboxActivity, old) + prune_surplus(
        node, JOB, OutboxActivity, answers, OutboxActivity.id, MOST_DIRECT
    )


def _prune_reactions(node: Node) -> int:
    theirs = select(Reaction.id).where(Reaction.actor.has(~Actor.is_local))
    return prune_surplus(node, JOB, Reaction, theirs, Reaction.id, MOST_REACTIONS)
