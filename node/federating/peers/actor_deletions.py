"""Deleted accounts of other servers: everything they published here is removed.

An account announces its deletion (a `Delete` of its own actor), or its inbox answers 410 and its
server is asked for the actor. The account is closed at once and its follows end; a job removes its
content in batches, from rows of `ActorDeletion`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from federation.errors import DocumentError
from federation.vocabulary import ActorDocument, type_of
from federation.vocabulary.activity_types import DELETE
from federation.vocabulary.object_kinds import ACTOR
from node.database.tables import insert_once, now
from node.federating.events import ActorDeleted
from node.federating.identity import actors
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
from node.federating.peers import fetching
from node.messages import msg
from node.principal import Principal
from node.queue import batched_writes, leases
from node.queue.batched_writes import BatchedWrite, BatchedWriteKind
from node.runtime import (
    Handlers,
    Node,
    NotHandledError,
    ReceivedActivity,
    Stored,
    UnitOfWork,
)

log = structlog.get_logger(__name__)

# Actors fetched at the same time, at most one per server.
CONCURRENT_CHECKS = 4
# Projects, comments and so on removed per transaction; each has rows that depend on it.
BATCH_SIZE = 20
# Most actors that are checked because their shared inbox answered 410.
MAX_ACTORS_PER_INBOX = 1_000
# An unverified Delete triggers no check of an actor that was fetched within this time.
MIN_CHECK_INTERVAL = timedelta(hours=1)


def receive_delete(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle a Delete by which a remote account deletes itself."""
    activity = received.activity
    actor = actors.by_uri(work.session, activity.actor)
    if activity.object_id != activity.actor:
        raise NotHandledError(msg("the message deletes something other than the sender’s account"))
    if actor is None or actor.is_local or actor.kind == actors.TOMBSTONE:
        raise NotHandledError(msg("this server does not know the account"))
    _close_account(work, actor)


def schedule_checks_of_inbox(work: UnitOfWork, inbox: str) -> None:
    """`inbox` answered 410 Gone: check at its server whether the actors behind it that follow, or
    are followed, still exist.
    """
    has_follow = or_(Follow.follower_id == Actor.id, Follow.followed_id == Actor.id)
    behind_inbox = or_(Actor.inbox == inbox, Actor.shared_inbox == inbox), Actor.is_local.is_(False)
    query = select(Actor).where(*behind_inbox, select(Follow.id).where(has_follow).exists())
    for actor in work.session.scalars(query.order_by(Actor.id).limit(MAX_ACTORS_PER_INBOX)):
        _enqueue(work, actor, inbox=inbox)


def schedule_check(node: Node, actor_uri: str) -> None:
    """Check at its own server whether an actor still exists, after a Delete that could not be
    verified. Ignores unknown actors and those fetched within `MIN_CHECK_INTERVAL`.
    """
    is_known = Actor.uri == actor_uri, Actor.is_local.is_(False), Actor.kind != actors.TOMBSTONE
    query = select(Actor.id).where(*is_known, Actor.fetched_at < now() - MIN_CHECK_INTERVAL)
    with node.reading() as session:
        actor_id = session.scalar(query)
    if actor_id is not None:
        with node.work(by=Principal.job(ActorDeletion.JOB)) as work:
            _enqueue(work, work.session.get_one(Actor, actor_id))


@leases.wakes_for_next(ActorDeletion)
def run_job(node: Node) -> None:
    """The job: fetch the actors that may be deleted, and remove the content of those that are."""
    act = partial(_process, node)
    leases.process_queue(node, ActorDeletion, act, concurrency=CONCURRENT_CHECKS, per_host=1)


def _enqueue(work: UnitOfWork, actor: Actor, *, inbox: str | None = None) -> None:
    insert_once(
        work.session,
        ActorDeletion,
        actor_id=actor.id,
        host=actor.host,
        inbox=inbox,
        state=ActorDeletion.WAITING_STATE,
        attempts=0,
        due_at=now(),
    )
    work.wake(ActorDeletion.JOB)


def _close_account(work: UnitOfWork, actor: Actor) -> None:
    """Mark `actor` as deleted and end its follows, blocks and reactions in this transaction; the
    job removes its content.
    """
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
    by_actor = Follow.follower_id == actor.id
    condition = or_(by_actor, Follow.followed_id == actor.id) if both_directions else by_actor
    session.flush()
    session.execute(delete(Follow).where(condition))


def _process(node: Node, leased: leases.Lease) -> None:
    row_id = leased.id
    with node.reading() as session:
        row = session.get_one(ActorDeletion, row_id)
        uri, is_certain = row.actor.uri, row.actor.kind == actors.TOMBSTONE
    if not is_certain:
        try:
            document = _fetch_actor(node, uri)
        except fetching.FetchError as error:
            _retry_later(node, row_id, str(error))
            return
        if not _apply_check(node, row_id, document):
            return
    with node.work(by=Principal.actor(uri)) as work:
        row = work.session.get_one(ActorDeletion, row_id)
        work.emit(ActorDeleted(row.actor_id))
        work.session.delete(row)


def _fetch_actor(node: Node, uri: str) -> ActorDocument | None:
    """The actor's current document from its own server, or None if the server says it is deleted.

    Raises `FetchError` if the server gives no clear answer.
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
        raise fetching.FetchError(
            msg("%(uri)s is not the address of a council, project or person.", uri=uri)
        ) from error


def _apply_check(node: Node, row_id: int, document: ActorDocument | None) -> bool:
    """Store the outcome of a check; True if the actor is deleted.

    If the actor exists but still names the inbox that answered 410, its follows of local actors
    end, since nothing can be delivered to it. It may follow again.
    """
    with node.work(by=Principal.job(ActorDeletion.JOB)) as work:
        row = work.session.get_one(ActorDeletion, row_id)
        actor = row.actor
        if document is None:
            _close_account(work, actor)
            return True
        actors.upsert(work.session, document)
        if row.inbox is not None and row.inbox in {document.inbox, document.shared_inbox}:
            _delete_follows(work.session, actor, both_directions=False)
            work.audit("follow.inbox-gone", actor.uri)
        work.session.delete(row)
        return False


@dataclass(frozen=True)
class Erasure:
    """Erases a room's rows with the content of a deleted actor, in batches after the event.

    `erase(work, actor, limit)` erases up to `limit` rows and returns whether there may be more.
    """

    name: str
    erase: Callable[[UnitOfWork, Actor, int], bool]

    @property
    def kind(self) -> BatchedWriteKind:
        return BatchedWriteKind(self.name, self._write_batch)

    def start(self, work: UnitOfWork, event: ActorDeleted) -> None:
        """Handler of `ActorDeleted`."""
        batched_writes.enqueue(work, self.kind, str(event.actor_id))

    def _write_batch(self, work: UnitOfWork, row: BatchedWrite) -> bool:
        actor = work.session.get(Actor, int(row.subject))
        if actor is None:
            return False
        work.by = Principal.actor(actor.uri)
        return self.erase(work, actor, BATCH_SIZE)


def erase_messages(work: UnitOfWork, event: ActorDeleted) -> None:
    """Handler: erase the stored bodies of the actor's processed inbox messages, in batches."""
    batched_writes.enqueue(work, ERASE_MESSAGES, str(event.actor_id))


def _erase_message_batch(work: UnitOfWork, row: BatchedWrite) -> bool:
    actor = work.session.get(Actor, int(row.subject))
    if actor is None:
        return False
    by_actor = InboxItem.host == actor.host, InboxItem.actor_uri == actor.uri
    is_processed = InboxItem.state != InboxItem.WAITING_STATE, InboxItem.id > row.position
    query = select(InboxItem.id).where(*by_actor, *is_processed).order_by(InboxItem.id)
    ids = work.session.scalars(query.limit(batched_writes.BATCH_SIZE)).all()
    erase = update(InboxItem).where(InboxItem.id.in_(ids)).values(body={})
    work.session.execute(erase, execution_options=batched_writes.NO_SESSION_SYNC)
    row.position = max(ids, default=0)
    return len(ids) == batched_writes.BATCH_SIZE


ERASE_MESSAGES = BatchedWriteKind("erase-messages", _erase_message_batch)


def _retry_later(node: Node, row_id: int, reason: str) -> None:
    """Reschedule a check; once `RETRY` is exhausted, drop it until the next hint."""
    with node.work(by=Principal.job(ActorDeletion.JOB)) as work:
        row = work.session.get_one(ActorDeletion, row_id)
        row.attempts += 1
        row.leased_until = None
        if ActorDeletion.RETRY.is_exhausted(row.attempts):
            log.info("account deletion check abandoned", uri=row.actor.uri, reason=reason)
            work.session.delete(row)
        else:
            row.due_at = now() + ActorDeletion.RETRY.delay(row.attempts)


HANDLERS = Handlers({(DELETE, ACTOR): receive_delete}, stores=(Stored(Actor.uri, ACTOR),))
