"""When what we hold of a council is compared with what it has: rows of `Comparison`.

The comparing itself is in `node.sync`, which knows what projects and updates are.
"""

from datetime import timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from node.db import insert_once, now
from node.federating.models import Actor, Comparison, Follow
from node.runtime import UnitOfWork

# What others send makes us look again, and not oftener than this.
MIN_INTERVAL = timedelta(minutes=10)


def watch_followed(session: Session) -> None:
    """Every actor that ours follows is watched."""
    watched = select(Comparison.actor_id).where(Comparison.state == Comparison.WAITING)
    missing = select(Follow.followed_id).where(
        Follow.state == "accepted",
        Follow.follower.has(Actor.is_local),
        Follow.followed_id.not_in(watched),
    )
    for actor_id in set(session.scalars(missing)):
        watch(session, actor_id)


def watch(session: Session, actor_id: int) -> None:
    """An actor is watched from now on, and looked at soon."""
    values = {"state": Comparison.WAITING, "attempts": 0, "due_at": now(), "outcome": ""}
    counts = {"different": 0, "fetched": 0, "removed": 0}
    if not insert_once(session, Comparison, actor_id=actor_id, **values, **counts):
        session.execute(update(Comparison).where(Comparison.actor_id == actor_id).values(**values))


def compare_soon(work: UnitOfWork, actor_id: int) -> None:
    """Look at a watched actor soon: something has happened here."""
    watched = Comparison.actor_id == actor_id, Comparison.state == Comparison.WAITING
    work.session.execute(update(Comparison).where(*watched).values(due_at=now()))
    work.wake(Comparison.JOB)


def compare_unless_recent(
    work: UnitOfWork, actor_id: int, *, followers_url: str | None = None
) -> None:
    """What an actor sent does not fit what we hold: look at it, unless that was done a moment ago.

    `followers_url` is where to see who of ours follows it.
    """
    lately = Comparison.compared_at > now() - MIN_INTERVAL
    mine = Comparison.actor_id == actor_id
    if work.session.scalar(select(Comparison.id).where(mine, lately)) is None:
        watch(work.session, actor_id)
        values = {"followers_url": followers_url}
        if followers_url is not None:
            work.session.execute(update(Comparison).where(mine).values(**values))
        work.wake(Comparison.JOB)


def on_host_recovery(work: UnitOfWork, host: str) -> None:
    """A host that could not be reached is heard again: there may be much to catch up on."""
    of_host = select(Actor.id).where(Actor.host == host, ~Actor.is_local)
    unseen = or_(Comparison.compared_at.is_(None), Comparison.compared_at < now() - MIN_INTERVAL)
    watched = Comparison.actor_id.in_(of_host), Comparison.state == Comparison.WAITING, unseen
    work.session.execute(update(Comparison).where(*watched).values(due_at=now(), attempts=0))
    work.wake(Comparison.JOB)
