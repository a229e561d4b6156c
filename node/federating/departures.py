"""Accounts of other servers that are deleted: all that they said here is removed.

An account says so itself (a `Delete` of its own actor), or its inbox answers 410 and its actor is
then asked for at its own server. At once it is not heard any more, and neither follows nor is
followed; what it said is removed in portions by a job: rows of `Departure`.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from federation.errors import DocumentError
from federation.vocabulary import Actor as ActorDocument
from federation.vocabulary import type_of
from node import portions
from node.db import insert_once, now
from node.federating import actors, fetching, queues
from node.federating.models import (
    Actor,
    ActorKey,
    Backfill,
    Block,
    Comparison,
    Departure,
    Follow,
    InboxItem,
    Reaction,
)
from node.runtime import Handlers, Node, NotForUsError, Received, Removal, UnitOfWork
from node.wording import say

log = structlog.get_logger(__name__)

# Actors asked for at the same time, one of each server.
CHECKS_AT_ONCE = 4
# Projects, comments and so on removed in one transaction: each is more than a row.
PORTION = 20
# Of the actors of an inbox that is gone, so many are asked for.
MAX_OF_INBOX = 1_000
# An unproven hint leads to no question about an actor that was read within this time.
RECENT = timedelta(hours=1)


def receive_delete(work: UnitOfWork, received: Received) -> None:
    """An account of another server is deleted, as it says itself."""
    activity = received.activity
    actor = actors.by_uri(work.session, activity.actor)
    if activity.object_id != activity.actor:
        raise NotForUsError(say("the message deletes something other than the sender’s account"))
    if actor is None or actor.is_local or actor.kind == actors.CLOSED:
        raise NotForUsError(say("this server does not know the account"))
    _close(work, actor)


def doubt_inbox(work: UnitOfWork, inbox: str) -> None:
    """`inbox` answered that it is gone for good: whether those who are followed or follow there
    are gone as well is asked at their own server.
    """
    either = or_(Follow.follower_id == Actor.id, Follow.followed_id == Actor.id)
    theirs = or_(Actor.inbox == inbox, Actor.shared_inbox == inbox), Actor.is_local.is_(False)
    query = select(Actor).where(*theirs, select(Follow.id).where(either).exists())
    for actor in work.session.scalars(query.order_by(Actor.id).limit(MAX_OF_INBOX)):
        _note(work, actor, inbox=inbox)


def doubt(node: Node, actor_uri: str) -> None:
    """Somebody says, unproven, that an account is deleted: asked at its own server, if it has
    anything here.
    """
    known = Actor.uri == actor_uri, Actor.is_local.is_(False), Actor.kind != actors.CLOSED
    query = select(Actor.id).where(*known, Actor.fetched_at < now() - RECENT)
    with node.reading() as session:
        actor_id = session.scalar(query)
    if actor_id is not None:
        with node.work(by=Departure.JOB) as work:
            _note(work, work.session.get_one(Actor, actor_id))


@queues.wakes_for_next(Departure)
def work_off(node: Node) -> None:
    """The job: ask for the actors that may be gone, and remove what those said who are."""
    act = partial(_work_off, node)
    queues.work_off(node, Departure, act, at_once=CHECKS_AT_ONCE, of_each_host=1)


def _note(work: UnitOfWork, actor: Actor, *, inbox: str | None = None) -> None:
    insert_once(
        work.session,
        Departure,
        actor_id=actor.id,
        host=actor.host,
        inbox=inbox,
        state=Departure.WAITING,
        attempts=0,
        due_at=now(),
    )
    work.wake(Departure.JOB)


def _close(work: UnitOfWork, actor: Actor) -> None:
    """Nothing is heard of `actor` from now on, and what it said is removed by the job."""
    session = work.session
    actors.close(actor)
    actor.name, actor.username, actor.about, actor.url = actor.host, "", "", actor.uri
    actor.outbox = actor.followers = actor.projects = actor.digest = None
    _end_follows(session, actor, of_ours=True)
    session.execute(delete(ActorKey).where(ActorKey.actor_id == actor.id))
    session.execute(delete(Reaction).where(Reaction.actor_id == actor.id))
    session.execute(delete(Block).where(Block.blocker_id == actor.id))
    for queue in (Backfill, Comparison):
        session.execute(delete(queue).where(queue.actor_id == actor.id))
    session.expire(actor, ["keys"])
    _note(work, actor)
    work.audit("actor.deleted", actor.uri)


def _end_follows(session: Session, actor: Actor, *, of_ours: bool) -> None:
    theirs = Follow.follower_id == actor.id
    either = or_(theirs, Follow.followed_id == actor.id) if of_ours else theirs
    session.flush()
    session.execute(delete(Follow).where(either))


def _work_off(node: Node, leased: queues.Lease) -> None:
    row_id = leased.id
    with node.reading() as session:
        row = session.get_one(Departure, row_id)
        uri, is_certain = row.actor.uri, row.actor.kind == actors.CLOSED
    if not is_certain:
        try:
            found = _look(node, uri)
        except fetching.NotFetchedError as error:
            _put_off(node, row_id, str(error))
            return
        if not _settle(node, row_id, found):
            return
    removals: Sequence[Removal] = (*node.removals, _Bodies())
    for remove in removals:
        portions.repeat(node, uri, partial(_remove, row_id, remove))
        if node.jobs.stopping.is_set():
            return
    with node.work(by=uri) as work:
        work.session.delete(work.session.get_one(Departure, row_id))


def _look(node: Node, uri: str) -> ActorDocument | None:
    """The actor as its own server shows it now; None if it says that it is gone.

    Raises `NotFetchedError` where that cannot be known.
    """
    try:
        document = fetching.document(node, uri)
    except fetching.NotFetchedError as error:
        if error.status in fetching.GONE:
            return None
        raise
    if type_of(document) == fetching.TOMBSTONE:
        return None
    try:
        return ActorDocument.parse(document)
    except DocumentError as error:
        raise fetching.NotFetchedError(say("%(uri)s is not an actor.", uri=uri)) from error


def _settle(node: Node, row_id: int, found: ActorDocument | None) -> bool:
    """Act on what the actor's own server says. True if it is gone.

    Of one that is there, whose document still names the inbox that is gone, the follows of ours
    end: it cannot get anything, and may follow again.
    """
    with node.work(by=Departure.JOB) as work:
        row = work.session.get_one(Departure, row_id)
        actor = row.actor
        if found is None:
            _close(work, actor)
            return True
        actors.remember(work.session, found)
        if row.inbox is not None and row.inbox in {found.inbox, found.shared_inbox}:
            _end_follows(work.session, actor, of_ours=False)
            work.audit("follow.inbox-gone", actor.uri)
        work.session.delete(row)
        return False


def _remove(row_id: int, remove: Removal, work: UnitOfWork) -> bool:
    row = work.session.get_one(Departure, row_id, with_for_update=True)
    row.leased_until = now() + timedelta(seconds=work.settings.lease_seconds)
    return remove(work, row.actor, PORTION)


class _Bodies:
    """Empties the messages of an actor that were worked off. Done again from the beginning where it
    was not finished.
    """

    def __init__(self) -> None:
        self._last = 0

    def __call__(self, work: UnitOfWork, actor: Actor, _most: int) -> bool:
        theirs = InboxItem.host == actor.host, InboxItem.actor_uri == actor.uri
        done = InboxItem.state != InboxItem.WAITING, InboxItem.id > self._last
        query = select(InboxItem.id).where(*theirs, *done).order_by(InboxItem.id)
        ids = work.session.scalars(query.limit(portions.PORTION)).all()
        emptied = update(InboxItem).where(InboxItem.id.in_(ids)).values(body={})
        work.session.execute(emptied, execution_options=portions.UNSYNCHRONISED)
        self._last = max(ids, default=0)
        return len(ids) == portions.PORTION


def _put_off(node: Node, row_id: int, why: str) -> None:
    """Ask again later, some times; then it is left as it is, until the next hint."""
    with node.work(by=Departure.JOB) as work:
        row = work.session.get_one(Departure, row_id)
        row.attempts += 1
        row.leased_until = None
        if row.attempts >= Departure.MAX_ATTEMPTS:
            log.info("it could not be known whether an account is gone", uri=row.actor.uri, why=why)
            work.session.delete(row)
        else:
            row.due_at = now() + queues.delay_after(Departure, row.attempts)


HANDLERS: Handlers = {("Delete", ""): receive_delete}
