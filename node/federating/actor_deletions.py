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
from federation.vocabulary import ActorDocument, type_of
from node import long_writes
from node.db import insert_once, now
from node.federating import actors, fetching, queues
from node.federating.models import (
    Actor,
    ActorDeletion,
    ActorKey,
    Backfill,
    Block,
    Comparison,
    Follow,
    InboxItem,
    Reaction,
)
from node.messages import msg
from node.runtime import (
    ActorDeletedListener,
    Handlers,
    Node,
    NotHandledError,
    ReceivedActivity,
    UnitOfWork,
)

log = structlog.get_logger(__name__)

# Actors asked for at the same time, one of each server.
CONCURRENT_CHECKS = 4
# Projects, comments and so on removed in one transaction: each is more than a row.
BATCH_SIZE = 20
# Of the actors of an inbox that is gone, so many are asked for.
MAX_ACTORS_PER_INBOX = 1_000
# An unproven hint leads to no question about an actor that was read within this time.
MIN_CHECK_INTERVAL = timedelta(hours=1)


def receive_delete(work: UnitOfWork, received: ReceivedActivity) -> None:
    """An account of another server is deleted, as it says itself."""
    activity = received.activity
    actor = actors.by_uri(work.session, activity.actor)
    if activity.object_id != activity.actor:
        raise NotHandledError(msg("the message deletes something other than the sender’s account"))
    if actor is None or actor.is_local or actor.kind == actors.TOMBSTONE:
        raise NotHandledError(msg("this server does not know the account"))
    _close_account(work, actor)


def schedule_checks_of_inbox(work: UnitOfWork, inbox: str) -> None:
    """`inbox` answered that it is gone for good: whether those who are followed or follow there
    are gone as well is asked at their own server.
    """
    either = or_(Follow.follower_id == Actor.id, Follow.followed_id == Actor.id)
    theirs = or_(Actor.inbox == inbox, Actor.shared_inbox == inbox), Actor.is_local.is_(False)
    query = select(Actor).where(*theirs, select(Follow.id).where(either).exists())
    for actor in work.session.scalars(query.order_by(Actor.id).limit(MAX_ACTORS_PER_INBOX)):
        _enqueue(work, actor, inbox=inbox)


def schedule_check(node: Node, actor_uri: str) -> None:
    """Somebody says, unproven, that an account is deleted: asked at its own server, if it has
    anything here.
    """
    known = Actor.uri == actor_uri, Actor.is_local.is_(False), Actor.kind != actors.TOMBSTONE
    query = select(Actor.id).where(*known, Actor.fetched_at < now() - MIN_CHECK_INTERVAL)
    with node.reading() as session:
        actor_id = session.scalar(query)
    if actor_id is not None:
        with node.work(by=ActorDeletion.JOB) as work:
            _enqueue(work, work.session.get_one(Actor, actor_id))


@queues.wakes_for_next(ActorDeletion)
def run_job(node: Node) -> None:
    """The job: ask for the actors that may be gone, and remove what those said who are."""
    act = partial(_process, node)
    queues.process_queue(node, ActorDeletion, act, concurrency=CONCURRENT_CHECKS, per_host=1)


def _enqueue(work: UnitOfWork, actor: Actor, *, inbox: str | None = None) -> None:
    insert_once(
        work.session,
        ActorDeletion,
        actor_id=actor.id,
        host=actor.host,
        inbox=inbox,
        state=ActorDeletion.WAITING,
        attempts=0,
        due_at=now(),
    )
    work.wake(ActorDeletion.JOB)


def _close_account(work: UnitOfWork, actor: Actor) -> None:
    """Nothing is heard of `actor` from now on, and what it said is removed by the job."""
    session = work.session
    actors.close(actor)
    actor.name, actor.username, actor.about, actor.url = actor.host, "", "", actor.uri
    actor.outbox = actor.followers = actor.projects = actor.digest = None
    _delete_follows(session, actor, both_directions=True)
    session.execute(delete(ActorKey).where(ActorKey.actor_id == actor.id))
    session.execute(delete(Reaction).where(Reaction.actor_id == actor.id))
    session.execute(delete(Block).where(Block.blocker_id == actor.id))
    for queue in (Backfill, Comparison):
        session.execute(delete(queue).where(queue.actor_id == actor.id))
    session.expire(actor, ["keys"])
    _enqueue(work, actor)
    work.audit("actor.deleted", actor.uri)


def _delete_follows(session: Session, actor: Actor, *, both_directions: bool) -> None:
    theirs = Follow.follower_id == actor.id
    either = or_(theirs, Follow.followed_id == actor.id) if both_directions else theirs
    session.flush()
    session.execute(delete(Follow).where(either))


def _process(node: Node, leased: queues.Lease) -> None:
    row_id = leased.id
    with node.reading() as session:
        row = session.get_one(ActorDeletion, row_id)
        uri, is_certain = row.actor.uri, row.actor.kind == actors.TOMBSTONE
    if not is_certain:
        try:
            found = _fetch_actor(node, uri)
        except fetching.FetchError as error:
            _retry_later(node, row_id, str(error))
            return
        if not _apply_check(node, row_id, found):
            return
    removals: Sequence[ActorDeletedListener] = (*node.on_actor_deleted, _MessageBodyEraser())
    for remove in removals:
        long_writes.run_in_batches(node, uri, partial(_remove_batch, row_id, remove))
        if node.jobs.stopping.is_set():
            return
    with node.work(by=uri) as work:
        work.session.delete(work.session.get_one(ActorDeletion, row_id))


def _fetch_actor(node: Node, uri: str) -> ActorDocument | None:
    """The actor as its own server shows it now; None if it says that it is gone.

    Raises `NotFetchedError` where that cannot be known.
    """
    try:
        document = fetching.fetch_document(node, uri)
    except fetching.FetchError as error:
        if error.status in fetching.GONE_STATUSES:
            return None
        raise
    if type_of(document) == fetching.TOMBSTONE:
        return None
    try:
        return ActorDocument.parse(document)
    except DocumentError as error:
        raise fetching.FetchError(msg("%(uri)s is not an actor.", uri=uri)) from error


def _apply_check(node: Node, row_id: int, found: ActorDocument | None) -> bool:
    """Act on what the actor's own server says. True if it is gone.

    Of one that is there, whose document still names the inbox that is gone, the follows of ours
    end: it cannot get anything, and may follow again.
    """
    with node.work(by=ActorDeletion.JOB) as work:
        row = work.session.get_one(ActorDeletion, row_id)
        actor = row.actor
        if found is None:
            _close_account(work, actor)
            return True
        actors.upsert(work.session, found)
        if row.inbox is not None and row.inbox in {found.inbox, found.shared_inbox}:
            _delete_follows(work.session, actor, both_directions=False)
            work.audit("follow.inbox-gone", actor.uri)
        work.session.delete(row)
        return False


def _remove_batch(row_id: int, remove: ActorDeletedListener, work: UnitOfWork) -> bool:
    row = work.session.get_one(ActorDeletion, row_id, with_for_update=True)
    row.leased_until = now() + timedelta(seconds=work.settings.lease_seconds)
    return remove(work, row.actor, BATCH_SIZE)


class _MessageBodyEraser:
    """Empties the messages of an actor that were worked off. Done again from the beginning where it
    was not finished.
    """

    def __init__(self) -> None:
        self._last = 0

    def __call__(self, work: UnitOfWork, actor: Actor, _most: int) -> bool:
        theirs = InboxItem.host == actor.host, InboxItem.actor_uri == actor.uri
        done = InboxItem.state != InboxItem.WAITING, InboxItem.id > self._last
        query = select(InboxItem.id).where(*theirs, *done).order_by(InboxItem.id)
        ids = work.session.scalars(query.limit(long_writes.BATCH_SIZE)).all()
        emptied = update(InboxItem).where(InboxItem.id.in_(ids)).values(body={})
        work.session.execute(emptied, execution_options=long_writes.UNSYNCHRONISED)
        self._last = max(ids, default=0)
        return len(ids) == long_writes.BATCH_SIZE


def _retry_later(node: Node, row_id: int, why: str) -> None:
    """Ask again later, some times; then it is left as it is, until the next hint."""
    with node.work(by=ActorDeletion.JOB) as work:
        row = work.session.get_one(ActorDeletion, row_id)
        row.attempts += 1
        row.leased_until = None
        if row.attempts >= ActorDeletion.MAX_ATTEMPTS:
            log.info("it could not be known whether an account is gone", uri=row.actor.uri, why=why)
            work.session.delete(row)
        else:
            row.due_at = now() + queues.retry_delay(ActorDeletion, row.attempts)


HANDLERS: Handlers = {("Delete", ""): receive_delete}
