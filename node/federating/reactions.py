"""Likes and announcements: who likes or passes on what, once each, whatever the activity's id."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from node.db import insert_once, now
from node.federating import actors
from node.federating.models import Actor, Reaction

LIKE, ANNOUNCE = "Like", "Announce"
KINDS = frozenset({LIKE, ANNOUNCE})
# Of one actor, and of all of one server, so many are kept: the oldest go.
MOST_OF_ACTOR = 1_000
MOST_OF_HOST = 20_000


def add(session: Session, *, uri: str, kind: str, actor: Actor, object_uri: str) -> bool:
    """Keep that `actor` likes or announces `object_uri`; False if that was known."""
    mine = Reaction.actor_id == actor.id
    if not insert_once(
        session, Reaction, uri=uri, kind=kind, actor_id=actor.id, object_uri=object_uri, at=now()
    ):
        return False
    if not actor.is_local:
        _trim(session, mine, MOST_OF_ACTOR)
        _trim(session, actors.on_host(Reaction.actor_id, actor.host), MOST_OF_HOST)
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


def counts(session: Session, object_uris: Collection[str]) -> dict[str, dict[str, int]]:
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


def _trim(session: Session, among: ColumnElement[bool], most: int) -> None:
    """Keep the newest `most`."""
    count = session.scalar(select(func.count()).select_from(Reaction).where(among)) or 0
    if count > most:
        oldest = select(Reaction.id).where(among).order_by(Reaction.id).limit(count - most)
        session.execute(delete(Reaction).where(Reaction.id.in_(oldest)))
