"""Reactions: likes and announces, one of each kind per actor and object."""

from collections.abc import Collection

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from node.database.tables import insert_once, now
from node.federating.identity import actors
from node.federating.models import Actor, Reaction
from node.queue.pruning import delete_surplus
from node.runtime import Quota, UnitOfWork

# Reactions stored per remote actor and per server; the oldest are deleted at once, since a server
# can send any number within an hour.
MAX_PER_ACTOR = 1_000
MAX_PER_HOST = 20_000
COUNT_BY_ACTOR = select(func.count(Reaction.id)).where(Reaction.actor_id == bindparam("actor_id"))


def add(work: UnitOfWork, *, uri: str, kind: str, actor: Actor, object_uri: str) -> bool:
    """Store a like or announce by `actor`; False if it is stored already."""
    values = {"uri": uri, "kind": kind, "actor_id": actor.id, "object_uri": object_uri, "at": now()}
    if not insert_once(work.session, Reaction, **values):
        return False
    if not actor.is_local:
        if (work.session.scalar(COUNT_BY_ACTOR, {"actor_id": actor.id}) or 0) > MAX_PER_ACTOR:
            by_actor = Reaction.actor_id == actor.id
            delete_surplus(work.session, Reaction, by_actor, max_rows=MAX_PER_ACTOR)
        _limit_host(work, actor.host)
    return True


def find(session: Session, actor: Actor, kind: str, object_uri: str) -> Reaction | None:
    """The reaction of this kind by `actor` to an object, if there is one."""
    return session.scalar(
        select(Reaction).where(
            Reaction.actor_id == actor.id,
            Reaction.kind == kind,
            Reaction.object_uri == object_uri,
        )
    )


def by_uri(session: Session, actor: Actor, uri: str) -> Reaction | None:
    """The reaction of `actor` with this activity id."""
    conditions = Reaction.actor_id == actor.id, Reaction.uri == uri
    return session.scalar(select(Reaction).where(*conditions))


def count_by_kind(session: Session, object_uris: Collection[str]) -> dict[str, dict[str, int]]:
    """The number of reactions by object URI and kind, without those of blocked actors."""
    query = (
        select(Reaction.object_uri, Reaction.kind, func.count())
        .join(Actor)
        .where(Reaction.object_uri.in_(object_uris), ~Actor.is_blocked)
        .group_by(Reaction.object_uri, Reaction.kind)
    )
    counts: dict[str, dict[str, int]] = {}
    for uri, kind, count in session.execute(query):
        counts.setdefault(uri, {})[kind] = count
    return counts


def _limit_host(work: UnitOfWork, host: str) -> None:
    """Delete the surplus of a server. Its reactions are counted only when its quota is used up."""
    quota_name = f"reactions of {host}"
    quota = work.node.host_quotas.get(quota_name)
    if quota is not None and quota.remaining > 0:
        quota.remaining -= 1
        return
    of_host = actors.is_on_host(Reaction.actor_id, host)
    left = delete_surplus(work.session, Reaction, of_host, max_rows=MAX_PER_HOST)
    work.node.host_quotas.put(quota_name, Quota(MAX_PER_HOST - left))
