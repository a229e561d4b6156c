"""Likes and announcements: who likes or passes on what, once each, whatever the activity's id."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, bindparam, delete, func, select
from sqlalchemy.orm import Session

from node.db import insert_once, now
from node.federating import actors
from node.federating.models import Actor, Reaction
from node.runtime import Quota, UnitOfWork

LIKE, ANNOUNCE = "Like", "Announce"
REACTION_TYPES = frozenset({LIKE, ANNOUNCE})
# Of one actor, and of all of one server, so many are kept: the oldest go.
MAX_PER_ACTOR = 1_000
MAX_PER_HOST = 20_000
COUNT_BY_ACTOR = select(func.count(Reaction.id)).where(Reaction.actor_id == bindparam("actor_id"))


def add(work: UnitOfWork, *, uri: str, kind: str, actor: Actor, object_uri: str) -> bool:
    """Keep that `actor` likes or announces `object_uri`; False if that was known."""
    new = {"uri": uri, "kind": kind, "actor_id": actor.id, "object_uri": object_uri, "at": now()}
    if not insert_once(work.session, Reaction, **new):
        return False
    if not actor.is_local:
        if (work.session.scalar(COUNT_BY_ACTOR, {"actor_id": actor.id}) or 0) > MAX_PER_ACTOR:
            _prune(work.session, Reaction.actor_id == actor.id, MAX_PER_ACTOR)
        _prune_host(work, actor.host)
    return True


def find(session: Session, actor: Actor, kind: str, object_uri: str) -> Reaction | None:
    """How `actor` reacted to an object, if it did."""
    return session.scalar(
        select(Reaction).where(
            Reaction.actor_id == actor.id,
            Reaction.kind == kind,
            Reaction.object_uri == object_uri,
        )
    )


def by_uri(session: Session, actor: Actor, uri: str) -> Reaction | None:
    """The reaction of `actor` with this id."""
    mine = Reaction.actor_id == actor.id, Reaction.uri == uri
    return session.scalar(select(Reaction).where(*mine))


def count_by_kind(session: Session, object_uris: Collection[str]) -> dict[str, dict[str, int]]:
    """How many like and announce each of some objects, of those not blocked: by object, by kind."""
    query = (
        select(Reaction.object_uri, Reaction.kind, func.count())
        .join(Actor)
        .where(Reaction.object_uri.in_(object_uris), ~Actor.is_blocked)
        .group_by(Reaction.object_uri, Reaction.kind)
    )
    found: dict[str, dict[str, int]] = {}
    for uri, kind, count in session.execute(query):
        found.setdefault(uri, {})[kind] = count
    return found


def _prune(session: Session, among: ColumnElement[bool], most: int) -> int:
    """Keep the newest `most`; returns how many there are then."""
    count = session.scalar(select(func.count()).select_from(Reaction).where(among)) or 0
    if count > most:
        oldest = select(Reaction.id).where(among).order_by(Reaction.id).limit(count - most)
        session.execute(delete(Reaction).where(Reaction.id.in_(oldest)))
    return min(count, most)


def _prune_host(work: UnitOfWork, host: str) -> None:
    """Those of a server are many: they are counted once a second, and whenever there are enough."""
    name = f"reactions of {host}"
    room = work.node.quotas.get(name)
    if room is not None and room.remaining > 0:
        room.remaining -= 1
        return
    among = actors.on_host(Reaction.actor_id, host)
    work.node.quotas.put(name, Quota(MAX_PER_HOST - _prune(work.session, among, MAX_PER_HOST)))
