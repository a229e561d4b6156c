"""Schedules the comparisons of our copy of a council's data with its own: rows of `Comparison`.

The comparison itself is in `node.sync`, which knows projects and updates.
"""

from datetime import timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from node.database.tables import insert_once, now
from node.federating.models import Actor, Comparison, Follow
from node.runtime import UnitOfWork

# Messages from other servers trigger a comparison at most this often.
MIN_INTERVAL = timedelta(minutes=10)


def schedule_for_followed(session: Session) -> None:
    """Schedule comparisons for every followed actor that has none."""
    watched = select(Comparison.actor_id).where(Comparison.state == Comparison.WAITING_STATE)
    missing = select(Follow.followed_id).where(
        Follow.state == "accepted",
        Follow.follower.has(Actor.is_local),
        Follow.followed_id.not_in(watched),
    )
    for actor_id in set(session.scalars(missing)):
        schedule_regular(session, actor_id)


def schedule_regular(session: Session, actor_id: int) -> None:
    """Schedule regular comparisons with an actor, the first one now."""
    values = {"state": Comparison.WAITING_STATE, "attempts": 0, "due_at": now(), "outcome": ""}
    counts = {"different": 0, "fetched": 0, "removed": 0}
    if not insert_once(session, Comparison, actor_id=actor_id, **values, **counts):
        session.execute(update(Comparison).where(Comparison.actor_id == actor_id).values(**values))


def compare_soon(work: UnitOfWork, actor_id: int) -> None:
    """Make the comparison with a watched actor due now, after a change here."""
    is_watched = Comparison.actor_id == actor_id, Comparison.state == Comparison.WAITING_STATE
    work.session.execute(update(Comparison).where(*is_watched).values(due_at=now()))
    work.wake(Comparison.JOB)


def compare_unless_recent(
    work: UnitOfWork, actor_id: int, *, followers_url: str | None = None
) -> None:
    """Schedule a comparison, since an actor's message does not match our copy; unless there was one
    within `MIN_INTERVAL`.

    `followers_url`: its list of the local actors that follow it (FEP-8fcf), to be compared too.
    """
    is_recent = Comparison.compared_at > now() - MIN_INTERVAL
    of_actor = Comparison.actor_id == actor_id
    if work.session.scalar(select(Comparison.id).where(of_actor, is_recent)) is None:
        schedule_regular(work.session, actor_id)
        values = {"followers_url": followers_url}
        if followers_url is not None:
            work.session.execute(update(Comparison).where(of_actor).values(**values))
        work.wake(Comparison.JOB)


def on_host_recovery(work: UnitOfWork, host: str) -> None:
    """A host responds again: compare with its actors, since messages may have been missed."""
    of_host = select(Actor.id).where(Actor.host == host, ~Actor.is_local)
    is_outdated = or_(
        Comparison.compared_at.is_(None), Comparison.compared_at < now() - MIN_INTERVAL
    )
    is_watched = (
        Comparison.actor_id.in_(of_host),
        Comparison.state == Comparison.WAITING_STATE,
        is_outdated,
    )
    work.session.execute(update(Comparison).where(*is_watched).values(due_at=now(), attempts=0))
    work.wake(Comparison.JOB)
